#!/usr/bin/env node
// What a request costs: starts one node on a private PostgreSQL, loads it, and prints for each workload the rate and where the time goes.
//   node bench/run.mjs [--seconds 6] [--rounds 3] [--connections 64] [--work create,get,patch,list,login]
// Needs node 20, dotnet and wrk. Loopback only; everything it starts it ends. Rates of a shared machine mean little: compare
// the columns with each other, and runs of one session with each other.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { email, header, main, number, option, password, scrape, scratch, startNode, total, wrk } from './common.mjs';

const seconds = number('seconds', 6), rounds = number('rounds', 3), connections = number('connections', 64);
const works = option('work', 'create,get,patch,list').split(',');

/** CPU milliseconds so far of the node and of its PostgreSQL, from /proc. */
function cpu(node) {
  const parents = new Map(), spent = new Map();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8'), fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      parents.set(Number(pid), Number(fields[1]));
      // A process that has ended counts with its parent: a backend with the postmaster.
      spent.set(Number(pid), (Number(fields[11]) + Number(fields[12])) * 10);
    } catch { /* it ended while we looked */ }
  }
  const postmaster = Number(readFileSync(join(scratch(), 'data/postgres/postmaster.pid'), 'utf8').split('\n')[0]);
  let postgres = 0;
  for (const [pid, ms] of spent) if (pid === postmaster || parents.get(pid) === postmaster) postgres += ms;
  return { node: spent.get(node.pid) ?? 0, postgres };
}

/** Sums and counts of the log's histograms, from /metrics. */
async function commits(node) {
  const samples = await scrape(node);
  return { count: total(samples, 'resources_log_batch_count'), streams: total(samples, 'resources_log_batch_sum'), seconds: total(samples, 'resources_log_commit_seconds_sum') };
}

await main(60, async () => {
  header();
  const node = await startNode();
  const body = { name: 'hello world', metadata: { a: 1, b: 'two', c: [1, 2, 3] } }, ids = [];
  for (let i = 0; i < 1000; i += 20) ids.push(...await Promise.all(Array.from({ length: 20 }, async () => (await node.send('POST', '/resources', body)).data.id)));
  const pick = `local ids = {${ids.map((id) => `"${id}"`).join(',')}}\nlocal function pick() return ids[math.random(#ids)] end\n`;
  const scripts = {
    create: `wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = '${JSON.stringify(body)}'\n`,
    get: `${pick}request = function() return wrk.format("GET", "/api/v1/resources/" .. pick()) end\n`,
    patch: `${pick}wrk.headers["Content-Type"] = "application/merge-patch+json"\nlocal n = 0\nrequest = function() n = n + 1 return wrk.format("PATCH", "/api/v1/resources/" .. pick(), nil, '{"name":"renamed ' .. n .. '"}') end\n`,
    list: 'request = function() return wrk.format("GET", "/api/v1/resources?limit=20&status=active") end\n',
    login: `wrk.method = "POST"\nwrk.path = "/api/v1/auth/login"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = '${JSON.stringify({ email, password })}'\n`,
  };
  console.log('\nround  work     requests/s       p99   node µs   postgres µs   commit ms   streams/commit   bad');
  for (let round = 0; round <= rounds; round++) {
    for (const work of works) {
      const logBefore = await commits(node), before = cpu(node);
      const result = await wrk(node, scripts[work], { connections, seconds });
      const after = cpu(node), logAfter = await commits(node);
      const each = (ms) => (1000 * ms / Math.max(result.requests, 1)).toFixed(0), batches = logAfter.count - logBefore.count;
      console.log(`${(round === 0 ? 'warm' : String(round)).padEnd(6)} ${work.padEnd(8)} ${result.rps.toFixed(0).padStart(10)} ${`${result.p99.toFixed(2)}ms`.padStart(9)} ${each(after.node - before.node).padStart(9)} ${each(after.postgres - before.postgres).padStart(13)} `
        + `${(batches ? 1000 * (logAfter.seconds - logBefore.seconds) / batches : 0).toFixed(2).padStart(11)} ${(batches ? (logAfter.streams - logBefore.streams) / batches : 0).toFixed(1).padStart(16)} ${String(result.bad).padStart(5)}`);
    }
  }
});
