#!/usr/bin/env node
// The promises of types under load, while one of three nodes is killed every ten seconds or so and started again.
//   node bench/types.mjs [--part flip,values,references,hot] [--minutes 2] [--delay 0] [--seed n] | --selftest
// Each part runs for --minutes; what the third node sends to the database arrives --delay milliseconds later. Then the whole log is read and folded by types-checker.mjs, and every answer is held against it. It fails if a
// promise is broken. Needs node 20 with npm (it installs ajv in the run's folder), dotnet and PostgreSQL's server programs. Loopback only.
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { flag, header, main, median, number, option, psql, randomOf, scratch, sleep, startNode, startPostgres, until } from './common.mjs';
import { Checker, faultOf, kinds } from './types-checker.mjs';
import { selfTest } from './types-selftest.mjs';

const minutes = number('minutes', 2), seed = number('seed', 1 + Math.floor(Math.random() * 1e9));
const chosen = option('part', 'flip,values,references,hot').split(',');
const delay = Number(option('delay', '0')), random = randomOf(seed), below = (n) => Math.floor(random() * n), between = (low, high) => low + below(high - low), pick = (list) => list[below(list.length)];
const began = Date.now(), nodes = [], records = [], figures = new Map(), problems = [];
const say = (text) => console.log(`${((Date.now() - began) / 1000).toFixed(1).padStart(7)} s  ${text}`);
const problem = (kind, text) => { problems.push([kind, text]); say(`PROBLEM ${kind}: ${text}`); };
let part, known = 0, writes = 0, over = false, killing = true, kills = 0;
const count = (what, by = 1) => { const all = figures.get(part) ?? figures.set(part, new Map()).get(part); all.set(what, (all.get(what) ?? 0) + by); };

/** The fold of schemas is ajv's; it is no package of this repository, so it is installed beside. */
function validator() {
  const { dependencies } = JSON.parse(readFileSync(new URL('../tests/npm/package.json', import.meta.url), 'utf8')), folder = scratch();
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--silent', ...['ajv', 'ajv-formats'].map((name) => `${name}@${dependencies[name]}`)], { cwd: folder });
  const load = createRequire(join(folder, 'package.json')), Ajv = load('ajv/dist/2020').default;
  return load('ajv-formats').default(new Ajv({ strict: false, logger: false }));
}

// ---- Nodes ----

/** The same database with a longer way: whatever is sent to it arrives so many milliseconds later. */
async function slowly(database, ms) {
  const url = new URL(database), { hostname: host, port } = url, proxy = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ host, port, allowHalfOpen: true });
    for (const socket of [near, far]) socket.setNoDelay(true).on('error', () => { near.destroy(); far.destroy(); });
    near.on('data', (data) => setTimeout(() => far.write(data), ms)).on('end', () => setTimeout(() => far.end(), ms));
    far.on('data', (data) => near.write(data)).on('end', () => near.end());
  }).listen(0, '127.0.0.1').unref();
  await new Promise((resolve) => proxy.on('listening', resolve));
  url.port = proxy.address().port;
  return url.href;
}

const up = () => nodes.filter((node) => node.up);

async function startAgain(node) {
  await node.closed;
  // As a supervisor does: 75 asks for another start.
  for (let attempt = 1; ; attempt++)
    try { await node.start(); break; } catch (error) { if (attempt === 5 || node.child.exitCode !== 75) throw error; }
  await until(`node ${node.index} is ready`, async () => (await fetch(node.base + '/health/ready', { signal: AbortSignal.timeout(2_000) })).ok, 120, 50);
  node.up = true;
}

async function killAgainAndAgain() {
  for (; ;) {
    for (const end = Date.now() + between(7_000, 13_000); Date.now() < end && killing;) await sleep(100);
    if (!killing) return;
    const node = pick(up());
    [node.up, node.life] = [false, node.life + 1];
    node.child.kill('SIGKILL');
    kills++;
    count('kills');
    await sleep(between(500, 3_000));
    await startAgain(node);
  }
}

// ---- Requests ----

