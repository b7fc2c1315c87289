#!/usr/bin/env node
// What a node does with more than it can do: the rate of creates that it can answer, and then three times that rate, whatever becomes of it.
//   node bench/overload.mjs [--seconds 10] [--times 3] [--connections 64] [--sockets 4000] [--max <Overload:MaxRequests>]
// Needs node 20 and dotnet. Loopback only; everything it starts it ends. A request is sent when the schedule says so, and its time counts from then.
import { connect } from 'node:net';
import { header, main, number, option, quantile, sleep, startNode } from './common.mjs';

const seconds = number('seconds', 10), times = number('times', 3), connections = number('connections', 64), sockets = number('sockets', 4000);
if (option('max')) process.env.Overload__MaxRequests = option('max');

/** A connection that sends one request at a time and tells its status; 0 = no answer. */
class Client {
  constructor(port, request) {
    [this.port, this.request] = [port, request];
    this.open();
  }

  open() {
    this.text = '';
    this.socket = connect(this.port, '127.0.0.1').setNoDelay().on('data', (data) => this.read(data)).on('error', () => {}).on('close', () => { this.open(); this.end(0); });
  }

  send(done) {
    this.done = done;
    this.socket.write(this.request);
  }

  read(data) {
    this.text += data.toString('latin1');
    const head = this.text.indexOf('\r\n\r\n'), length = /^content-length: (\d+)/im.exec(this.text)?.[1];
    if (head >= 0 && this.text.length >= head + 4 + Number(length ?? 0)) this.end(Number(this.text.slice(9, 12)));
  }

  end(status) {
    const { done } = this;
    [this.done, this.text] = [undefined, ''];
    done?.(status);
  }
}

/** As many requests as so many clients get answered. */
async function capacity(clients) {
  const until = performance.now() + 1000 * seconds;
  let created = 0;
  await Promise.all(clients.map(async (client) => {
    while (performance.now() < until) if (await new Promise((resolve) => client.send(resolve)) === 201) created++;
  }));
  return created / seconds;
}

/** Requests at a rate; where no client is idle one is added. */
async function offer(clients, rate, add) {
  const idle = [...clients], planned = Math.floor(rate * seconds), answers = new Map(), started = performance.now();
  let sent = 0, answered = 0, created = 0;
  while (sent < planned) {
    for (const due = Math.min(planned, Math.floor((performance.now() - started) * rate / 1000)); sent < due; sent++) {
      const client = idle.pop() ?? (clients.length < sockets ? add() : undefined), from = started + 1000 * sent / rate;
      if (!client) { answered++; answers.set('no socket', [...answers.get('no socket') ?? [], 0]); continue; }
      client.send((status) => {
        const now = performance.now();
        answered++;
        idle.push(client);
        if (!answers.has(status)) answers.set(status, []);
        answers.get(status).push(now - from);
        if (status === 201 && now < started + 1000 * seconds) created++;
      });
    }
    await sleep(1);
  }
  const offered = sent / (performance.now() - started) * 1000;
  for (const end = Date.now() + 20_000; answered < sent && Date.now() < end;) await sleep(5);
  return { offered, goodput: created / seconds, answers, lost: sent - answered };
}

await main(20, async () => {
  header();
  const node = await startNode(), { hostname, port } = new URL(node.base), body = JSON.stringify({ name: 'hello world', metadata: { a: 1, b: 'two', c: [1, 2, 3] } });
  const request = Buffer.from(`POST /api/v1/resources HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${node.token}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  const clients = [], add = () => { const client = new Client(port, request); clients.push(client); return client; };
  while (clients.length < connections) add();
  await capacity(clients);
  const peak = await capacity(clients);
  console.log(`\ncapacity ${peak.toFixed(0)} creates/s with ${connections} connections`);
  const { offered, goodput, answers, lost } = await offer(clients, times * peak, add);
  console.log(`offered  ${offered.toFixed(0)}/s (${(offered / peak).toFixed(2)} × capacity), goodput ${goodput.toFixed(0)}/s = ${(goodput / peak).toFixed(2)} of capacity, ${clients.length} sockets, ${lost} without an answer`);
  for (const [status, taken] of answers) console.log(`${String(status).padEnd(8)} ${String(taken.length).padStart(8)}   p50 ${quantile(taken, 0.5).toFixed(0)} ms   p99 ${quantile(taken, 0.99).toFixed(0)} ms`);
  const after = await capacity(clients.slice(0, connections));
  console.log(`after    ${after.toFixed(0)} creates/s`);
  if (lost || [...answers.keys()].some((status) => status !== 201 && status !== 503)) throw new Error('Other answers than 201 and 503.');
});
