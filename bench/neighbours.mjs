#!/usr/bin/env node
// What an ordinary account notices of an attacker: 50 writes and 50 reads a second, alone and beside each attack of attacks.mjs.
//   node bench/neighbours.mjs [--seconds 60] [--events 300000] [--only bodies,pages,patches,webhooks,streams,searches,documents,logins,names]
// One node with the heap of the compose file. The p99 beside an attack is at most three times that alone, or 100 ms; no request is refused; the
// node is ready all the time, and in at most 768 MiB of memory. Exits with 1 where that does not hold. As root, with unshare: names are
// looked up at a server that says nothing. Loopback only; everything it starts it ends.
import { fork } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { names as all } from './attacks.mjs';
import { header, main, migrate, number, option, psql, quantile, scratch, sleep, startNode, startPostgres, until } from './common.mjs';
import { seed } from './seed.mjs';

const seconds = number('seconds', 60), events = number('events', 300_000), rate = 50, only = option('only', all.join(',')).split(',');
const ratio = 3, floor = 100, memory = 768;
if (only.some((name) => !all.includes(name))) throw new Error(`--only takes ${all.join(', ')}`);

/** Requests of an account at a fixed rate each, timed from when they were due. */
async function neighbour(node, token, seconds) {
  const agent = new Agent({ keepAlive: true, maxSockets: 500 }), { hostname, port } = new URL(node.base), times = { write: [], read: [] }, refused = {}, ids = [];
  let open = 0;
  const send = (kind, due) => {
    const body = kind === 'write' ? '{"name":"ordinary","type":"ordinary"}' : undefined, path = kind === 'write' ? '' : times.read.length % 2 && ids.length ? '/' + ids.at(-1) : '?type=ordinary';
    open++;
    const done = (status, text) => {
      open--;
      times[kind].push(performance.now() - due);
      if (status === 201) ids.push(JSON.parse(text).data.id);
      else if (status !== 200) {
        const why = typeof status === 'number' ? `${status} ${text.match(/"code":"(\w+)"/)?.[1] ?? ''}` : status;
        refused[why] = (refused[why] ?? 0) + 1;
      }
    };
    request({ agent, hostname, port, method: body ? 'POST' : 'GET', path: '/api/v1/resources' + path, timeout: 20_000, headers: { authorization: 'Bearer ' + token, ...(body ? { 'content-type': 'application/json', 'content-length': body.length } : {}) } },
      (answer) => { let text = ''; answer.on('data', (data) => { text += data; }).on('end', () => done(answer.statusCode, text)).on('error', () => done('cut')); })
      .on('timeout', function () { this.destroy(); }).on('error', () => done('none')).end(body);
  };
  const started = performance.now();
  for (let sent = 0; performance.now() - started < 1000 * seconds; await sleep(1))
    for (const due = (performance.now() - started) * rate / 1000; sent < due; sent++) for (const kind of ['write', 'read']) send(kind, started + 1000 * sent / rate);
  for (const end = Date.now() + 25_000; open > 0 && Date.now() < end;) await sleep(20);
  return { write: quantile(times.write, 0.99), read: quantile(times.read, 0.99), sent: times.write.length + times.read.length, refused, unanswered: open };
}

/** Watches whether the node is ready, and its memory, until it is stopped. */
function watch(node) {
  let over = false, ready = 0, asked = 0, most = 0;
  const watching = (async () => {
    while (!over) {
      asked++;
      const answer = await fetch(node.base + '/health/ready', { signal: AbortSignal.timeout(5000) }).catch(() => undefined);
      if (answer?.status === 200) ready++;
      const found = readFileSync(`/proc/${node.pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+)/m);
      most = Math.max(most, Number(found?.[1] ?? 0) / 1024);
      await sleep(250);
    }
  })();
  return async () => { over = true; await watching; return { ready, asked, memory: most }; };
}

/** A name server on loopback that takes questions and says nothing, and a file that names it. */
async function silence() {
  const server = createSocket('udp4').unref();
  await new Promise((resolve, reject) => server.on('error', reject).bind(53, '127.0.4.1', resolve));
  const file = join(scratch(), 'resolv.conf');
  writeFileSync(file, 'nameserver 127.0.4.1\n');
  return ['unshare', '--mount', 'sh', '-c', 'mount --bind "$0" /etc/resolv.conf && exec "$@"', file];
}

async function account(node, name, role) {
  const [email, password] = [`${name}@example.org`, 'nine pigs saw a grey kettle'];
  const made = await node.send('POST', '/users', { email, password, roles: [role] });
  if (made.status !== 201) throw new Error(`an account was answered ${made.status}`);
  return (await node.send('POST', '/auth/login', { email, password })).data.accessToken;
}

await main(20 + all.length * seconds / 30, async () => {
  header();
  const database = await startPostgres();
  await migrate(database);
  await seed(database, events);
  const node = await startNode({
    database, through: only.includes('names') ? await silence() : [],
    env: { DOTNET_GCHeapHardLimit: '0x1C000000', Overload__MaxPercentPerAddress: '50', Overload__MaxConnectionsPerAddress: '2000', RateLimits__Login__Permits: '20', RateLimits__LoginAccount__Permits: '10', Webhooks__AllowedNetworks: '127.0.3.0/24', Tokens__AccessMinutes: '60' },
  });
  await node.rebuild(60 + events / 1000);
  await psql(database, 'vacuum (analyze)');
  const [ordinary, attacker] = [await account(node, 'ordinary', 'admin'), await account(node, 'attacker', 'admin')];
  if (only.includes('pages')) for (let i = 0; i < 60; i++) await node.send('POST', '/resources', { type: 'large', name: 'large', metadata: { text: 'x'.repeat(1_000_000) } });
  await neighbour(node, ordinary, 10);
  const row = (...columns) => console.log(columns.map((column, i) => i ? String(column).padStart(15) : column.padEnd(11)).join(''));
  row('\nbeside', 'writes p99', 'alone', 'reads p99', 'alone', 'refused', 'ready', 'memory', '  attack');
  for (const attack of only) {
    const alone = await neighbour(node, ordinary, Math.min(seconds, 15));
    const child = fork(fileURLToPath(new URL('attacks.mjs', import.meta.url)));
    let statuses = {};
    child.on('message', (found) => { statuses = found; });
    child.send({ attack, base: node.base, account: attacker });
    const stop = watch(node), beside = await neighbour(node, ordinary, seconds), seen = await stop();
    child.kill('SIGKILL');
    const refused = Object.values(beside.refused).reduce((sum, each) => sum + each, 0) + beside.unanswered;
    row(attack, ...['write', 'read'].flatMap((kind) => [`${beside[kind].toFixed(0)} ms`, `${alone[kind].toFixed(0)} ms`]), `${refused}/${beside.sent}`, `${seen.ready}/${seen.asked}`, `${seen.memory.toFixed(0)} MiB`, '  ' + JSON.stringify(statuses));
    const faults = [
      ...['write', 'read'].filter((kind) => beside[kind] > Math.max(floor, ratio * alone[kind])).map((kind) => `${kind}s take too long`),
      ...refused ? [`requests were refused: ${JSON.stringify(beside.refused)}`] : [],
      ...seen.ready < seen.asked ? ['the node was not ready'] : [],
      ...seen.memory > memory ? ['the node took too much memory'] : [],
    ];
    if (faults.length) { console.log(`  wrong: ${faults.join('; ')}`); process.exitCode = 1; }
    await until('quiet after ' + attack, async () => (await node.send('GET', '/me')).status === 200, 60);
  }
});
