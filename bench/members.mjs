#!/usr/bin/env node
// What a declared type of a million resources costs: the check of its declaration, its indexes beside writes, and lists by indexed members.
//   node bench/members.mjs [--count 1000000] [--seconds 4] [--rounds 2] [--no-references]
// Needs node 20, dotnet, wrk and PostgreSQL's server programs with auto_explain. Loopback only; everything it starts it ends.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpu, flag, header, main, median, migrate, number, psql, quantile, scratch, sleep, startNode, startPostgres, until, wrk } from './common.mjs';
import { aStatus, seed, statuses, text, word, words } from './seed.mjs';

const count = Math.floor(number('count', 1_000_000)), seconds = number('seconds', 4), rounds = number('rounds', 2), thousand = 1000, size = 20, most = 200, read = 5000;
const hasReferences = !flag('no-references'), patience = 600 + count / 100, any = { 'if-match': '*' };
const below = (n) => Math.floor(Math.random() * n);
const wrong = [], met = [];
const check = (isRight, what) => { if (!isRight) wrong.push(what); };
const note = (what, measured, goal, isMet) => { met.push([what, measured, goal, isMet]); console.log(`${what.padEnd(58)} ${measured.padStart(24)}   goal ${goal}${isMet ? '' : '   MISSED'}`); };
const perSecond = (rows, ms) => `${(1000 * rows / ms).toFixed(0)} rows/s`;
const lines = async (database, sql) => (await psql(database, sql)).split('\n').filter(Boolean);

// ---- Data ----

const definition = {
  name: 'book', schema: {
    type: 'object', additionalProperties: false, required: ['price', 'created', 'title'],
    properties: {
      price: { type: 'number', minimum: 0 }, created: { type: 'string', format: 'date-time' }, title: { type: 'string' },
      author: { type: 'string', format: 'uuid' }, publisher: { type: 'string', format: 'uuid' },
    },
  },
};
const references = { '/metadata/author': { type: 'author' }, '/metadata/publisher': { type: 'publisher' } }, indexed = ['price', 'created', 'title'].map((name) => '/metadata/' + name);
const aPerson = (type) => `jsonb_build_object('type', '${type}', 'name', initcap(${text(10)}), 'status', 'active', 'owner', owner, 'metadata', jsonb_build_object('born', 1900 + i % 100))`;
const idOf = (type, purpose) => `(select ids from bench_people where type = '${type}')[1 + floor(${thousand} * pg_temp.chance(i, ${purpose}))::int]`;
// One time in eight is written with an offset: its text is not in the order of time.
const aTime = `(select case when i % 8 = 0 then to_char(t + interval '2 hours', 'YYYY-MM-DD"T"HH24:MI:SS"+02:00"') else to_char(t, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') end
  from (select timestamp '2000-01-01' + pg_temp.chance(i, 9) * interval '20 years' as t) one)`;
const aBook = `jsonb_build_object('type', 'book', 'name', initcap(${text(10)}), 'status', ${aStatus}, 'owner', owner, 'metadata', jsonb_build_object(
  'price', round((1 + 999 * power(pg_temp.chance(i, 4), 2))::numeric, 2), 'created', ${aTime}, 'title', ${text(20)}, 'author', ${idOf('author', 30)}, 'publisher', ${idOf('publisher', 31)}))`;

async function fill(database) {
  for (const type of ['author', 'publisher']) await seed(database, thousand, aPerson(type));
  await psql(database, "create table bench_people as select data ->> 'type' as type, array_agg(stream_id order by seq_id) as ids from mt_events where type = 'resource.created' group by 1");
  await seed(database, count, aBook);
  const ids = await lines(database, "select type || ' ' || unnest(ids) from bench_people");
  return (type) => ids.filter((line) => line.startsWith(type)).map((line) => line.split(' ')[1]);
}

// ---- Traffic ----

/** Sends at a fixed rate until it is told to end; of each answered request when it was sent and how long it took. */
async function paced(rate, isOver, request) {
  const answered = [], failures = [], flying = new Set(), began = performance.now();
  for (let sent = 0; !isOver(); await sleep(2))
    for (const due = Math.floor((performance.now() - began) * rate / 1000); sent < due && flying.size < 256; sent++) {
      const at = performance.now();
      const one = request().then(() => answered.push({ at, ms: performance.now() - at }), (error) => failures.push(error.message)).finally(() => flying.delete(one));
      flying.add(one);
    }
  await Promise.all(flying);
  return { answered, failures };
}

