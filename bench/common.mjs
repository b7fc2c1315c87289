// What the benchmarks share: options, a throw-away PostgreSQL, nodes, wrk, psql and /metrics. Everything on loopback, and ended with the run.
import { spawn, spawnSync, execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
// It costs less CPU than fetch does: the load and the node share a machine.
const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
const program = join(root, 'src/Api/bin/Release/net10.0/Resources.Api.dll');
export const email = 'bench@example.com', password = 'nine pigs saw a grey kettle';

export const option = (name, fallback) => { const i = process.argv.indexOf('--' + name); return i < 0 ? fallback : process.argv[i + 1]; };
export const flag = (name) => process.argv.includes('--' + name);
export const number = (name, fallback) => {
  const value = Number(option(name, fallback));
  if (!(value > 0)) throw new Error(`--${name} takes a number above 0`);
  return value;
};
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const quantile = (values, q) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))];
/** Random numbers from 0 to 1, the same ones for the same seed. */
export function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
export const median = (values) => quantile(values, 0.5);

/** Asks again and again until there is an answer; an error counts as none, unless it is marked as final. */
export async function until(what, check, seconds = 120, every = 200) {
  for (const end = Date.now() + 1000 * seconds; ;) {
    const answer = await Promise.resolve().then(check).catch((error) => { if (error.final) throw error; });
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`);
    await sleep(every);
  }
}

/** What figures mean something beside: the commit, the machine with its load by others, and the command. */
export function header() {
  const git = (...words) => execFileSync('git', words, { cwd: root, encoding: 'utf8' }).trim();
  console.log(`commit   ${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain') ? ' with changes' : ''}`);
  console.log(`machine  ${cpus().length} × ${cpus()[0].model}, ${Math.round(totalmem() / 2 ** 30)} GiB, load before ${loadavg()[0].toFixed(2)}`);
  console.log(`command  node bench/${basename(process.argv[1])} ${process.argv.slice(2).join(' ')}`);
}

// ---- The run and its end ----

const closers = [], children = new Set();
let folder, ended;

/** The run's folder, removed at the end. */
export function scratch() {
  if (!folder) chmodSync(folder = mkdtempSync(join(tmpdir(), 'bench-')), 0o755);
  return folder;
}

/** Runs a benchmark, for so many minutes at most, and ends whatever it has started. */
export async function main(minutes, run) {
  const stop = (why, code) => {
    if (!ended) console.error(why?.stack ?? why);
    end().then(() => process.exit(code));
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stop(signal, 130));
  for (const fault of ['uncaughtException', 'unhandledRejection']) process.on(fault, (error) => stop(error, 1));
  const limit = setTimeout(() => stop(`ended after ${minutes} minutes`, 1), 60_000 * minutes);
  try {
    await run();
  } catch (error) {
    if (!ended) console.error(error.stack);
    process.exitCode = 1;
  }
  clearTimeout(limit);
  await end();
  process.exit();
}

export const end = () => ended ??= (async () => {
  for (const child of children) child.kill('SIGTERM');
  while (closers.length) await Promise.resolve(closers.pop()()).catch((error) => console.error(error.message));
  if (folder) rmSync(folder, { recursive: true, force: true });
})();

/** Starts a program and gives its output; one that fails is an error. */
function output(command, args, { input = '', env = process.env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env });
    let [out, errors] = ['', ''];
    children.add(child);
    child.stdout.on('data', (data) => { out += data; });
    child.stderr.on('data', (data) => { errors = (errors + data).slice(-4000); });
    child.on('error', reject).on('close', (code) => {
      children.delete(child);
      if (code === 0) resolve(out); else reject(new Error(`${basename(command)} ended with ${code}\n${errors}`));
    });
    child.stdin.on('error', () => {}).end(input);
  });
}

const freePort = () => new Promise((resolve, reject) => {
  const server = createServer().on('error', reject).listen(0, '127.0.0.1', () => { const { port } = server.address(); server.close(() => resolve(port)); });
});

// ---- PostgreSQL ----

function postgresProgram(name) {
  const homes = ['/usr/lib/postgresql', '/opt/homebrew/opt', '/usr/local/opt'].filter(existsSync);
  return homes.flatMap((home) => readdirSync(home).map((version) => join(home, version, 'bin', name))).filter(existsSync).sort().pop() ?? name;
}

