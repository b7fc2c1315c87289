#!/usr/bin/env node
// Whether this commit costs more than another: runs a node of each side by side, loads them by turns, and prints the ratios of
// their CPU per request, this commit's over the other's.
//   node bench/pair.mjs --other ../before [--seconds 3] [--rounds 20] [--connections 64] [--work create,get,list,login]
// The other is a checkout with a Release build of its own. A machine's speed changes within minutes, and turns of seconds share it:
// the median of many short rounds is steady to a few percent where two long runs differ by thirty.
import { join, resolve } from 'node:path';
import * as here from './common.mjs';

const { option, number, quantile } = here;
const seconds = number('seconds', 3), rounds = number('rounds', 20), connections = number('connections', 64);
const works = option('work', 'create,get,list,login').split(',');
const there = await import(join(resolve(option('other', '../before')), 'bench/common.mjs'));

async function start(common) {
  const node = await common.startNode();
  return { node, folder: common.scratch(), scripts: await here.workloads(node) };
}

async function cost(side, work, seconds) {
  const before = here.cpu(side.node, side.folder), result = await here.wrk(side.node, side.scripts[work], { connections: work === 'login' ? 4 : connections, seconds });
  const after = here.cpu(side.node, side.folder), each = (ms) => 1000 * ms / Math.max(result.requests, 1);
  return { node: each(after.node - before.node), postgres: each(after.postgres - before.postgres), bad: result.bad };
}

// Each side ends what it has started.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, here.end);
await there.main(60, async () => {
  here.header();
  try {
    const sides = [await start(there), await start(here)];
    console.log('\nwork     rounds   node µs: other   this   ratio (quartiles)         all µs: other   this   ratio (quartiles)         refused: other   this');
    for (const work of works) {
      const pairs = [];
      // The first round is not counted: hot code is compiled for speed in it.
      for (let round = 0; round <= rounds; round++) {
        // Who goes first changes, so that what one leaves behind falls on both.
        const order = round % 2 ? [1, 0] : [0, 1], pair = [];
        for (const i of order) pair[i] = await cost(sides[i], work, round ? seconds : 10);
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
    await here.end();
  }
});
