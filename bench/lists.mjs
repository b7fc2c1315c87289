#!/usr/bin/env node
// What reads of lists cost on a log of a million resources: pages, filters, searches, counts and orders.
//   node bench/lists.mjs [--resources 1000000] [--seconds 6] [--rounds 3] [--only first,page-1,page-10000,…]
// Needs node 20, dotnet, wrk and PostgreSQL's server programs. Loopback only; everything it starts it ends.
import { header, main, median, migrate, number, option, psql, startNode, startPostgres, wrk } from './common.mjs';
import { categories, seed, sku, types, word, words } from './seed.mjs';

const resources = Math.floor(number('resources', 1_000_000)), seconds = number('seconds', 6), rounds = number('rounds', 3), only = option('only')?.split(',');
const choices = 2000, samples = 5, size = 20, active = { limit: size, status: 'active' };

// The same questions in every run.
let state = 1;
const below = (n) => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return Math.floor(state / 2 ** 32 * n); };
const many = (make) => Array.from({ length: choices }, make);
const value = (field, text) => `metadata.${field} = "${text}"`;
const contains = (...starts) => ({ data }) =>
  data.every((each) => starts.every((start) => new RegExp(`\\b${start}`, 'i').test(`${each.name} ${JSON.stringify(each.metadata)}`)));
const isFull = ({ data }) => data.length === Math.min(size, resources);
const ordered = (isBehind) => ({ data }) => isFull({ data }) && data.every((each, at) => at === 0 || !isBehind(data[at - 1], each));

/** The rows of the table: parameters of each request, and whether an answer is right. */
async function questions(node, database) {
  const deep = await deepPage(node, database);
  const inCategory = new Map((await psql(database, "select metadata ->> 'category', count(*) from resource_views group by 1")).split('\n').map((line) => line.split('|')));
  const aWord = (first, behind) => word(first + below(behind - first)), aValue = () => `c${below(categories)}`, aSku = () => sku(1 + below(resources));
  const names = (await psql(database, `select data ->> 'name' from mt_events where seq_id = any('{${many(() => 1 + below(resources))}}')`)).toLowerCase().split('\n');
  const search = (make) => many(() => { const text = make(); return [{ limit: size, q: text }, contains(...text.split(' '))]; });
  const equal = (field, make, more, isRight) => many(() => {
    const one = make();
    return [{ limit: size, filter: value(field, one), ...more() }, (answer, query) => answer.data.every((each) => each.metadata[field] === one) && isRight(answer, one, query)];
  });
  return [
    ['first', 'page 1 of active ones', 64, [[active, isFull]]],
    ['page-1', 'page 1 of active ones', 16, [[active, isFull]]],
    ['page-10000', `page ${deep.page} of active ones`, 16, [[{ ...active, cursor: deep.cursor }, ({ data }) => data.map((each) => each.id).join() === deep.ids]]],
    ['rare-value', 'filter by a value that 1 has', 16, equal('sku', aSku, () => ({}), ({ data }) => data.length === 1)],
    ['common-value', `filter by a value that 1 in ${categories} has`, 16, equal('category', aValue, () => ({}), ({ data }, one) => data.length === Math.min(size, inCategory.get(one) ?? 0))],
    ['type-and-value', 'the same, and a type', 16, equal('category', aValue, () => ({ type: types[below(types.length)] }), ({ data }, one, { type }) => data.every((each) => each.type === type))],
    ['rare-word', 'search for one of the 500 rarest words', 16, search(() => aWord(words - 500, words))],
    ['common-word', 'search for one of the 20 commonest', 16, search(() => aWord(0, 20))],
    ['two-words', 'search for two words of a name', 16, search(() => names[below(names.length)].split(' ').slice(0, 2).join(' '))],
    ['prefix', 'search for three letters', 16, search(() => aWord(0, words).slice(0, 3))],
    ['count', 'exact count of all', 16, [[{ limit: size, count: 'exact' }, ({ meta }) => meta.count === resources]]],
    ['count-value', 'exact count of a value', 16, equal('category', aValue, () => ({ count: 'exact' }), ({ meta }, one) => meta.count === Number(inCategory.get(one) ?? 0))],
    ['by-name', 'by name', 16, [[{ limit: size, sort: 'name' }, ordered((one, next) => one.name > next.name)]]],
    ['by-updated', 'by time of change, newest first', 16, [[{ limit: size, sort: '-updatedAt' }, ordered((one, next) => Date.parse(one.updatedAt) < Date.parse(next.updatedAt))]]],
  ];
}