/** A throw-away server of this run alone; as root it runs as the user postgres. Gives its address. */
export async function startPostgres() {
  const data = join(scratch(), 'postgres'), port = await freePort(), isRoot = process.getuid() === 0;
  const run = (name, ...args) => {
    const [command, ...rest] = [...(isRoot ? ['runuser', '-u', 'postgres', '--'] : []), postgresProgram(name), ...args];
    execFileSync(command, rest, { stdio: ['ignore', 'ignore', 'inherit'], cwd: '/' });
  };
  const stop = () => { if (existsSync(join(data, 'postmaster.pid'))) run('pg_ctl', '-D', data, '-m', 'immediate', 'stop'); };
  const start = () => run('pg_ctl', '-D', data, '-l', join(data, 'log'), '-w', '-o',
    `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c shared_buffers=2GB -c max_wal_size=4GB -c max_connections=300`, 'start');
  if (isRoot) execFileSync('install', ['-d', '-o', 'postgres', data]);
  run('initdb', '-D', data, '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--locale=C');
  closers.push(stop);
  start();
  server = { stop, start, pid: () => Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0]) };
  return `postgresql://postgres@127.0.0.1:${port}/postgres`;
}

let server;

/** Stops the run's server as a crash would, and starts it again. */
export function crashPostgres() {
  server.stop();
  server.start();
}

