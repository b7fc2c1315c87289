#!/usr/bin/env node
// Whether this commit costs more than another: runs a node of each side by side, loads them by turns, and prints the ratios of
// their CPU per request, this commit's over the other's.
//   node bench/pair.mjs --other ../before [--seconds 3] [--rounds 20] [--connections 64] [--work create,get,list,login]
// The other is a checkout with a Release build of its own. A machine's speed changes within minutes, and turns of seconds share it:
// the median of many short rounds is steady to a few percent where two long runs differ by thirty.
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as here from './common.mjs';

const { option, number, quantile } = here;
const seconds = number('seconds', 3), rounds = number('rounds', 20), connections = number('connections', 64);
const works = option('work', 'create,get,list,login').split(',');
const there = await import(join(resolve(option('other', '../before')), 'bench/common.mjs'));

/** CPU milliseconds so far of a node and of its PostgreSQL, from /proc. */
function cpu({ node, common }) {
  const parents = new Map(), spent = new Map();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8'), fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      parents.set(Number(pid), Number(fields[1]));
      spent.set(Number(pid), (Number(fields[11]) + Number(fields[12])) * 10);
    } catch { /* It ended while we looked. */ }
  }
  const postmaster = Number(readFileSync(join(common.scratch(), 'data/postgres/postmaster.pid'), 'utf8').split('\n')[0]);
  let postgres = 0;
  for (const [pid, ms] of spent) if (pid === postmaster || parents.get(pid) === postmaster) postgres += ms;
  return { node: spent.get(node.pid) ?? 0, postgres };
}

async function start(common) {
  const node = await common.startNode();
  const body = { name: 'hello world', metadata: { a: 1, b: 'two', c: [1, 2, 3] } }, ids = [];
  for (let i = 0; i < 1000; i += 20) ids.push(...await Promise.all(Array.from({ length: 20 }, async () => (await node.send('POST', '/resources', body)).data.id)));
  const pick = `local ids = {${ids.map((id) => `"${id}"`).join(',')}}\nlocal function pick() return ids[math.random(#ids)] end\n`;
  const post = (path, value) => `wrk.method = "POST"\nwrk.path = "/api/v1${path}"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = '${JSON.stringify(value)}'\n`;
  const scripts = {
    create: post('/resources', body),
    get: `${pick}request = function() return wrk.format("GET", "/api/v1/resources/" .. pick()) end\n`,
    patch: `${pick}wrk.headers["Content-Type"] = "application/merge-patch+json"\nlocal n = 0\nrequest = function() n = n + 1 return wrk.format("PATCH", "/api/v1/resources/" .. pick(), nil, '{"name":"renamed ' .. n .. '"}') end\n`,
    list: 'request = function() return wrk.format("GET", "/api/v1/resources?limit=20&status=active") end\n',
    // The token of the benchmark would make it a request of somebody signed in.
    login: `${post('/auth/login', { email: node.env.Bootstrap__AdminEmail, password: node.env.Bootstrap__AdminPassword })}wrk.headers["Authorization"] = nil\n`,
  };
  return { node, common, scripts };
}

async function cost(side, work) {
  const before = cpu(side), result = await here.wrk(side.node, side.scripts[work], { connections: work === 'login' ? 4 : connections, seconds });
  const after = cpu(side), each = (ms) => 1000 * ms / Math.max(result.requests, 1);
  return { node: each(after.node - before.node), postgres: each(after.postgres - before.postgres), bad: result.bad, requests: result.requests };
}

await here.main(60, async () => {
  here.header();
  const sides = [await start(there), await start(here)];
  console.log('\nwork     rounds   node µs: other   this   ratio (quartiles)         all µs: other   this   ratio (quartiles)         refused: other   this');
  try {
    for (const work of works) {
      const pairs = [];
      for (let round = 0; round <= rounds; round++) {
        // Who goes first changes, so that what one leaves behind falls on both.
        const order = round % 2 ? [1, 0] : [0, 1], pair = [];
        for (const i of order) pair[i] = await cost(sides[i], work);
        if (round > 0) pairs.push(pair);
      }
      const column = (of) => {
        const [other, now] = [0, 1].map((i) => quantile(pairs.map((pair) => of(pair[i])), 0.5)), ratios = pairs.map(([a, b]) => of(b) / of(a));
        return `${other.toFixed(0).padStart(14)} ${now.toFixed(0).padStart(6)}   ${[0.5, 0.25, 0.75].map((q) => quantile(ratios, q).toFixed(3)).join(' ').replace(/ (\S+) (\S+)$/, ' ($1 to $2)')}`;
      };
      const refused = (i) => pairs.reduce((sum, pair) => sum + pair[i].bad, 0);
      console.log(`${work.padEnd(8)} ${String(rounds).padStart(6)} ${column(({ node }) => node)} ${column(({ node, postgres }) => node + postgres)} ${String(refused(0)).padStart(16)} ${String(refused(1)).padStart(6)}`);
    }
  } finally {
    await sides[0].node.stop();
  }
});
