#!/usr/bin/env node
// What a thousand types cost: the start of a node and its memory, how soon another node knows a change, and the disk of a million unique values.
//   node bench/many-types.mjs [--types 1000] [--changes 300] [--claims 1000000]
// Needs node 20, dotnet and PostgreSQL's server programs. Loopback only; everything it starts it ends.
import { readFileSync } from 'node:fs';
import { header, main, median, number, psql, quantile, sleep, startNode, startPostgres } from './common.mjs';

const types = number('types', 1_000), changes = number('changes', 300), claims = number('claims', 1_000_000);
const name = (i) => `type-${i}`;
const properties = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`member${i}`, { type: 'string', maxLength: 100 + i, description: 'A member of some length' }]));
const definition = (i, title) => ({
  name: name(i), title, schema: { type: 'object', required: ['member0'], additionalProperties: false, properties },
  unique: { first: { members: ['/metadata/member0'] } }, ...(i ? { references: { '/metadata/member1': { type: name(0) } } } : {}),
});

/** What a node takes when nothing is asked of it, after a collection has had time to come. */
async function memory(node) {
  await sleep(5_000);
  return Number(readFileSync(`/proc/${node.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]) / 1024;
}

/** Starts a node some times, and returns the median of the seconds and of its memory. */
async function startsOf(node) {
  const took = [], grown = [];
  for (let i = 0; i < 3; i++) {
    await node.stop();
    const began = performance.now();
    await node.start();
    took.push((performance.now() - began) / 1000);
    grown.push(await memory(node));
  }
  return { took: median(took), grown: median(grown) };
}

await main(60, async () => {
  header();
  const database = await startPostgres(), node = await startNode({ database }), problems = [];
  const line = (what, measured, goal, isMet) => { console.log(`${what.padEnd(52)} ${measured.padStart(12)}   goal ${goal}${isMet ? '' : '   MISSED'}`); if (!isMet) problems.push(what); };
  const none = await startsOf(node), began = performance.now();
  for (let i = 0; i < types; i++) {
    const answer = await node.send('POST', '/types', definition(i, 'One of many'));
    if (answer.status !== 201) throw new Error(`type ${i} was answered ${answer.status} ${answer.code} ${answer.detail}`);
  }
  console.log(`${types} types were declared in ${((performance.now() - began) / 1000).toFixed(0)} s\n`);
  const all = await startsOf(node);
  const later = all.took - none.took, grown = all.grown - none.grown;
  line('a start takes longer by', `${later.toFixed(2)} s`, '<= 1 s', later <= 1);
  line('a node takes more memory by', `${grown.toFixed(0)} MB`, '<= 150 MB', grown <= 150);
  line('that is, for each type', `${(1024 * grown / types).toFixed(0)} KB`, '<= 100 KB', 1024 * grown / types <= 100);

  const other = await startNode({ database }), took = [];
  for (let i = 0; i < changes; i++) {
    const type = `/types/${name(Math.floor(Math.random() * types))}`, title = `Changed ${i}`;
    const answer = await node.send('PATCH', type, { title });
    if (answer.status !== 200) throw new Error(`a change was answered ${answer.status} ${answer.code}`);
    for (const since = performance.now(); ; ) {
      if ((await other.send('GET', type)).data?.title === title) { took.push(performance.now() - since); break; }
      if (performance.now() - since > 10_000) throw new Error(`${type} is not known after 10 s`);
    }
  }
  const p99 = quantile(took, 0.99);
  line('another node shows a change after, p99', `${p99.toFixed(0)} ms`, '<= 500 ms', p99 <= 500);

  await psql(database, `insert into unique_claims (scope, rule, value, resource) select gen_random_uuid(), 1, sha256(i::text::bytea), gen_random_uuid() from generate_series(1, ${claims}) i`);
  const disk = Number(await psql(database, `select pg_total_relation_size('unique_claims')`)) / 2 ** 20;
  line(`${claims} unique values take on disk`, `${disk.toFixed(0)} MiB`, '<= 250 MiB', disk <= 250);
  if (problems.length) process.exitCode = 1;
});
