#!/usr/bin/env node
// A migration of stored data that comes with a change of a type: how many resources a node migrates each second, and whether each is migrated once.
//   node bench/migrate.mjs [--resources 100000] [--writes 500 [--warm 30] [--follow] [--close]] [--kill]
// --writes: so many writes a second by clients of the old form and of the new one, which are measured after --warm seconds. When
// what was stored is migrated, the old clients become new ones; with --close they go on, and the migration is closed then.
// --follow: a stream and a webhook have to get every event. --kill: three nodes; the one that migrates is killed in the middle, and
// started again.
// Needs node 20, dotnet and PostgreSQL's server programs. Loopback only; everything it starts it ends.
import { cpu, flag, header, main, migrate, number, option, psql, quantile, sleep, startNode, startPostgres, until } from './common.mjs';
import { compareWithLog } from './fold.mjs';
import { checkLog, follow, receiver, Writers } from './migrate-clients.mjs';
import { seed } from './seed.mjs';

// Three of ten seeded resources are books.
const resources = Math.floor(number('resources', 100_000)), type = 'book', any = { 'if-match': '*' };
const rate = option('writes') ? number('writes') : 0, kills = flag('kill');
const warm = number('warm', 30), quiet = 20, mostRecovery = 5;
const known = { sku: { type: 'string' }, category: { type: 'string' }, tags: { type: 'array' }, title: { type: 'string' } };
const schema = (properties, required) => ({ type: 'object', additionalProperties: false, required, properties: { ...known, ...properties } });
const old = { name: type, schema: schema({ price: { type: 'number' }, stock: { type: 'number' }, note: { type: 'string' } }, ['price', 'stock']) };
const maps = { c1: 'first', c2: 'second' };
const now = {
  name: type,
  schema: schema(
    { unitPrice: { type: 'number' }, stock: { type: 'string' }, currency: { type: 'string' }, note: { type: 'number' } },
    ['unitPrice', 'stock', 'currency']),
  migration: [
    { op: 'move', from: '/metadata/price', path: '/metadata/unitPrice' }, { op: 'convert', path: '/metadata/stock', to: 'string' },
    { op: 'default', path: '/metadata/currency', value: 'EUR' }, { op: 'map', path: '/metadata/category', values: maps },
    { op: 'convert', path: '/metadata/note', to: 'number' },
  ],
};
const nodes = [], up = () => nodes.filter((node) => node.up), patience = 600 + resources / 100;
const s = (seconds) => `${seconds.toFixed(1)} s`, perSecond = (n, seconds) => `${(n / seconds).toFixed(0)}/s`;
const say = (...parts) => console.log(parts.join(' '));
const wrong = (what) => { console.log(`wrong: ${what}`); process.exitCode = 1; };

const count = (list, of) => {
  const counts = new Map();
  for (const one of list) counts.set(of(one), (counts.get(of(one)) ?? 0) + 1);
  return [...counts].map(([what, n]) => `${n} × ${what}`).join(', ') || 'none';
};
const isRefused = ({ status }) => status >= 400;

/** The name of a node's connections tells which one has the lock on the work of the type. */
function environment(database, index) {
  const { hostname, port, username, pathname } = new URL(database);
  const place = `Host=${hostname};Port=${port};Username=${username};Database=${pathname.slice(1)}`;
  return {
    ConnectionStrings__Resources: `${place};Application Name=node-${index}`,
    Webhooks__AllowPrivateTargets: 'true', Webhooks__RetrySeconds: '0.2,0.2,0.5,1,2,5,5,5,5',
  };
}

/** The node that works on the change: it has the lock. */
async function worker(database) {
  const name = await psql(database, `select application_name from pg_locks join pg_stat_activity using (pid)
    where locktype = 'advisory' and objid = 7238166 and granted limit 1`);
  return nodes.find(({ index }) => name === `node-${index}`);
}

