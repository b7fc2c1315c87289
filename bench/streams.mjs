#!/usr/bin/env node
// How soon streams have an event, and what many of them cost.
//   node bench/streams.mjs [--part latency,many,stopped] [--seconds 10] [--subscribers 1000] [--rate 20] [--protocol events,graphql]
//     latency   events at half of what a node can create, and how soon a stream at that node, and at another, has them
//     many      memory of idle streams, then --rate events/s to each of --subscribers: does each get every event?
//     stopped   how soon others have an event while 50 readers have stopped reading
// The first two compare the streams of events with subscriptions of GraphQL.
// Needs node 20, dotnet, wrk and PostgreSQL's server programs. Loopback only; everything it starts it ends.
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { cpu, header, main, median, number, option, quantile, sleep, startNode, startPostgres, until, wrk } from './common.mjs';

const parts = option('part', 'latency,many,stopped').split(','), seconds = number('seconds', 10), subscribers = number('subscribers', 1000), slow = number('rate', 20), protocols = option('protocol', 'events,graphql').split(',');
const body = '{"name":"hello world","metadata":{"a":1,"b":"two","c":[1,2,3]}}', connections = 64;
const createScript = `wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = '${body}'\n`;
const agent = new Agent({ maxSockets: Infinity });
const now = () => performance.timeOrigin + performance.now();

/** Opens a stream of what is to come; calls back for each event with its position and the milliseconds since it was appended. */
function subscribe(node, seen = () => {}, protocol = 'events') {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(node.base), headers = { accept: 'text/event-stream', authorization: `Bearer ${node.token}` };
    const asked = protocol === 'events' ? { path: '/api/v1/events?after=now', headers } : { path: '/api/v1/graphql', method: 'POST', headers: { ...headers, 'content-type': 'application/json' } };
    const one = request({ agent, hostname, port, ...asked }, (answer) => {
      if (answer.statusCode !== 200) return reject(new Error(`a stream was answered ${answer.statusCode}`));
      let rest = '';
      answer.setEncoding('latin1').on('data', (data) => {
        const at = now(), items = (rest + data).split('\n\n');
        rest = items.pop();
        for (const item of items) {
          if (item.startsWith('id: ') && /event: (resource\.|next)/.test(item)) seen(Number(item.slice(4, item.indexOf('\n'))), at - Date.parse(item.match(/"time":"([^"]+)"/)[1]));
          else if (item.includes('event: caught-up')) resolve(stream);
        }
      }).on('error', () => {});
      const stream = { pause: () => answer.socket.pause(), close: () => one.destroy() };
      // A subscription begins at the head that it was opened at.
      if (protocol === 'graphql') resolve(stream);
    }).on('error', reject).end(protocol === 'graphql' ? JSON.stringify({ query: 'subscription { events { position type time resource } }' }) : undefined);
  });
}

/** Offers creates from a process of its own; gives what became of them. */
async function offer(node, rate, seconds) {
  const child = fork(fileURLToPath(new URL('offer.mjs', import.meta.url)));
  const account = new Promise((resolve, reject) => child.once('message', resolve).once('error', reject).once('exit', (code) => reject(new Error(`the load ended with ${code}`))));
  child.send({ base: node.base, token: node.token, body, rate, seconds });
  return await account;
}

const row = (what, delays) => console.log(`${what.padEnd(44)} p50 ${quantile(delays, 0.5).toFixed(1).padStart(6)} ms   p99 ${quantile(delays, 0.99).toFixed(1).padStart(6)} ms   most ${Math.max(...delays.slice(-50_000)).toFixed(0).padStart(5)} ms   ${delays.length} events`);
const fail = (what) => { console.log(`wrong: ${what}`); process.exitCode = 1; };