/** Halts every process of the run's server for so many milliseconds. */
export async function pausePostgres(ms) {
  const parent = server.pid();
  const parentOf = (pid) => { try { return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')[1]); } catch { return 0; } };
  const all = [parent, ...readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === parent).map(Number)];
  const signal = (name) => { for (const pid of all) try { process.kill(pid, name); } catch { /* It has ended. */ } };
  signal('SIGSTOP');
  try { await sleep(ms); } finally { signal('SIGCONT'); }
}

/** psql's arguments and environment; a password does not belong among arguments. */
function psqlOf(url, ...args) {
  const address = new URL(url), { password: secret } = address;
  address.password = '';
  const env = secret ? { ...process.env, PGPASSWORD: decodeURIComponent(secret) } : process.env;
  return [postgresProgram('psql'), ['-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', address.href, ...args], { env }];
}

/** Runs SQL and gives what it prints: rows as lines, columns joined by |. */
export const psql = async (url, sql) => {
  const [command, args, { env }] = psqlOf(url);
  return (await output(command, args, { env, input: sql })).trimEnd();
};

/** The rows of a query with one column, a JSON object each, as a stream. */
export async function* jsonRows(url, query) {
  // JSON has no raw control characters: with these two as quote and delimiter every line is the object as it is.
  const child = spawn(...psqlOf(url, '-c', `copy (${query}) to stdout (format csv, quote e'\\x01', delimiter e'\\x02')`));
  const done = new Promise((resolve) => child.on('close', resolve));
  children.add(child);
  child.stderr.pipe(process.stderr);
  for await (const line of createInterface({ input: child.stdout })) yield JSON.parse(line);
  children.delete(child);
  if (await done !== 0) throw new Error('psql failed');
}

/** Looks at one row again and again, without a node between; gives a function that ends it. */
export function watchRow(url, query, seconds, seen) {
  const child = spawn(...psqlOf(url));
  children.add(child);
  createInterface({ input: child.stdout }).on('line', (line) => { if (line.startsWith('>|')) seen(line.slice(2).split('|')); });
  child.stdin.on('error', () => {}).write(`select '>', row.* from (${query}) row \\watch ${seconds}\n`);
  return () => { children.delete(child); child.kill('SIGTERM'); };
}

// ---- Nodes ----

let isBuilt = false;
function build() {
  if (isBuilt) return;
  const result = spawnSync('dotnet', ['build', '-c', 'Release', 'src/Api', '-v', 'q'], { cwd: root, encoding: 'utf8' });
  if (result.status !== 0) throw new Error('the build failed\n' + result.stdout);
  isBuilt = true;
}

function settings(database) {
  const env = {
    ...process.env, ASPNETCORE_ENVIRONMENT: 'Production', Secrets__MasterKey: Buffer.alloc(32, 7).toString('base64'),
    Bootstrap__AdminEmail: email, Bootstrap__AdminPassword: password,
    RateLimits__Default__Permits: '1000000000', RateLimits__Streams__Permits: '1000000000', RateLimits__Login__Permits: '1000000000', RateLimits__LoginPair__Permits: '1000000000', RateLimits__LoginAccount__Permits: '1000000000', Shutdown__DrainSeconds: '0',
    // No token expires in the middle of a measurement.
    Tokens__AccessMinutes: '60',
    // All clients of a measurement have one address.
    Overload__MaxPercentPerAddress: '100', Overload__MaxConnectionsPerAddress: '20000',
  };
  if (!database) return { ...env, Embedded__DataDirectory: join(scratch(), 'data') };
  const { hostname, port, username, pathname } = new URL(database);
  return { ...env, ConnectionStrings__Resources: `Host=${hostname};Port=${port};Username=${username};Database=${pathname.slice(1)}` };
}

/** Makes the tables, so that a log can be filled before a node follows it. */
export async function migrate(database) {
  build();
  await output('dotnet', [program, 'migrate'], { env: settings(database) });
}

/** Starts a node (Release build) on a database, or on an embedded one in the run's folder, and signs in as its administrator.
 *  `through` is a command that starts what follows it, in the same process. */
export async function startNode({ database, env = {}, through = [] } = {}) {
  build();
  const node = new Node(`http://127.0.0.1:${await freePort()}`, { ...settings(database), ...env }, through);
  closers.push(() => node.stop());
  await node.start();
  return node;
}

class Node {
  log = '';

  constructor(base, env, through) { [this.base, this.env, this.through] = [base, { ...env, ASPNETCORE_URLS: base }, through]; }

  get pid() { return this.child.pid; }

  async start() {
    const [command, ...words] = [...this.through, 'dotnet', program];
    this.child = spawn(command, words, { env: this.env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.closed = new Promise((resolve) => this.child.on('close', resolve));
    for (const stream of [this.child.stdout, this.child.stderr]) stream.on('data', (data) => { this.log = (this.log + data).slice(-8000); });
    this.token = await until('the node', async () => {
      if (this.child.exitCode !== null) throw Object.assign(new Error('the node ended\n' + this.log), { final: true });
      return (await this.send('POST', '/auth/login', { email, password })).data?.accessToken;
    });
  }

  /** Ends it and waits for that; one that does not go is killed. */
  async stop(signal = 'SIGTERM') {
    if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill(signal);
    const patience = setTimeout(() => this.child.kill('SIGKILL'), 20_000);
    await this.closed;
    clearTimeout(patience);
  }

  /** One request under /api/v1, with whatever it answers; an object as body is sent as JSON. */
  async send(method, path, body, headers = {}, patience = 30_000) {
    const payload = body && JSON.stringify(body);
    const { answer, text } = await new Promise((resolve, reject) => {
      const asked = request(`${this.base}/api/v1${path}`, {
        method, agent, signal: AbortSignal.timeout(patience),
        headers: {
          ...(this.token ? { authorization: 'Bearer ' + this.token } : {}),
          ...(payload ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) } : {}), ...headers,
        },
      }, (answer) => {
        const parts = [];
        answer.on('data', (part) => parts.push(part)).on('error', reject).on('end', () => resolve({ answer, text: Buffer.concat(parts).toString() }));
      });
      asked.on('error', reject).end(payload);
    });
    return { status: answer.statusCode, position: Number(answer.headers.position ?? NaN), ...(text ? JSON.parse(text) : {}) };
  }

  async get(path) {
    const answer = await this.send('GET', path);
    if (answer.status !== 200) throw new Error(`GET ${path} answered ${answer.status}: ${JSON.stringify(answer).slice(0, 500)}`);
    return answer;
  }

  follower = async () => (await this.get('/admin/followers')).data.find((each) => each.name === 'resource_views');

  /** Rebuilds the read model of lists and waits until the new generation answers. */
  async rebuild(seconds) {
    const asked = await this.send('POST', '/admin/followers/resource_views/rebuild');
    if (asked.status !== 202) throw new Error(`the rebuild was answered ${asked.status}`);
    const { generation } = asked.data;
    const done = await until('the rebuild', async () => {
      const now = await this.follower();
      return (now.generation > generation || now.rebuildFault) && now;
    }, seconds);
    if (done.rebuildFault) throw new Error('the rebuild was given up: ' + done.rebuildFault);
    return done;
  }
}

// ---- Load ----

function milliseconds(text) {
  const [, value, unit] = text?.match(/^([\d.]+)(us|ms|s|m)$/) ?? [];
  return value ? Number(value) * { us: 0.001, ms: 1, s: 1000, m: 60_000 }[unit] : NaN;
}
let scripts = 0;

/** Runs wrk with a Lua script. Times are milliseconds; bad answers are those other than 2xx and 3xx, and requests without one. */
export async function wrk(node, script, { connections = 64, seconds = 6 } = {}) {
  const file = join(scratch(), `${++scripts}.lua`);
  writeFileSync(file, `wrk.headers["Authorization"] = "Bearer ${node.token}"\n${script}`);
  const text = await output('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '20s', '--latency', '-s', file, node.base + '/api/v1/resources']);
  const percentile = (p) => milliseconds(text.match(new RegExp(`^\\s+${p}%\\s+(\\S+)`, 'm'))?.[1]);
  const requests = Number(text.match(/(\d+) requests in/)?.[1] ?? 0);
  const errors = text.match(/Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/)?.slice(1) ?? [];
  return {
    requests, rps: requests / seconds, mean: milliseconds(text.match(/^\s+Latency\s+(\S+)/m)?.[1]), p50: percentile(50), p99: percentile(99),
    bad: errors.reduce((sum, each) => sum + Number(each), Number(text.match(/Non-2xx or 3xx responses: (\d+)/)?.[1] ?? 0)),
  };
}

/** CPU milliseconds so far of a node and of its PostgreSQL, from /proc: that of the run, or one embedded in the node. `folder` is the run's that started it. */
export function cpu(node, folder = scratch()) {
  const parents = new Map(), spent = new Map(), ended = new Map();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8'), fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      parents.set(Number(pid), Number(fields[1]));
      spent.set(Number(pid), (Number(fields[11]) + Number(fields[12])) * 10);
      // What its children had spent that have ended.
      ended.set(Number(pid), (Number(fields[13]) + Number(fields[14])) * 10);
    } catch { /* It ended while we looked. */ }
  }
  const postmaster = server ? server.pid() : Number(readFileSync(join(folder, 'data/postgres/postmaster.pid'), 'utf8').split('\n')[0]);
  // A backend that has ended counts with the postmaster: it would lower the sum.
  let postgres = ended.get(postmaster) ?? 0;
  for (const [pid, ms] of spent) if (pid === postmaster || parents.get(pid) === postmaster) postgres += ms;
  return { node: spent.get(node.pid) ?? 0, postgres };
}