/** Writes of books: patches of the price of some, and creates, deletions and restores of others. */
function writer(node, live, people) {
  const made = [], gone = [], aWord = () => word(below(words)), price = () => below(100_000) / 100;
  const ask = async (status, ...request) => {
    const answer = await node.send(...request);
    if (answer.status !== status) throw new Error(`${request[0]} ${request[1]} answered ${answer.status} ${answer.code ?? ''}`);
    return answer;
  };
  const reprice = () => ask(200, 'PATCH', `/resources/${live[below(live.length)]}`, { metadata: { price: price() } }, { 'content-type': 'application/merge-patch+json' });
  const mixed = async () => {
    const chance = Math.random();
    if (chance < 0.1) {
      const [author, publisher] = ['author', 'publisher'].map((type) => people(type)[below(people(type).length)]);
      const metadata = { price: price(), created: new Date(below(2 ** 40)).toISOString(), title: `${aWord()} ${aWord()}`, author, publisher };
      made.push((await ask(201, 'POST', '/resources', { type: 'book', name: aWord(), status: statuses[0], metadata })).data.id);
    } else if (chance < 0.15 && made.length) {
      const id = made.pop();
      await ask(204, 'DELETE', `/resources/${id}`);
      gone.push(id);
    } else if (chance < 0.18 && gone.length) made.push((await ask(200, 'POST', `/resources/${gone.pop()}/restore`)).data.id);
    else await reprice();
  };
  return { reprice, mixed };
}

// ---- The type ----