/** The cursor of page 10,000, or of the last full one, and what must stand there. A cursor is good for every limit, so the walk takes large steps. */
async function deepPage(node, database) {
  const page = Math.min(10_000, Math.floor((await node.get('/statistics?status=active')).data.total / size)), skipped = (page - 1) * size;
  if (page < 2) throw new Error('There are too few resources for a second page.');
  let cursor;
  for (let at = 0; at < skipped;) {
    const limit = Math.min(200, skipped - at), { meta } = await node.get(`/resources?${new URLSearchParams({ ...active, limit, ...(cursor ? { cursor } : {}) })}`);
    cursor = meta.page.next;
    at += limit;
  }
  const ids = await psql(database, `select id from resource_views where status = 'active' order by created_at desc, id desc offset ${skipped} limit ${size}`);
  return { page, cursor, ids: ids.split('\n').join() };
}

await main(120, async () => {
  header();
  const database = await startPostgres();
  await migrate(database);
  await seed(database, resources);
  const node = await startNode({ database }), started = Date.now();
  await node.rebuild(600 + resources / 100);
  console.log(`rebuilt  ${resources} resources in ${((Date.now() - started) / 1000).toFixed(0)} s`);
  // As autovacuum does a minute after a rebuild, which might be in the middle of a figure.
  const { generation } = await node.follower();
  await psql(database, `vacuum (analyze) resource_views_${generation}; vacuum (analyze) resource_statistics_${generation}; vacuum (analyze) resource_words_${generation}`);

  const all = await questions(node, database), unknown = (only ?? []).filter((name) => all.every(([each]) => each !== name));
  if (unknown.length) throw new Error(`--only takes ${all.map(([name]) => name).join(', ')}`);
  const rows = all.filter(([name]) => only?.includes(name) ?? true).map(([name, what, connections, requests]) => ({
    name, what, connections, requests, figures: [], wrong: [], items: [],
    script: `local paths = {${requests.map(([query]) => `"/api/v1/resources?${new URLSearchParams(query)}"`).join(',')}}\nrequest = function() return wrk.format("GET", paths[math.random(#paths)]) end\n`,
  }));
  for (const row of rows)
    for (const [query, isRight] of row.requests.slice(0, samples)) {
      const answer = await node.send('GET', `/resources?${new URLSearchParams(query)}`);
      row.items.push(answer.data?.length ?? 0);
      if (answer.status !== 200) row.wrong.push(`${answer.status} to ${new URLSearchParams(query)}: ${JSON.stringify(answer.errors ?? answer.detail)}`);
      else if (!isRight(answer, query)) row.wrong.push(`not what ${new URLSearchParams(query)} asks for`);
    }
  for (let round = 0; round <= rounds; round++)
    for (const row of rows) {
      const figure = await wrk(node, `math.randomseed(${round + 1})\n${row.script}`, { connections: row.connections, seconds });
      if (round > 0) row.figures.push(figure);
    }

  console.log(`\n${rounds} × ${seconds} s after one to warm up; medians. Right: of ${samples} answers looked at (1 where all requests are the same). Bad: of all requests of the rounds.\n`);
  console.log(`${'row'.padEnd(15)} ${'what'.padEnd(42)} conn.  requests/s   mean ms    p50 ms    p99 ms   items   right          bad`);
  const middle = (row, what) => median(row.figures.map((figure) => figure[what])), sum = (row, what) => row.figures.reduce((sum, figure) => sum + figure[what], 0);
  for (const row of rows)
    console.log(`${row.name.padEnd(15)} ${row.what.padEnd(42)} ${String(row.connections).padStart(5)} ${middle(row, 'rps').toFixed(0).padStart(11)} `
      + `${['mean', 'p50', 'p99'].map((what) => middle(row, what).toFixed(2).padStart(9)).join(' ')} `
      + `${String(median(row.items)).padStart(7)} ${`${row.items.length - row.wrong.length}/${row.items.length}`.padStart(7)} ${`${sum(row, 'bad')}/${sum(row, 'requests')}`.padStart(12)}`);
  const [first, deep] = ['page-1', 'page-10000'].map((name) => rows.find((row) => row.name === name));
  if (first && deep) console.log(`\n${deep.what} against page 1: ${median(deep.figures.map((figure, round) => figure.mean / first.figures[round].mean)).toFixed(2)} times the mean latency\n`);
  for (const { name, wrong } of rows.filter((row) => row.wrong.length)) console.log(`wrong: ${name}: ${wrong[0]}${wrong.length > 1 ? `, and ${wrong.length - 1} more` : ''}`);
  if (rows.some((row) => row.wrong.length || sum(row, 'bad') || !sum(row, 'requests'))) process.exitCode = 1;
});