/** One request to a node that is up, and what came of it; undefined where there is no answer. */
async function ask(method, path, body, { first, cut, about = {}, ...headers } = {}) {
  const node = pick(up()), { life } = node, low = known, sent = performance.now();
  let answer, why;
  try { answer = await node.send(method, path, body, headers, cut); } catch (error) { why = error.code ?? error.name; }
  const answered = performance.now(), isSameNode = node.up && node.life === life, line = `${method} ${path.slice(0, 40)} by node ${node.index}`;
  const fault = faultOf({ status: answer?.status, took: answered - sent, isUp: isSameNode, isCut: cut !== undefined });
  if (fault) problem(fault, `${line}: ${answer?.status ?? why} ${answer?.code ?? ''} ${answer?.detail ?? ''} after ${Math.round(answered - sent)} ms`);
  if (!answer) {
    count(!isSameNode ? 'lost with a node' : cut ? 'cut' : 'no answer');
    return undefined;
  }
  const { status, code, position } = answer;
  count(status >= 400 ? `${status} ${code ?? ''}` : String(status));
  if (position > known) known = position;
  const { data, errors, change, offending, examples } = answer;
  if (about.what) records.push({ ...about, first: first ?? sent, answered, low, status, code, position, data, errors, change, offending, examples });
  return answer;
}

/** Sends a write again, with its key, until it has an outcome; a client that has cut a request may leave it at that. */
async function write(method, path, body, about, { mayCut = false, ...headers } = {}) {
  const first = performance.now(), key = randomUUID();
  for (let attempt = 0; attempt < 400; attempt++) {
    const cut = mayCut && random() < 0.15 ? 1 + below(40) : undefined;
    const answer = await ask(method, path, body, { first, cut, about, 'idempotency-key': key, ...headers });
    if (answer && answer.status !== 503 && answer.status !== 401) return answer;
    if (cut && random() < 0.5) return undefined;
    await sleep(between(10, 100));
  }
  problem('dropped', `${method} ${path}: no outcome`);
}

const create = (type, metadata, options = {}) => {
  const sent = { type, name: `${type} ${writes}`, metadata: { ...metadata, w: ++writes } };
  return write('POST', '/resources', sent, { what: 'create', type, sent }, options);
};
const patch = ({ id, type }, metadata, options = {}) => {
  const sent = { metadata: { ...metadata, w: ++writes } };
  return write('PATCH', `/resources/${id}`, sent, { what: 'patch', id, type, sent }, { 'content-type': 'application/merge-patch+json', ...options });
};
const remove = ({ id, type }, options) => write('DELETE', `/resources/${id}`, undefined, { what: 'delete', id, type }, options);
const restore = ({ id, type }, options) => write('POST', `/resources/${id}/restore`, undefined, { what: 'restore', id, type }, options);
const get = ({ id, type }) => ask('GET', `/resources/${id}`, undefined, { about: { what: 'get', id, type } });

async function declare(definition) {
  const answer = await write('POST', '/types', definition, { what: 'type', type: definition.name, sent: definition });
  if (answer.status !== 201) throw new Error(`the type was answered ${JSON.stringify(answer)}`);
}

const integer = { type: 'integer' }, uuid = { type: 'string', format: 'uuid' };
const object = (properties, required = []) => ({ type: 'object', additionalProperties: false, required, properties: { w: integer, ...properties } });
const together = (n, one) => Promise.all(Array.from({ length: n }, (_, i) => one(i)));
/** Runs clients until the part is over. */
const clients = (n, one) => together(n, async () => { while (!over) if (up().length) await one(); else await sleep(50); });

/** What a part knows of its resources: whether each was alive when it was last heard of. */
class Pool {
  all = [];
  constructor(most) { this.most = most; }
  /** Takes one in; returns another that is given up for it. */
  add(id, type) {
    const one = { id, type, live: true };
    if (this.all.length < this.most) { this.all.push(one); return; }
    const at = below(this.most), [given] = this.all.splice(at, 1, one);
    return given;
  }
  any = () => pick(this.all);
  one(test) { for (let i = 0; i < 20; i++) { const one = this.any(); if (one && test(one)) return one; } }
}

// ---- Parts ----

