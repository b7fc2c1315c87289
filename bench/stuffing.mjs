#!/usr/bin/env node
// What a stuffing run takes from everybody else: creates at a fixed rate, alone and beside logins with wrong passwords over many addresses.
//   node bench/stuffing.mjs [--logins 200] [--accounts 50] [--rate 300] [--seconds 6] [--rounds 10]
// Limits are raised so far that they hide nothing: what bounds the work is the bench's subject.
// Needs node 20, dotnet and PostgreSQL's server programs. Loopback only; everything it starts it ends.
import { fork } from 'node:child_process';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { header, main, median, number, quantile, sleep, startNode, startPostgres } from './common.mjs';

const logins = number('logins', 200), accounts = number('accounts', 50), rate = number('rate', 300), seconds = number('seconds', 6), rounds = number('rounds', 10);
const body = '{"name":"hello world","metadata":{"a":1,"b":"two","c":[1,2,3]}}';
const agent = new Agent({ keepAlive: true, maxSockets: 2000 });

/** Offers creates from a process of its own; gives what became of them. */
async function offer(node, seconds) {
  const child = fork(fileURLToPath(new URL('offer.mjs', import.meta.url)));
  const account = new Promise((resolve, reject) => child.once('message', resolve).once('error', reject).once('exit', (code) => reject(new Error(`the load ended with ${code}`))));
  child.send({ base: node.base, token: node.token, body, rate, seconds });
  return await account;
}

/** Tries passwords at a fixed rate, half of them for addresses that have accounts, until it is stopped; gives the statuses and the times of those that were hashed. */
function stuff(node) {
  const { hostname, port } = new URL(node.base), statuses = {}, times = [], started = performance.now();
  let sent = 0, open = 0;
  const timer = setInterval(() => {
    for (const due = (performance.now() - started) * logins / 1000; sent < due; sent++, open++) {
      const text = JSON.stringify({ email: `${sent % 2 ? 'nobody' : 'user'}${sent % accounts}@example.org`, password: `a wrong password ${sent}` }), at = performance.now();
      const done = (status) => { open--; statuses[status] = (statuses[status] ?? 0) + 1; if (status === 401) times.push(performance.now() - at); };
      request({ agent, hostname, port, method: 'POST', path: '/api/v1/auth/login', headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } },
        (answer) => answer.on('end', () => done(answer.statusCode)).resume()).on('error', () => done('error')).end(text);
    }
  }, 2);
  return async () => {
    clearInterval(timer);
    for (const end = Date.now() + 30_000; open > 0 && Date.now() < end;) await sleep(20);
    return { statuses, times };
  };
}

await main(20, async () => {
  header();
  const node = await startNode({ database: await startPostgres() });
  for (let i = 0; i < accounts; i++) {
    const made = await node.send('POST', '/users', { email: `user${i}@example.org`, password: 'nine pigs saw a grey kettle' });
    if (made.status !== 201) throw new Error(`an account was answered ${made.status}`);
  }
  const stop = stuff(node);
  await offer(node, 20);
  await stop();
  const ratios = [], all = {}, times = [];
  for (let round = 0; round <= rounds; round++) {
    const figures = {};
    for (const beside of round % 2 ? [true, false] : [false, true]) {
      const stop = beside ? stuff(node) : undefined;
      if (beside) await sleep(500);
      const account = await offer(node, seconds);
      if (account.bad) { console.log(`wrong: ${account.bad} of ${account.sent} creates`); process.exitCode = 1; }
      figures[beside] = account;
      if (!stop) continue;
      const run = await stop();
      times.push(...run.times);
      for (const [status, count] of Object.entries(run.statuses)) all[status] = (all[status] ?? 0) + count;
    }
    console.log(`${round === 0 ? '\n' : ''}${rate} creates/s: p50 ${figures[false].p50.toFixed(1)} p99 ${figures[false].p99.toFixed(1)} ms; beside ${logins} logins/s p50 ${figures[true].p50.toFixed(1)} p99 ${figures[true].p99.toFixed(1)} ms`);
    if (round > 0) ratios.push(figures[true].p99 / figures[false].p99);
  }
  console.log(`p99 beside the stuffing run: ${median(ratios).toFixed(2)} times that without (median of ${ratios.length}, after one to warm up; ${ratios.map((each) => each.toFixed(2)).join(', ')})`);
  console.log(`logins: ${Object.entries(all).map(([status, count]) => `${count} × ${status}`).join(', ')}; hashed ones p50 ${quantile(times, 0.5).toFixed(0)} p99 ${quantile(times, 0.99).toFixed(0)} ms`);
  if (Object.keys(all).some((status) => status !== '401' && status !== '503')) process.exitCode = 1;
});
