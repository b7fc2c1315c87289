#!/usr/bin/env node
// How soon lists show a write: offers half of the creates that a node can do, at a steady rate, and reads the node's own histogram of the time from append to list.
//   node bench/lag.mjs [--seconds 20] [--nodes 1]        with --nodes 2 the creates go to the node that does not run the projections
// Needs node 20, dotnet, wrk and PostgreSQL's server programs. Loopback only; everything it starts it ends.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { header, histogram, main, number, scrape, sleep, startNode, startPostgres, until, wrk } from './common.mjs';

const seconds = number('seconds', 20), count = number('nodes', 1), connections = 64, warmUp = 10, visible = 'resources_follower_visible_seconds';
const body = '{"name":"hello world","metadata":{"a":1,"b":"two","c":[1,2,3]}}';
const createScript = `wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = '${body}'\n`;
const ms = (value) => (1000 * value).toFixed(1);

/** The node that runs the projections, by the process id that the follower shows. */
async function ownerOf(nodes) {
  const { node: name } = await nodes[0].follower();
  return nodes.find((node) => name?.endsWith(':' + node.pid));
}
const caughtUp = (node) => until('the read model', async () => (await node.follower()).lag === 0, 120, 50);

/** Offers creates in a process of its own; gives its account, and the scrapes at the beginning and the end of the window. */
async function offer(nodes, node, rate) {
  const settle = 2, child = fork(fileURLToPath(new URL('offer.mjs', import.meta.url)));
  const account = new Promise((resolve, reject) => child.once('message', resolve).once('error', reject).once('exit', (code) => reject(new Error(`the load ended with ${code}`))));
  child.send({ base: node.base, token: node.token, body, rate, seconds: seconds + settle + 1 });
  await sleep(1000 * settle);
  const before = await scrape(...nodes), began = Date.now();
  await sleep(1000 * seconds);
  const after = await scrape(...nodes), window = (Date.now() - began) / 1000;
  return { before, after, window, account: await account };
}

await main(20, async () => {
  header();
  const database = await startPostgres(), nodes = [];
  for (let i = 0; i < count; i++) nodes.push(await startNode({ database }));
  const owner = await until('a node that runs the projections', () => ownerOf(nodes)), node = nodes.find((each) => count === 1 || each !== owner);

  await wrk(node, createScript, { connections, seconds: warmUp });
  const capacity = await wrk(node, createScript, { connections, seconds: Math.min(seconds, 10) });
  console.log(`\ncapacity ${capacity.rps.toFixed(0)} creates/s, ${connections} connections, p99 ${capacity.p99.toFixed(1)} ms, ${capacity.bad} bad`);
  await caughtUp(node);

  const rate = capacity.rps / 2, { before, after, window, account } = await offer(nodes, node, rate), seen = histogram(before, after, visible);
  console.log(`offered  ${account.offered.toFixed(0)} creates/s of ${rate.toFixed(0)} planned, to the node that ${node === owner ? 'runs' : 'does not run'} the projections`);
  console.log(`achieved ${account.achieved.toFixed(0)} creates/s, p50 ${account.p50.toFixed(1)} ms and p99 ${account.p99.toFixed(1)} ms from when they were due, `
    + `${account.bad} of ${account.sent} bad, at most ${account.most} at once, sent at most ${account.latest.toFixed(0)} ms late`);
  console.log(`visible  p50 ${ms(seen.quantile(0.5))} ms   p90 ${ms(seen.quantile(0.9))} ms   p99 ${ms(seen.quantile(0.99))} ms   of ${seen.count} events in ${window.toFixed(1)} s`);
  await caughtUp(node);
  if (await ownerOf(nodes) !== owner) throw new Error('another node has taken the projections over meanwhile');
  if (capacity.bad || account.bad || account.offered < 0.98 * rate || !seen.count) process.exitCode = 1;
});