const parts = {
  /** Two definitions take turns, while writers send what fits the one, the other, both or neither. */
  async flip() {
    const shape = (mine, other) => object({ [mine]: integer, [other]: {}, k: integer, peer: uuid }, [mine, 'k']);
    const definitions = [
      { name: 'flip', schema: shape('a', 'b'), unique: { k: { members: ['/metadata/k'] } } },
      { name: 'flip', schema: shape('b', 'a'), references: { '/metadata/peer': { type: 'flip', onDelete: 'unset' } } },
    ];
    const pool = new Pool(250), fresh = () => below(1e9), number = () => below(100);
    let calm = true, keys = [1];
    const document = (isOfA, isOfB) => ({
      a: isOfA ? number() : 'no', b: isOfB ? number() : 'no', k: random() < 0.04 && !calm ? pick(keys) : (keys = [...keys.slice(-50), fresh()]).at(-1),
      ...(random() < 0.2 && !calm && pool.all.length ? { peer: pool.any().id } : {}),
    });
    const writer = async () => {
      const dice = random(), [isOfA, isOfB] = calm || random() < 0.6 ? [true, true] : pick([[true, false], [false, true], [false, false]]), one = pool.any();
      if (!one || dice < 0.35) {
        const created = await create('flip', document(isOfA, isOfB));
        const given = created?.status === 201 && pool.add(created.data.id, 'flip');
        // A change looks at all that are left: with a few hundred there is time for many.
        if (given) await remove(given);
      } else if (dice < 0.65) await patch(one, document(isOfA, isOfB));
      else if (dice < 0.75) await get(one);
      else if (dice < 0.8 && !calm) await restore(one);
      else if (!calm) await remove(one);
      else await sleep(5);
    };
    const put = async (sent) => {
      const about = { what: 'type', type: 'flip', sent }, answer = await write('PUT', '/types/flip?wait=8', sent, about, { 'if-match': '*' });
      if (answer?.status !== 202) return answer;
      count('flips waited for');
      return until('the flip', async () => { const state = await ask('GET', '/types/flip/change', undefined, {}); return state && (state.status === 409 || state.data?.state === 'in_force') && state; }, 60);
    };
    const flips = async () => {
      // Until then the name is free, and the declaration has to see what is just being created.
      await sleep(1_000);
      await declare(definitions[0]);
      for (let target = 1; !over;) {
        let answer = await put(definitions[target]);
        // The first try shows what does not fit. That is mended while writers are calm; they are let go as the next try is under way.
        for (let i = 0; i < 6 && !over && answer?.code === 'TYPE_CHANGE_BREAKS_DATA'; i++) {
          calm = true;
          if (i === 0) count('flips refused'); else count('flips refused though mended');
          await Promise.all(answer.examples.map(({ id }) => patch({ id, type: 'flip' }, { a: number(), b: number(), k: fresh(), peer: null })));
          // Each try leaves them calm for longer, so that one of them is accepted in the end.
          setTimeout(() => { calm = false; }, between(0, 60) * (1 + 4 * i));
          answer = await put(definitions[target]);
        }
        calm = false;
        if (answer?.status < 300) { count('flips accepted'); target = 1 - target; } else if (answer) { count(`flips ${answer.code}`); if (answer.code === 'TYPE_CHANGE_PENDING') await sleep(200); }
      }
    };
    await Promise.all([clients(32, writer), flips()]);
  },

  /** Many want few values; some do not wait for the answer. */
  async values() {
    await declare({
      name: 'coin', schema: object({ code: { type: 'string' }, x: integer, y: { type: ['string', 'boolean', 'number'] } }),
      unique: { code: { members: ['/metadata/code'], ignoreCase: true }, pair: { members: ['/metadata/x', '/metadata/y'] } },
    });
    const pool = new Pool(400), options = { mayCut: true };
    const code = () => { const text = `Ö-${below(200)}-x`; return pick([text, text.toLowerCase(), text.normalize('NFD')]); };
    const pair = () => ({ x: below(20), y: pick(['a', 'b', 'c', 'd', 'e', true, false, 0, 1.5, 20]) });
    const some = () => ({ ...(random() < 0.9 ? { code: code() } : {}), ...(random() < 0.4 ? pair() : {}) });
    const put = async () => {
      const text = code(), sent = { name: 'by code', metadata: { code: text, w: ++writes } };
      return write('PUT', `/types/coin/by/code/${encodeURIComponent(text)}`, sent, { what: 'put', type: 'coin', sent }, options);
    };
    await clients(64, async () => {
      const dice = random(), one = pool.any();
      const made = !one || dice < 0.3 ? await create('coin', some(), options) : dice < 0.36 ? await put() : undefined;
      if (made?.status === 201) pool.add(made.data.id, 'coin');
      if (!one || dice < 0.36) return;
      if (dice < 0.6) await patch(one, random() < 0.1 ? { code: null } : some(), options);
      else if (dice < 0.78) await remove(one, options);
      else if (dice < 0.9) await restore(one, options);
      else await get(one);
    });
  },

  /** Some 300 resources refer to each other in every way, and come and go. */
  async references() {
    const to = (type, onDelete) => ({ type, onDelete }), list = { type: 'array', items: uuid };
    const definitions = [
      { name: 'shelf', schema: object({}) },
      { name: 'book', schema: object({ shelf: uuid, next: uuid, more: list }), references: { '/metadata/shelf': to('shelf', 'restrict'), '/metadata/next': to('book', 'unset'), '/metadata/more/*': to('book', 'unset') } },
      { name: 'copy', schema: object({ book: uuid, shelf: uuid, on: list }, ['book']), references: { '/metadata/book': to('book', 'cascade'), '/metadata/shelf': to('shelf', 'unset'), '/metadata/on': to('copy', 'cascade') } },
      { name: 'note', schema: object({ about: uuid, parent: uuid, copy: uuid, see: list }), references: { '/metadata/about': to('book', 'cascade'), '/metadata/parent': to('note', 'cascade'), '/metadata/copy': to('copy', 'restrict'), '/metadata/see': to('note', 'unset') } },
    ];
    for (const definition of definitions) await declare(definition);
    const pool = new Pool(300), types = definitions.map(({ name }) => name);
    // One in twelve is of another type, deleted or not there at all.
    const target = (type) => (random() < 0.08 ? (random() < 0.3 ? { id: randomUUID() } : pool.any()) : pool.one((one) => one.live && one.type === type))?.id ?? randomUUID();
    const some = (of, ...names) => Object.fromEntries(names.filter(() => random() < 0.4).map((name) => [name, of(name)]));
    const several = (type) => Array.from({ length: below(4) }, () => target(type));
    const contents = {
      shelf: () => ({}),
      book: () => ({ ...some(() => target('shelf'), 'shelf'), ...some(() => target('book'), 'next'), ...some(() => several('book'), 'more') }),
      copy: () => ({ book: target('book'), ...some(() => target('shelf'), 'shelf'), ...some(() => several('copy').slice(0, 1), 'on') }),
      note: () => ({ ...some(() => target('book'), 'about'), ...some(() => target('note'), 'parent'), ...some(() => target('copy'), 'copy'), ...some(() => several('note'), 'see') }),
    };
    const optional = { book: ['shelf', 'next', 'more'], copy: ['shelf', 'on'], note: ['about', 'parent', 'copy', 'see'] };
    const heard = (one, answer, live) => { if (answer?.status < 300) one.live = live; if (answer?.status === 410) one.live = false; };
    await clients(16, async () => {
      const dice = random(), one = pool.one(({ live }) => live);
      if (pool.all.length < 300 || dice < 0.12) {
        const type = pick(types), created = await create(type, contents[type]());
        if (created?.status === 201) pool.add(created.data.id, type);
      } else if (!one || dice < 0.3) {
        const dead = pool.one(({ live }) => !live);
        if (dead) heard(dead, await restore(dead), true);
      } else if (dice < 0.65) {
        const gone = (optional[one.type] ?? []).filter(() => random() < 0.15).map((name) => [name, null]);
        heard(one, await patch(one, { ...contents[one.type](), ...Object.fromEntries(gone) }), true);
      } else if (dice < 0.85) heard(one, await remove(one), false);
      else { const any = pool.any(); heard(any, await get(any), true); }
    });
  },

  /** Everybody buys one product. */
  async hot() {
    await declare({ name: 'product', schema: object({ sku: { type: 'string' }, stock: { type: 'integer', minimum: 0 } }, ['sku', 'stock']), unique: { sku: { members: ['/metadata/sku'] } } });
    const needed = [], format = { 'content-type': 'application/vnd.resources.patch+json' };
    for (let round = 0; !over; round++) {
      const few = round % 2 === 1, stock = few ? 20 : 200, buyers = few ? 50 : 200, before = kills;
      const { data: { id } } = await create('product', { sku: randomUUID(), stock });
      let requests = 0;
      const sell = async () => {
        for (const key = randomUUID(); ;) {
          requests++;
          const about = { what: 'patch', id, type: 'product' }, sale = [{ op: 'increment', path: '/metadata/stock', value: -1, minimum: 0 }];
          const answer = up().length ? await ask('PATCH', `/resources/${id}`, sale, { about, 'idempotency-key': key, ...format }) : undefined;
          if (answer?.status === 200 || answer?.code === 'BOUND_EXCEEDED') return answer.status;
          await sleep(between(20, 200));
        }
      };
      const results = await together(buyers, sell), sold = results.filter((status) => status === 200).length;
      const left = (await until('the product', async () => { const read = await get({ id, type: 'product' }); return read?.status === 200 && read; }, 30)).data;
      count(few ? 'rounds of 50 buyers of 20' : 'rounds of 200 sales');
      if (sold !== stock || left.metadata.stock !== 0 || left.version !== stock + 1) problem('goal', `${sold} of ${buyers} bought of ${stock}, ${left.metadata.stock} are left at version ${left.version}`);
      if (few) continue;
      needed.push(requests);
      if (requests > 220 && before === kills && up().length === 3) problem('goal', `200 sales needed ${requests} requests, though no node was killed`);
    }
    say(`200 sales needed ${median(needed)} requests, ${Math.max(...needed)} at most, of ${needed.length} rounds`);
  },
};