/** Asks for a change of the type, and waits until it is in force; gives the milliseconds that it took. */
async function change(node, method, path, body, headers = any) {
  const began = performance.now(), answer = await node.send(method, path, body, headers), type = body.name ?? 'book';
  if (answer.status >= 300) throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer).slice(0, 500)}`);
  if (answer.status === 202)
    await until('the change', async () => {
      const { data } = await node.get(`/types/${type}/change`);
      if (!['checking', 'in_force', undefined].includes(data.state)) throw Object.assign(new Error(`the change is ${JSON.stringify(data).slice(0, 500)}`), { final: true });
      return data.state === 'in_force';
    }, patience, 50);
  return performance.now() - began;
}

/** Indexes the members while writes and reads go on. */
async function buildIndexes(node, live, people) {
  const { mixed } = writer(node, live, people);
  let isOver = false;
  const aRead = () => node.get(below(2) ? `/resources/${live[below(live.length)]}` : `/resources?type=book&status=${statuses[below(2)]}&limit=${size}`);
  const traffic = [paced(500, () => isOver, mixed), paced(50, () => isOver, aRead)];
  await sleep(40_000); // The node's code is compiled for speed by then.
  const before = performance.now();
  await sleep(10_000);
  const began = performance.now();
  await change(node, 'PATCH', '/types/book', { indexed }, { ...any, 'content-type': 'application/merge-patch+json' });
  const early = await node.send('GET', '/resources?type=book&sort=metadata.price');
  check(early.status === 200 || early.code === 'NOT_INDEXED', `a list by a member without its index answered ${early.status} ${early.code}`);
  await until('the indexes', async () => Object.values((await node.get('/types/book')).data.indexes).every((state) => state === 'ready'), patience, 100);
  const ended = performance.now();
  isOver = true;
  const [writes, reads] = await Promise.all(traffic), rows = indexed.length * count;
  for (const failure of [...writes.failures, ...reads.failures]) check(false, failure);
  const within = ({ answered }, from, to) => answered.filter(({ at }) => at >= from && at < to).map(({ ms }) => ms), p99 = (values) => quantile(values, 0.99) ?? NaN;
  note('indexes built beside 500 writes/s and 50 reads/s', perSecond(rows, ended - began), '>= 20000 rows/s', rows / (ended - began) >= 20);
  const during = within(writes, began, ended), longest = during.reduce((a, b) => Math.max(a, b), 0);
  console.log(`  ${rows} rows in ${((ended - began) / 1000).toFixed(1)} s; ${(1000 * during.length / (ended - began)).toFixed(0)} writes/s were answered`);
  note('  longest answered write meanwhile', `${longest.toFixed(0)} ms`, '<= 100 ms', longest <= 100);
  for (const [what, load] of [['writes', writes], ['reads', reads]]) {
    const [was, is] = [p99(within(load, before, began)), p99(within(load, began, ended))];
    note(`  p99 of ${what} before and meanwhile`, `${was.toFixed(1)} and ${is.toFixed(1)} ms`, '<= 1.5 times', is <= 1.5 * was);
  }
}

// ---- Lists ----

const byPrice = "(metadata ->> 'price')::numeric, id", newest = 'created_at desc, id desc', atLeast = (x) => `(metadata ->> 'price')::numeric >= ${x}`;

/** The rows of the table: parameters of each request, and in SQL what its page has and in which order. */
async function questions(database, node) {
  const price = async (part) => Number(await psql(database, `select percentile_disc(${part}) within group (order by (metadata ->> 'price')::numeric) from resource_views where type = 'book' and deleted_at is null`));
  const [dear, dearest] = [await price(0.99), await price(0.999)];
  const page = Math.min(10_000, Math.floor(count / size)), deep = await cursorOf(node, (page - 1) * size);
  const from = (x, query, more = 'true', order = newest) => Array.from({ length: 100 }, (_, k) => [{ ...query, filter: `metadata.price >= ${(x + k / 100).toFixed(2)}` }, `${atLeast((x + k / 100).toFixed(2))} and ${more}`, order, 0]);
  const all = [
    ['by price', [[{ sort: 'metadata.price' }, 'true', byPrice, 0]]],
    ['by price, the dearest first', [[{ sort: '-metadata.price' }, 'true', "(metadata ->> 'price')::numeric desc, id desc", 0]]],
    [`by price, page ${page}`, [[{ sort: 'metadata.price', cursor: deep }, 'true', byPrice, (page - 1) * size]]],
    ['by title', [[{ sort: 'metadata.title' }, 'true', `metadata ->> 'title' collate "C", id`, 0]]],
    ['by time', [[{ sort: '-metadata.created' }, 'true', "(metadata ->> 'created')::timestamptz desc, id desc", 0]]],
    ['by price, drafts', [[{ sort: 'metadata.price', status: 'draft' }, "status = 'draft'", byPrice, 0]]],
    ['price >= x (1 %)', from(dear, {})],
    ['price >= x (1 %), active ones', from(dear, { status: 'active' }, "status = 'active'")],
    ['price >= x (1 %), drafts', from(dear, { status: 'draft' }, "status = 'draft'")],
    ['price >= x (1 %), by price', from(dear, { sort: 'metadata.price' }, 'true', byPrice)],
    ['price >= x (1 %), by price, active', from(dear, { sort: 'metadata.price', status: 'active' }, "status = 'active'", byPrice)],
    ['price >= x (0.1 %)', from(dearest, {})],
    ['expanded', [[{ expand: 'author,publisher' }, 'true', newest, 0]]],
    ['expanded, by price', [[{ sort: 'metadata.price', expand: 'author,publisher' }, 'true', byPrice, 0]]],
  ];
  return all.filter(([what]) => hasReferences || !what.startsWith('expanded')).map(([what, requests]) => ({ what, requests, figures: [] }));
}

const pathOf = (query) => `/resources?${new URLSearchParams({ type: 'book', limit: size, ...query })}`;

/** The cursor behind so many books by price. It is good for every limit, so the walk takes large steps. */
async function cursorOf(node, skipped) {
  let cursor;
  for (let at = 0; at < skipped;) {
    const limit = Math.min(most, skipped - at), { meta } = await node.get(pathOf({ sort: 'metadata.price', limit, ...(cursor ? { cursor } : {}) }));
    cursor = meta.page.next;
    at += limit;
  }
  return cursor;
}

async function isRight(database, node, [query, condition, order, skipped]) {
  const { data } = await node.get(pathOf(query));
  const ids = await lines(database, `select id from resource_views where type = 'book' and deleted_at is null and ${condition} order by ${order} offset ${skipped} limit ${size}`);
  return data.length > 0 && data.map(({ id }) => id).join() === ids.join()
    && data.every(({ metadata, expanded }) => !query.expand || query.expand.split(',').every((name) => expanded[name].id === metadata[name]));
}

/** What PostgreSQL did for one request, as auto_explain says: lines of its plans, and what is against the goal. */
async function explained(database, node, query) {
  const log = join(scratch(), 'postgres/log'), set = (ms) => psql(database, `load 'auto_explain'; alter system set auto_explain.log_min_duration = ${ms}; select pg_reload_conf()`);
  await set(0);
  await sleep(300);
  const start = readFileSync(log).length;
  await node.get(pathOf(query));
  await sleep(200);
  await set(-1);
  await sleep(200);
  const plans = readFileSync(log).subarray(start).toString().split(/^.*duration: [\d.]+ ms  plan:\n/m).slice(1).map((entry) => JSON.parse(entry.match(/^(?:\t.*\n)+/)[0]));
  const found = [], faults = [];
  const walk = (at, depth) => {
    const rows = Math.round(at['Actual Rows'] * at['Actual Loops']), removed = Math.round(((at['Rows Removed by Filter'] ?? 0) + (at['Rows Removed by Index Recheck'] ?? 0)) * at['Actual Loops']), name = at['Node Type'];
    const below = (at.Plans ?? []).reduce((sum, each) => sum + Math.round(each['Actual Rows'] * each['Actual Loops']), 0);
    if (name === 'Seq Scan' && /^resource_(views|index)_\d+$/.test(at['Relation Name'])) faults.push(`a scan of ${at['Relation Name']}`);
    if (rows + removed > read) faults.push(`${rows + removed} rows read by ${at['Index Name'] ?? name}`);
    if (name.endsWith('Sort') && below > size + 1) faults.push(`a sort of ${below} rows`);
    if (at['Index Name'] || at['Relation Name'] || name.endsWith('Sort') || rows + removed > 10 * size)
      found.push(`${' '.repeat(depth)}${name} ${at['Index Name'] ?? at['Relation Name'] ?? ''} rows ${rows}${removed ? ` of ${rows + removed}` : ''}${name.endsWith('Sort') ? ` of ${below}, by ${at['Sort Key'].join(', ')}` : ''} ${at['Index Cond'] ?? ''}`.slice(0, 190));
    for (const each of at.Plans ?? []) walk(each, depth + 1);
  };
  for (const { Plan, 'Query Text': sql } of plans.filter((each) => /^\s*(with now as|select asked\.|select m\.member)/.test(each['Query Text']))) {
    found.push(` ${sql.trim().slice(0, 30).replaceAll('\n', ' ')}… ${Plan['Actual Total Time'].toFixed(2)} ms`);
    walk(Plan, 2);
  }
  if (!found.length) faults.push('no plan was seen');
  return { found, faults };
}

async function lists(database, node) {
  const rows = await questions(database, node);
  for (const row of rows)
    for (const request of row.requests.slice(0, 2)) check(await isRight(database, node, request), `${row.what}: not what ${pathOf(request[0])} asks for`);
  for (let round = 0; round <= rounds; round++)
    for (const row of rows) {
      const script = `math.randomseed(${round + 1})\nlocal paths = {${row.requests.map(([query]) => `"/api/v1${pathOf(query)}"`).join(',')}}\nrequest = function() return wrk.format("GET", paths[math.random(#paths)]) end\n`;
      const before = cpu(node), figure = await wrk(node, script, { connections: 16, seconds }), after = cpu(node);
      check(figure.bad === 0 && figure.requests > 0, `${row.what}: ${figure.bad} of ${figure.requests} answers are bad`);
      if (round > 0) row.figures.push({ ...figure, node: 1000 * (after.node - before.node) / figure.requests, postgres: 1000 * (after.postgres - before.postgres) / figure.requests });
    }
  console.log(`\n${rounds} × ${seconds} s at 16 connections after one to warm up; medians\n${'list'.padEnd(36)} requests/s    p50 ms    p99 ms   µs of CPU: node  PostgreSQL   goal p99 <= 30 ms`);
  for (const { what, figures } of rows) {
    const [rps, p50, p99, own, postgres] = ['rps', 'p50', 'p99', 'node', 'postgres'].map((name) => median(figures.map((figure) => figure[name])));
    console.log(`${what.padEnd(36)} ${rps.toFixed(0).padStart(10)} ${p50.toFixed(1).padStart(9)} ${p99.toFixed(1).padStart(9)} ${own.toFixed(0).padStart(17)} ${postgres.toFixed(0).padStart(11)}   ${p99 <= 30 ? 'met' : 'MISSED'}`);
  }
  console.log(`\nplans (goal: no scan of a table, no ${read} rows read, no sort of more than the page)`);
  for (const { what, requests: [[query]] } of rows) {
    const { found, faults } = await explained(database, node, query);
    console.log(`${what}: ${faults.length ? `MISSED: ${[...new Set(faults)].join(', ')}` : 'met'}\n${found.join('\n')}`);
  }
}

/** Walks by price while prices of others change: each of the rest comes once, and in order. */
async function walk(database, node, live, people) {
  const { reprice } = writer(node, live, people), wanted = Math.min(100_000, Math.floor(count / 2)), others = new Set(live), ids = [];
  let isOver = false;
  const traffic = paced(100, () => isOver, reprice), began = performance.now();
  for (let cursor; ids.length < wanted;) {
    const { data, meta } = await node.get(pathOf({ sort: 'metadata.price', limit: most, ...(cursor ? { cursor } : {}) }));
    ids.push(...data.map(({ id }) => id));
    cursor = meta.page.next;
  }
  const took = performance.now() - began;
  isOver = true;
  const { answered, failures } = await traffic, seen = ids.filter((id) => !others.has(id));
  for (const failure of failures) check(false, failure);
  await until('the read model', async () => (await node.follower()).lag === 0, 120, 50);
  const expected = (await lines(database, `select id from resource_views where type = 'book' and deleted_at is null order by ${byPrice} limit ${wanted + live.length}`)).filter((id) => !others.has(id)).slice(0, seen.length);
  const isGood = seen.join() === expected.join();
  note(`walk of ${ids.length} rows by price beside ${answered.length} changes of prices`, isGood ? 'each once' : 'NOT EACH ONCE', 'each once', isGood);
  console.log(`  ${(took / 1000).toFixed(1)} s, ${(1000 * took / ids.length).toFixed(0)} µs a row`);
  check(isGood, `the walk has ${seen.length} rows, ${new Set(seen).size} different ones, of which ${seen.filter((id, at) => id !== expected[at]).length} are not those of the order`);
}

/** Rows of the index against those of lists, by SQL of its own. */
async function compare(database) {
  const [rows, differences] = (await psql(database, `
    with wanted as (
      select m.member, v.id, case when jsonb_typeof(value) = 'number' then (value #>> '{}')::numeric end as number,
        case when pointer = '/metadata/created' then to_char((value #>> '{}')::timestamptz at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') when jsonb_typeof(value) = 'string' then left(value #>> '{}', 256) end as text
      from resource_views v cross join resource_index_members m cross join lateral (select v.metadata -> split_part(pointer, '/', 3) as value) one
      where v.type = 'book' and v.deleted_at is null and m.type = 'book')
    select (select count(*) from resource_index), count(*) from wanted w full join resource_index i on i.member = w.member and i.resource = w.id
    where i.member is null or w.member is null or (i.number, i.text) is distinct from (w.number, w.text)`)).split('|').map(Number);
  note('rows of the index that differ from the lists', `${differences} of ${rows}`, '0', differences === 0);
  check(differences === 0 && rows >= indexed.length * count, `${differences} differences in ${rows} rows of the index`);
}

await main(40, async () => {
  header();
  const database = await startPostgres();
  await psql(database, `load 'auto_explain'; alter system set session_preload_libraries = 'auto_explain'; alter system set auto_explain.log_analyze = on;
    alter system set auto_explain.log_format = 'json'; alter system set auto_explain.log_min_duration = -1; select pg_reload_conf()`);
  await migrate(database);
  const people = await fill(database), node = await startNode({ database }), started = Date.now();
  await node.rebuild(patience);
  console.log(`rebuilt  ${count} books and ${2 * thousand} others in ${((Date.now() - started) / 1000).toFixed(0)} s\n`);
  const vacuum = async () => {
    const { generation } = await node.follower();
    await psql(database, ['views', 'index', 'statistics', 'words'].map((name) => `vacuum (analyze) resource_${name}_${generation}`).join(';\n'));
  };
  await vacuum();
  const live = await lines(database, "select stream_id from mt_events where data ->> 'type' = 'book' order by hashint8(seq_id) limit 5000");

  for (const name of ['author', 'publisher']) await change(node, 'POST', '/types?wait=0', { name, schema: { type: 'object' } });
  const declared = await change(node, 'POST', '/types?wait=0', definition);
  note('declaration checked', perSecond(count, declared), '>= 20000 rows/s', count / declared >= 20);
  if (hasReferences) {
    const referred = await change(node, 'PATCH', '/types/book?wait=0', { references }, { ...any, 'content-type': 'application/merge-patch+json' });
    note('references checked and entered, two a row', perSecond(count, referred), '>= 20000 rows/s', count / referred >= 20);
  }
  await buildIndexes(node, live, people);
  await vacuum();
  await lists(database, node);
  console.log();
  await walk(database, node, live, people);
  await compare(database);
  for (const [what, measured, goal] of met.filter(([, , , isMet]) => !isMet)) console.log(`missed: ${what.trim()}: ${measured}, goal ${goal}`);
  for (const what of [...new Set(wrong)].slice(0, 20)) console.log(`wrong: ${what}`);
  if (wrong.length) process.exitCode = 1;
});