/** Kills the node that migrates, when two of five resources are migrated, and starts it again. */
async function killWorker(database, live) {
  const migrated = async () => Number(await psql(database, 'select coalesce(max(migrated), 0) from type_changes'));
  const isMiddle = async () => { const n = await migrated(); return n >= 0.4 * live && n; };
  const done = await until('the middle of the migration', isMiddle, patience);
  const owner = await worker(database), node = owner ?? nodes[Math.floor(Math.random() * nodes.length)];
  node.up = false;
  node.child.kill('SIGKILL');
  const kill = { node: node.index, at: Date.now(), done, isWorker: owner !== undefined };
  await node.closed;
  await sleep(1000);
  // As a supervisor does: 75 asks for another start.
  for (let attempt = 1; ; attempt++)
    try { await node.start(); break; } catch (error) { if (attempt === 5 || node.child.exitCode !== 75) throw error; }
  const isReady = async () => (await fetch(node.base + '/health/ready', { signal: AbortSignal.timeout(2_000) })).ok;
  await until('the node is ready again', isReady, 120, 50);
  node.up = true;
  return { ...kill, back: Date.now() };
}

await main(60, async () => {
  header();
  const database = await startPostgres();
  await migrate(database);
  await seed(database, Math.ceil(resources / 0.3));
  for (let index = 0; index < (kills ? 3 : 1); index++)
    nodes.push(Object.assign(await startNode({ database, env: environment(database, index) }), { index, up: true }));
  const [node] = nodes;
  await node.rebuild(patience);
  const rows = async (sql) => (await psql(database, sql)).split('\n').filter(Boolean);
  const send = async (method, path, body, headers = any) => {
    const answer = await up()[0].send(method, path, body, headers);
    if (answer.status >= 300) throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer).slice(0, 500)}`);
    return answer;
  };
  const change = () => up()[0].send('GET', `/types/${type}/change`);
  const state = (wanted) => until(`the change is ${wanted}`, async () => {
    const { data } = await change();
    return data?.state === wanted && data;
  }, patience, 50);
  const ask = async (method, path, body) => {
    const began = Date.now();
    await send(method, path, body);
    return { ...await state('in_force'), seconds: (Date.now() - began) / 1000 };
  };
  const declared = await ask('POST', '/types?wait=0', old);
  await sleep(3000);

  // One value does not convert.
  const books = await rows(`select id from resource_views where type = '${type}'`);
  const merge = { 'content-type': 'application/merge-patch+json' };
  const note = (text) => send('PATCH', `/resources/${books[0]}`, { metadata: { note: text } }, merge);
  await note('many');
  await send('PUT', `/types/${type}?wait=0`, now);
  const isRefusal = async () => { const answer = await change(); return answer.status === 409 && answer; };
  const refused = await until('the refusal', isRefusal, patience);
  const [early] = await rows("select count(*) from mt_events where type in ('type.migration_begun', 'resource.migrated')");
  say('\nrefused  one value does not convert:', `${refused.code}, ${refused.offending} of ${refused.checked} checked;`,
    early, 'events of a migration');
  if (refused.offending !== 1 || early !== '0') wrong('the migration has begun');
  await note('5');

  const writers = new Writers(nodes, type, rate, books), marks = {};
  const start = Number(await psql(database, 'select max(seq_id) from mt_events'));
  let hook, stream, load;
  if (flag('follow')) {
    hook = await receiver();
    const delivery = { kind: 'webhook', url: hook.url };
    await send('POST', '/subscriptions', { name: 'migration', filter: { type }, delivery, after: String(start) }, {});
  }
  if (rate) {
    load = writers.run();
    await sleep(1000 * (warm + quiet));
  }
  const before = cpu(node), asked = marks.asked = Date.now();
  const killed = kills ? killWorker(database, books.length).catch((error) => wrong(error.message)) : undefined;
  const first = await psql(database, 'select now()');
  await send('PUT', `/types/${type}?wait=0`, now);
  if (rate) {
    await state('migrating');
    writers.forms = ['old', 'new'];
    if (hook) stream = follow(nodes, await worker(database) ?? node, start);
    const begunAt = Number(await psql(database, "select max(version) from mt_events where type = 'type.migration_begun'"));
    await until('what was stored is migrated', async () => (await psql(database, `
      select count(*) from (select from resource_views where type = '${type}' and deleted_at is null and created_at < '${first}'
        and type_version is distinct from ${begunAt} order by created_at limit 1) old`)) === '0', patience, 1000);
    marks.through = Date.now();
    const still = await change();
    if (still.data?.state !== 'migrating') wrong(`the change is ${still.data?.state} while old clients write`);
    if (flag('close')) await until('the closing', () => send('POST', `/types/${type}/change/close?wait=0`), 60);
    else writers.forms = ['new'];
  }
  await state('in_force');
  marks.over = Date.now();
  const after = cpu(node), kill = await killed;
  if (rate) {
    // Those who still know the old form only.
    writers.forms = ['old', 'new'];
    await sleep(5_000);
    writers.isOver = true;
    await load;
    await up()[0].get('/resources?limit=1');
  }

  const at = async (event) =>
    Number(await psql(database, `select extract(epoch from max(timestamp)) from mt_events where type = 'type.${event}'`));
  const [proposed, begun, closing, over] =
    await Promise.all(['change_proposed', 'migration_begun', 'migration_closing', 'changed'].map(at));
  const isStored = `s.created < '${first}'`;
  const live = `select count(*) from resource_views where type = '${type}' and deleted_at is null`;
  const [events, migrated, stored, last, then, today] = (await psql(database, `
    select count(*), count(distinct stream_id), count(*) filter (where ${isStored}),
      extract(epoch from max(e.timestamp) filter (where ${isStored})), (${live} and created_at < '${first}'), (${live})
    from mt_events e join mt_streams s on s.id = e.stream_id where e.type = 'resource.migrated'
  `)).split('|').map(Number);
  const left = Number(await psql(database, `select count(*) from resource_views where type = '${type}' and (type_version is null
    or not metadata ? 'unitPrice' or metadata ? 'price' or jsonb_typeof(metadata -> 'stock') <> 'string')`));
  say(`declared ${books.length} resources checked in ${s(declared.seconds)}: ${perSecond(books.length, declared.seconds)}`);
  say(`checked  ${then} in ${s(begun - proposed)} under the migration: ${perSecond(then, begun - proposed)}`);
  say(`migrated ${stored} of ${then} resources in ${s(last - begun)}: ${perSecond(stored, last - begun)};`,
    migrated - stored, 'newer ones;',
    `closing ${s(closing - last)} later: ${perSecond(stored, closing - begun)} until then; the rest ${s(over - closing)}, all of the change ${s((marks.over - asked) / 1000)}`);
  const each = (of) => `${(1000 * (after[of] - before[of]) / migrated).toFixed(0)} µs`;
  if (!kills && !rate)
    say('cpu     ', each('node'), 'in the node and', each('postgres'), 'in PostgreSQL for each resource, check and read model included');
  if (kill) {
    const [gap, from] = (await psql(database, `
      with moments as (select seq_id, extract(epoch from timestamp) at from mt_events where type = 'resource.migrated')
      select at - lag(at) over w, lag(at) over w from moments where at <= ${last} window w as (order by seq_id)
      order by 1 desc nulls last limit 1
    `)).split('|').map(Number);
    say('killed   node', kill.node + (kill.isWorker ? ', which migrated,' : ' at random'), 'after some', kill.done, 'resources;',
      `it was back ${s((kill.back - kill.at) / 1000)} later;`, `longest pause of the migration ${s(gap)},`, `from ${s(from - kill.at / 1000)} after the kill`);
  }
  if (rate) await judge({ database, writers, marks, kill, begun, closing, hook, stream, start, rows });
  const { differences, ...sizes } = await compareWithLog(database);
  say(`fold     ${sizes.events} events of ${sizes.resources} resources: ${differences.length} differences;`,
    left, 'resources in the old form,', events - migrated, 'migrated twice');
  if (differences.length || left || events !== migrated || !rate && migrated !== today) wrong('the log, or what came of it');
});

/** What the writers and the followers have seen, beside the log. */
async function judge({ database, writers, marks: { asked, through, over }, kill, begun, closing, hook, stream, start, rows }) {
  const { writes, failures } = writers;
  const row = (what, from, to, but = () => false) => {
    const times = writes.filter(({ sent, ms }) => ms && sent >= from && sent < to && !but(sent)).map(({ ms }) => ms);
    const [p50, p99, most] = [0.5, 0.99, 1].map((q) => quantile(times, q)?.toFixed(1).padStart(7));
    if (times.length) say('latency ', what.padEnd(34), 'p50', p50, 'ms   p99', p99, 'ms   most', most, 'ms  ', times.length, 'writes');
  };
  row('before the change', asked - 1000 * quiet, asked);
  row('while it is checked', asked, 1000 * begun);
  row('in the migration', 1000 * begun, through);
  if (kill) {
    const isNear = (sent) => sent > kill.at - 1000 && sent < kill.at + 10_000;
    row('  without the 10 s after the kill', 1000 * begun, through, isNear);
    row('  in the 10 s after the kill', kill.at, kill.at + 10_000);
  }
  row('after it', over, Infinity);

  const ofKilled = failures.filter(({ node }) => node === kill?.node), ofOthers = failures.filter(({ node }) => node !== kill?.node);
  const requests = writes.reduce((sum, { attempts }) => sum + attempts, 0), at = (moment) => s((moment - kill?.at) / 1000);
  for (const [whose, list] of [['the killed node', ofKilled], ['others', ofOthers]]) {
    const times = list.map((failure) => failure.at), [from, to] = [at(Math.min(...times)), at(Math.max(...times))];
    const when = kill && list.length ? `, ${from} to ${to} after the kill` : '';
    say('failures', list.length, 'of', requests, 'requests by', `${whose}${when}: ${count(list, ({ why }) => why)}`);
  }
  const strange = failures.filter((failure) => !kill || failure.at < kill.at - 50 || failure.at > kill.at + 1000 * mostRecovery);
  const those = count(strange, ({ node, why }) => `${why} by node ${node}`);
  if (strange.length) wrong(`${strange.length} failures are not of the ${mostRecovery} s after a kill: ${those}`);

  // What was on its way while the migration was closed may have either answer.
  const isEarly = ({ form, answered }) => form !== 'old' || answered < 1000 * closing;
  const early = writes.filter((one) => isRefused(one) && isEarly(one));
  const after = writes.filter(({ form, sent }) => form === 'old' && sent > over), refused = after.filter(isRefused).length;
  say(`refused  ${early.length} before the closing or not of the old form;`, `${refused} of ${after.length} of the old form after the change`);
  if (early.length) wrong(`refused: ${JSON.stringify(early.slice(0, 3))}`);
  if (refused !== after.length || !refused) wrong('the old form is taken after the change');

  const { faults, ...log } = await checkLog(database, type, writes, maps), kinds = ({ method, form }) => `${method} ${form}`;
  const [again, late] = [writes.filter(({ attempts }) => attempts > 1).length, writers.late.toFixed(0)];
  say('writes  ', writes.length, `at ${writers.rate}/s, at most ${late} ms late;`, again, 'were sent again');
  say('         taken:', count(writes.filter((one) => !isRefused(one)), kinds));
  say('         refused:', count(writes.filter(isRefused), (one) => `${kinds(one)} ${one.code}`));
  say('        ', log.taken, 'acknowledged,', log.inLog, 'in the log,', log.lost, 'lost,', log.twice, 'twice');
  say('log     ', log.lived, 'resources at the beginning, and', log.createdOld, 'created in the old form:', log.byNodes, 'migrated,',
    log.byWriters, 'written in the new form;', log.createdNew, 'created in it;', log.oldAfter, 'events of the old form after the closing;',
    faults.length, 'faults');
  for (const fault of faults.slice(0, 5)) wrong(fault);
  if (!hook) return;
  const query = `select seq_id from mt_events where not is_skipped and type like 'resource.%' and seq_id > ${start} order by seq_id`;
  const wanted = (await rows(query)).map(Number);
  const haveAll = () => stream.positions.length >= wanted.length && hook.positions.size >= wanted.length, began = Date.now();
  await until('the followers', haveAll, 300).catch((error) => wrong(error.message));
  const missing = wanted.filter((position) => !hook.positions.has(position)).length;
  const isSame = stream.positions.join() === wanted.join(), repeated = hook.calls - hook.positions.size;
  say('followed', wanted.length, 'events: the stream has', stream.positions.length, isSame ? 'each once and in order,' : 'not them,',
    `cut ${stream.cuts} times; the webhook lacks ${missing}, had ${repeated} again`, `and ${hook.disordered} after a later one of its resource;`,
    `both ${s((Date.now() - began) / 1000)} after the load`);
  if (!isSame || missing || hook.disordered) wrong('the followers');
}