// ---- Afterwards ----

/** The whole log, as an administrator reads it. */
async function readLog(node) {
  const log = [], names = ['flip', 'coin', 'shelf', 'book', 'copy', 'note', 'product'];
  const walk = async (path, after, next) => {
    for (; ;) {
      const { data, meta } = await until(path, () => node.get(`${path}?limit=1000&after=${after}`), 60);
      for (const event of data) log.push(event);
      after = next(meta);
      if (after === null || after === undefined) return;
    }
  };
  await walk('/events', 0, (meta) => meta.page.next);
  for (const name of names) if ((await node.send('GET', `/types/${name}/events`)).status === 200) await walk(`/types/${name}/events`, 0, (meta) => meta.page.next);
  return log;
}

/** Compares the tables of guards with the fold, as soon as former rules have left nothing, or after a minute. */
async function compareTables(database, checker) {
  const { claims, references, inForce } = checker.rows(), lines = async (sql) => (await psql(database, sql)).split('\n').filter(Boolean);
  const keep = (rows, set, width) => rows.filter((row) => set.has(row.split('|').slice(0, width).join('|')));
  let found, former;
  const look = async () => {
    found = [
      await lines(`select scope, rule, encode(value, 'hex'), resource from unique_claims where scope in (select stream_id from mt_events where type like 'type.%')`),
      await lines(`select e.data ->> 'type', r.field, r.source, r.field, r.target from resource_references r left join mt_events e on e.stream_id = r.source and e.version = 1`),
    ];
    const kept = [keep(found[0], inForce.claims, 2), keep(found[1], inForce.references, 2)];
    former = found[0].length + found[1].length - kept[0].length - kept[1].length;
    found = [new Set(kept[0]), new Set(kept[1].map((row) => row.split('|').slice(2).join('|')))];
    return former === 0;
  };
  await until('the sweep', look, 60, 1_000).catch(() => checker.report('leftover', `${former} rows of former rules are left after a minute`));
  checker.compare('claims', found[0], claims);
  checker.compare('references', found[1], references);
  say(`${claims.size} unique values and ${references.size} references compared with their tables`);
}