/** Creates a thousand resources and gives the wrk scripts of the workloads, by name. */
export async function workloads(node) {
  const body = { name: 'hello world', metadata: { a: 1, b: 'two', c: [1, 2, 3] } }, ids = [];
  for (let i = 0; i < 1000; i += 20) ids.push(...await Promise.all(Array.from({ length: 20 }, async () => (await node.send('POST', '/resources', body)).data.id)));
  const pick = `local ids = {${ids.map((id) => `"${id}"`).join(',')}}\nlocal function pick() return ids[math.random(#ids)] end\n`;
  const post = (path, value) => `wrk.method = "POST"\nwrk.path = "/api/v1${path}"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = '${JSON.stringify(value)}'\n`;
  return {
    create: post('/resources', body),
    get: `${pick}request = function() return wrk.format("GET", "/api/v1/resources/" .. pick()) end\n`,
    patch: `${pick}wrk.headers["Content-Type"] = "application/merge-patch+json"\nlocal n = 0\nrequest = function() n = n + 1 return wrk.format("PATCH", "/api/v1/resources/" .. pick(), nil, '{"name":"renamed ' .. n .. '"}') end\n`,
    list: 'request = function() return wrk.format("GET", "/api/v1/resources?limit=20&status=active") end\n',
    login: `${post('/auth/login', { email: node.env.Bootstrap__AdminEmail, password: node.env.Bootstrap__AdminPassword })}wrk.headers["Authorization"] = nil\n`,
  };
}

// ---- Metrics ----

/** The samples of /metrics of some nodes: name, labels as text, value. */
export async function scrape(...nodes) {
  await sleep(400); // An answer is kept for others for 300 ms.
  const texts = await Promise.all(nodes.map(async (node) => (await fetch(node.base + '/metrics', { signal: AbortSignal.timeout(10_000) })).text()));
  return texts.flatMap((text) => [...text.matchAll(/^([a-zA-Z_:]\w*)(?:\{(.*)\})? (\S+)/gm)])
    .map(([, name, labels, value]) => ({ name, labels: labels ?? '', value: Number(value) }));
}

export const total = (samples, name) => samples.filter((sample) => sample.name === name).reduce((sum, sample) => sum + sample.value, 0);

/** What a histogram has counted between two scrapes, all label sets together: its number of values, and their quantiles by linear interpolation in a bucket. */
export function histogram(before, after, name) {
  const counts = new Map();
  for (const [samples, sign] of [[after, 1], [before, -1]])
    for (const { labels, value } of samples.filter((sample) => sample.name === name + '_bucket')) {
      const bound = labels.match(/le="([^"]+)"/)[1], le = bound === '+Inf' ? Infinity : Number(bound);
      counts.set(le, (counts.get(le) ?? 0) + sign * value);
    }
  const buckets = [...counts].sort(([a], [b]) => a - b), count = buckets.at(-1)?.[1] ?? 0;
  return {
    count,
    quantile(q) {
      if (count === 0) return NaN;
      const at = buckets.findIndex(([, below]) => below >= q * count), [high, below] = buckets[at], [low, under] = at > 0 ? buckets[at - 1] : [0, 0];
      return high === Infinity ? Infinity : low + (high - low) * (below === under ? 1 : (q * count - under) / (below - under));
    },
  };
}