async function latency(nodes) {
  await wrk(nodes[0], createScript, { connections, seconds: 10 });
  const capacity = await wrk(nodes[0], createScript, { connections, seconds: 6 });
  await sleep(1000); // Its last requests are answered by then.
  console.log(`\ncapacity ${capacity.rps.toFixed(0)} creates/s with both nodes up; offered half of it to the first`);
  const places = nodes.flatMap((node, i) => protocols.map((protocol) => ({ node, protocol, what: `${protocol} at ${i ? 'another node' : 'the node of the appends'}`, delays: [] }))), streams = [];
  for (const { node, protocol, delays } of places) streams.push(await subscribe(node, (_, delay) => delays.push(delay), protocol));
  const account = await offer(nodes[0], capacity.rps / 2, seconds);
  await until('all events', () => places.every(({ delays }) => delays.length >= account.sent - account.bad), 20);
  await sleep(500);
  for (const { what, delays } of places) row(what, delays);
  console.log(`offered ${account.offered.toFixed(0)}/s, ${account.bad} of ${account.sent} bad; creates p50 ${account.p50.toFixed(1)} p99 ${account.p99.toFixed(1)} ms`);
  if (account.bad || places.some(({ delays }) => delays.length !== account.sent)) fail(`${places.map(({ delays }) => delays.length)} of ${account.sent} events`);
  for (const stream of streams) stream.close();
}

const resident = (node) => Number(readFileSync(`/proc/${node.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]);

async function many(node, protocol) {
  await offer(node, 200, 5);
  const counts = new Map(), delays = [], streams = [], before = resident(node);
  for (let i = 0; i < subscribers; i++) {
    counts.set(i, []);
    streams.push(await subscribe(node, (position, delay) => { counts.get(i).push(position); if (i % 50 === 0) delays.push(delay); }, protocol));
  }
  await sleep(3000);
  console.log(`\n${subscribers} idle streams (${protocol}): ${((resident(node) - before) / subscribers).toFixed(1)} KiB of resident memory each`);
  const used = cpu(node).node, account = await offer(node, slow, seconds);
  const all = await until('every event at every stream', () => [...counts.values()].every((each) => each.length >= account.sent) && [...counts.values()], 60).catch(() => [...counts.values()]);
  row(`${slow} events/s to each of ${subscribers}`, delays);
  console.log(`the node used ${((cpu(node).node - used) / seconds / 1000).toFixed(2)} cores meanwhile`);
  const first = all[0].join();
  console.log(`${all.filter((each) => each.join() === first && each.length === account.sent).length} of ${subscribers} streams have each of ${account.sent} events once and in order`);
  if (account.bad || all.some((each) => each.join() !== first || each.length !== account.sent)) fail('a stream lacks events');
  for (const stream of streams) stream.close();
  await sleep(3000);
  console.log(`after they were closed: ${((resident(node) - before) / 1024).toFixed(0)} MiB more resident than before`);
}

async function stopped(node) {
  await wrk(node, createScript, { connections, seconds: 6 });
  const rate = (await wrk(node, createScript, { connections, seconds: 4 })).rps / 4, ratios = [];
  for (let round = 0; round < 9; round++) {
    const figures = [];
    for (const count of round % 2 ? [50, 0] : [0, 50]) {
      const readers = [], delays = [], ten = [];
      for (let i = 0; i < count; i++) { const reader = await subscribe(node); reader.pause(); readers.push(reader); }
      for (let i = 0; i < 10; i++) ten.push(await subscribe(node, (_, delay) => delays.push(delay)));
      await offer(node, rate, Math.min(seconds, 6));
      await sleep(500);
      figures[count ? 1 : 0] = quantile(delays, 0.99);
      for (const stream of [...readers, ...ten]) stream.close();
    }
    console.log(`${round === 0 ? '\n' : ''}10 streams at ${rate.toFixed(0)} events/s: p99 ${figures[0].toFixed(1)} ms; beside 50 stopped readers ${figures[1].toFixed(1)} ms`);
    if (round > 0) ratios.push(figures[1] / figures[0]);
  }
  console.log(`p99 beside stopped readers: ${median(ratios).toFixed(2)} times that without (median of ${ratios.length}, after one to warm up)`);
}

await main(20, async () => {
  header();
  const database = await startPostgres(), nodes = [await startNode({ database })];
  if (parts.includes('latency')) {
    nodes.push(await startNode({ database }));
    await latency(nodes);
    await nodes.pop().stop();
  }
  if (parts.includes('many')) for (const protocol of protocols) await many(nodes[0], protocol);
  if (parts.includes('stopped')) await stopped(nodes[0]);
});