/** What clients of a part were answered; it is printed at once, as a run that is ended early is worth something, too. */
const shown = () => console.log(`${[...figures.get(part) ?? []].sort(([a], [b]) => a.localeCompare(b)).map(([what, n]) => `  ${String(n).padStart(8)}  ${what}`).join('\n')}`);

function table(checker) {
  console.log(`\nall parts\n  ${String(kills).padStart(8)}  kills\n  ${String(checker.events).padStart(8)}  events checked\n  ${String(records.length).padStart(8)}  answers checked\n`);
  for (const [kind, texts] of checker.violations) {
    console.log(`  ${String(texts.length).padStart(8)}  ${kind}: ${kinds[kind]}`);
    for (const text of texts.slice(0, 5)) console.log(`            ${text.slice(0, 600)}`);
  }
}

await main(chosen.length * (minutes + 3) + 15, async () => {
  const ajv = validator();
  if (flag('selftest')) { if (!selfTest(() => new Checker(ajv))) process.exitCode = 1; return; }
  for (const name of chosen) if (!parts[name]) throw new Error(`--part takes some of ${Object.keys(parts)}`);
  header();
  console.log(`seed     ${seed}\n`);
  const database = await startPostgres();
  const of = async (index) => delay && index === 2 ? slowly(database, delay) : database;
  for (let index = 0; index < 3; index++) nodes.push(Object.assign(await startNode({ database: await of(index) }), { index, up: true, life: 0 }));
  for (part of chosen) {
    [over, killing] = [false, true];
    const murder = killAgainAndAgain();
    setTimeout(() => { over = true; killing = false; }, 60_000 * minutes);
    await parts[part]();
    killing = false;
    await murder;
    say(`${part} is over`);
    shown();
  }
  const checker = new Checker(ajv);
  for (const [kind, text] of problems) checker.report(kind, text);
  checker.fold(await readLog(nodes[0]));
  checker.answers(records);
  await compareTables(database, checker);
  table(checker);
  if ([...checker.violations.values()].some((texts) => texts.length) || !checker.events) process.exitCode = 1;
});
