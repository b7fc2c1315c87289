#!/usr/bin/env node
// What a request costs: starts one node on a private PostgreSQL, loads it, and prints for each workload the rate and where the time goes.
//   node bench/run.mjs [--seconds 6] [--rounds 3] [--connections 64] [--work create,get,patch,list]
// Needs node 20, dotnet and wrk. Loopback only; everything it starts it ends. Rates of a shared machine mean little: compare
// the columns with each other, and runs of one session with each other.
import { spawn, spawnSync, execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync, readFileSync, readdirSync, rmSync, chmodSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';

const option = (name, fallback) => { const i = process.argv.indexOf('--' + name); return i < 0 ? fallback : process.argv[i + 1]; };
const seconds = Number(option('seconds', 6)), rounds = Number(option('rounds', 3)), connections = Number(option('connections', 64));
const works = option('work', 'create,get,patch,list').split(',');
const dir = mkdtempSync(join(tmpdir(), 'bench-'));
chmodSync(dir, 0o755);
const base = `http://127.0.0.1:${5600 + (process.pid % 300)}`, email = 'bench@example.com', password = 'bench-Password-1234567890';
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const text = (...command) => execFileSync(command[0], command.slice(1), { encoding: 'utf8' }).trim();

console.log(`commit   ${text('git', 'rev-parse', '--short', 'HEAD')}${text('git', 'status', '--porcelain') ? ' with changes' : ''}`);
console.log(`machine  ${cpus().length} × ${cpus()[0].model}, ${Math.round(totalmem() / 2 ** 30)} GiB`);
console.log(`command  node bench/run.mjs ${process.argv.slice(2).join(' ')}`);

const build = spawnSync('dotnet', ['build', '-c', 'Release', 'src/Api', '-v', 'q'], { encoding: 'utf8' });
if (build.status !== 0) throw new Error('the build failed\n' + build.stdout);
let log = '';
const server = spawn('dotnet', ['src/Api/bin/Release/net10.0/Resources.Api.dll'], {
  env: {
    ...process.env, ASPNETCORE_ENVIRONMENT: 'Production', ASPNETCORE_URLS: base, Embedded__DataDirectory: join(dir, 'data'), Secrets__MasterKey: Buffer.alloc(32, 7).toString('base64'),
    Bootstrap__AdminEmail: email, Bootstrap__AdminPassword: password, RateLimits__Default__Permits: '1000000000', Shutdown__DrainSeconds: '0',
  }, stdio: ['ignore', 'pipe', 'pipe'],
});
for (const stream of [server.stdout, server.stderr]) stream.on('data', (data) => { log = (log + data).slice(-4000); });

/** CPU milliseconds so far of the node and of its PostgreSQL, from /proc. */
function cpu() {
  const parents = new Map(), spent = new Map();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8'), fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      parents.set(Number(pid), Number(fields[1]));
      // A process that has ended counts with its parent: a backend with the postmaster.
      spent.set(Number(pid), (Number(fields[11]) + Number(fields[12])) * 10);
    } catch { /* it ended while we looked */ }
  }
  const postmaster = Number(readFileSync(join(dir, 'data/postgres/postmaster.pid'), 'utf8').split('\n')[0]);
  let postgres = 0;
  for (const [pid, ms] of spent) if (pid === postmaster || parents.get(pid) === postmaster) postgres += ms;
  return { node: spent.get(server.pid) ?? 0, postgres };
}
/** Sums and counts of the log's histograms, from /metrics. */
async function commits() {
  const metrics = await (await fetch(base + '/metrics')).text();
  const value = (name) => Number(metrics.match(new RegExp(`^${name}\\{[^}]*\\} ([\\d.e+-]+)`, 'm'))?.[1] ?? 0);
  return { count: value('resources_log_batch_count'), streams: value('resources_log_batch_sum'), seconds: value('resources_log_commit_seconds_sum') };
}
const stop = () => { server.kill('SIGTERM'); };
process.on('exit', stop);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

try {
  let token;
  for (let tries = 0; !token; tries++) {
    if (server.exitCode !== null || tries > 240) throw new Error('the node did not start\n' + log);
    await sleep(500);
    const answer = await fetch(base + '/api/v1/auth/login', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ email, password }) }).catch(() => null);
    if (answer?.ok) token = (await answer.json()).data.accessToken;
  }
  const body = '{"name":"hello world","metadata":{"a":1,"b":"two","c":[1,2,3]}}', ids = [];
  for (let i = 0; i < 1000; i += 20) {
    ids.push(...await Promise.all(Array.from({ length: 20 }, async () => (await (await fetch(base + '/api/v1/resources', {
      method: 'POST', headers: { authorization: 'Bearer ' + token, 'content-type': 'application/json' }, body,
    })).json()).data.id)));
  }
  const auth = `wrk.headers["Authorization"] = "Bearer ${token}"\n`, pick = `local ids = {${ids.map((id) => `"${id}"`).join(',')}}\nlocal function pick() return ids[math.random(#ids)] end\n`;
  const scripts = {
    create: `${auth}wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = '${body}'\n`,
    get: `${auth}${pick}request = function() return wrk.format("GET", "/api/v1/resources/" .. pick()) end\n`,
    patch: `${auth}${pick}wrk.headers["Content-Type"] = "application/merge-patch+json"\nlocal n = 0\nrequest = function() n = n + 1 return wrk.format("PATCH", "/api/v1/resources/" .. pick(), nil, '{"name":"renamed ' .. n .. '"}') end\n`,
    list: `${auth}request = function() return wrk.format("GET", "/api/v1/resources?limit=20&status=active") end\n`,
  };
  const run = (work) => new Promise((resolve) => {
    const file = join(dir, work + '.lua');
    writeFileSync(file, scripts[work]);
    const wrk = spawn('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '-s', file, base + '/api/v1/resources'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    wrk.stdout.on('data', (data) => { output += data; });
    wrk.on('close', () => resolve({
      requests: Number(output.match(/(\d+) requests in/)?.[1] ?? 0), p99: output.match(/99%\s+(\S+)/)?.[1] ?? '?', bad: Number(output.match(/Non-2xx or 3xx responses: (\d+)/)?.[1] ?? 0),
    }));
  });
  console.log('\nround  work     requests/s       p99   node µs   postgres µs   commit ms   streams/commit   bad');
  for (let round = 0; round <= rounds; round++) {
    for (const work of works) {
      const [before, logBefore] = [cpu(), await commits()];
      const result = await run(work);
      const [after, logAfter] = [cpu(), await commits()];
      const each = (ms) => (1000 * ms / Math.max(result.requests, 1)).toFixed(0), batches = logAfter.count - logBefore.count;
      console.log(`${(round === 0 ? 'warm' : String(round)).padEnd(6)} ${work.padEnd(8)} ${(result.requests / seconds).toFixed(0).padStart(10)} ${result.p99.padStart(9)} ${each(after.node - before.node).padStart(9)} ${each(after.postgres - before.postgres).padStart(13)} `
        + `${(batches ? 1000 * (logAfter.seconds - logBefore.seconds) / batches : 0).toFixed(2).padStart(11)} ${(batches ? (logAfter.streams - logBefore.streams) / batches : 0).toFixed(1).padStart(16)} ${String(result.bad).padStart(5)}`);
    }
  }
} finally {
  stop();
  await new Promise((resolve) => { if (server.exitCode !== null) resolve(); else server.on('close', resolve); setTimeout(resolve, 20_000).unref(); });
  rmSync(dir, { recursive: true, force: true });
}
