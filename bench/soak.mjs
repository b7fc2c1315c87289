#!/usr/bin/env node
// Faults under load for a long time: nodes and their PostgreSQL are killed, paused and stopped at random, also two at once.
//   node bench/soak.mjs [--minutes 20] [--seed n] [--nodes 3] [--faults kill,pause] [--pairs 0.4]
// It fails if an acknowledged write is lost or doubled, if a read or a list lacks one that was acknowledged before, if a node aborts, or if the
// service takes more than 5 s to answer without faults again. Half of the resources are of a declared type. Needs node 20, dotnet and PostgreSQL's server programs. Loopback only.
import { crashPostgres, header, main, number, option, pausePostgres, randomOf, sleep, startNode, startPostgres, until } from './common.mjs';

const minutes = number('minutes', 20), seed = number('seed', 1 + Math.floor(Math.random() * 1e9)), count = number('nodes', 3);
const chosen = option('faults', 'kill,stop,pause,crashDatabase,pauseDatabase').split(','), pairs = number('pairs', 0.4);
const workers = 12, slow = 5_000, mostRecovery = 5_000;

const random = randomOf(seed);
const between = (low, high) => low + Math.floor(random() * (high - low));
const pick = (items) => items[Math.floor(Math.random() * items.length)];

const began = Date.now(), problems = [], faults = [], failures = [];
let over = false, requests = 0, unknown = 0;
const at = (moment) => `${((moment - began) / 1000).toFixed(1).padStart(7)} s`;
const report = (text) => { problems.push(text); console.log(`${at(Date.now())}  PROBLEM ${text}`); };

/** One request to a node that is up; null when the node went down meanwhile, or failed. */
async function ask(node, method, path, body, headers) {
  const { life } = node, start = Date.now();
  let answer, why;
  try {
    answer = await node.send(method, path, body, headers);
    if (answer.status >= 500) why = `${answer.status} ${answer.code}`;
  } catch (error) {
    why = error.code ?? error.name;
  }
  requests++;
  const took = Date.now() - start;
  if (!why && took > slow) why = `slow, ${took} ms`;
  if (node.life === life && node.up && why) failures.push({ at: Date.now(), node: node.index, what: `${method} ${path.split('?')[0].slice(0, 20)} ${why}` });
  return answer && answer.status < 500 ? answer : null;
}

// ---- The load ----

/** What is known of each resource: the newest version that was acknowledged, and what each acknowledged write put there. */
const known = new Map(), free = `soak-${seed}`, typed = `typed-${seed}`;
const definition = {
  name: typed, unique: { key: { members: ['/metadata/key'] } }, references: { '/metadata/of': { type: typed } },
  schema: { type: 'object', required: ['n', 'key'], additionalProperties: false, properties: { n: { type: 'integer' }, key: { type: 'string' }, of: { type: 'string', format: 'uuid' } } },
};
/** The type and the metadata of a resource that is new: free, or of a declared type with a value of its own and a reference. */
function fresh(isTyped) {
  const of = [...known].findLast(([, { key }]) => key)?.[0];
  return isTyped ? { type: typed, metadata: { n: 0, key: `${Math.random()}`, ...(of ? { of } : {}) } } : { type: free, metadata: { n: 0 } };
}
const know = ({ id, metadata }, writes) => known.set(id, { version: 1, key: metadata.key, writes });

/** Sends a write until its outcome is known, with one key. */
async function write(nodes, method, path, body) {
  for (let key = `k${Math.random()}`, attempt = 0; ; attempt++) {
    const up = nodes.filter((node) => node.up);
    const answer = up.length ? await ask(pick(up), method, path, body, { 'idempotency-key': key, ...(method === 'PATCH' ? { 'content-type': 'application/merge-patch+json' } : {}) }) : null;
    if (answer) return answer;
    if (attempt === 0) unknown++;
    if (attempt > 600) throw new Error(`${method} ${path}: no outcome`);
    await sleep(50);
  }
}

async function work(nodes) {
  while (!over) {
    const up = nodes.filter((node) => node.up), dice = Math.random();
    if (!up.length) { await sleep(50); continue; }
    if (dice < 0.1) {
      const { type, metadata } = fresh(dice < 0.05), created = await write(nodes, 'POST', '/resources', { type, name: 'soak', metadata });
      if (created.status !== 201) { report(`a create answered ${created.status} ${created.code}`); continue; }
      know(created.data, [[1, 0]]);
      const reader = pick(nodes.filter((node) => node.up).concat(up[0])), { life } = reader;
      const list = await ask(reader, 'GET', `/resources?type=${type}&limit=200&fields=id,createdAt`);
      // A node that was paused with a request answers when others are far ahead: with an old page, or of a create that is behind the page by now.
      const isBehind = list?.data?.length === 200 && list.data.at(-1).createdAt > created.data.createdAt;
      if (list?.status === 200 && reader.life === life && !isBehind && !list.data.some((row) => row.id === created.data.id)) report(`a list lacks ${created.data.id}, which was created before`);
      continue;
    }
    const [id, mine] = pick([...known]);
    if (dice < 0.12 && mine.key) {
      const again = await write(nodes, 'POST', '/resources', { type: typed, name: 'soak', metadata: { n: 0, key: mine.key } });
      if (again.code !== 'NOT_UNIQUE') report(`a create with a value that is taken answered ${again.status} ${again.code}`);
    } else if (dice < 0.6) {
      const floor = mine.version, read = await ask(pick(up), 'GET', `/resources/${id}`);
      if (read && read.status !== 200) report(`${id} answered ${read.status}`);
      if (read?.status === 200 && read.data.version < floor) report(`${id} is at ${floor}, a read showed ${read.data.version}`);
    } else {
      const n = Math.floor(Math.random() * 2 ** 50), patched = await write(nodes, 'PATCH', `/resources/${id}`, { metadata: { n } });
      if (patched.status !== 200) { report(`a patch answered ${patched.status} ${patched.code}`); continue; }
      mine.writes.push([patched.data.version, n]);
      mine.version = Math.max(mine.version, patched.data.version);
    }
  }
}

/** Every acknowledged write is in the history once, at the version that was answered. */
async function verify(node) {
  let lost = 0, checked = 0;
  for (const [id, { writes }] of known) {
    const history = [];
    for (let after = 0; ;) {
      const page = await node.get(`/resources/${id}/events?limit=1000&after=${after}`);
      history.push(...page.data);
      if (page.data.length < 1000) break;
      after = page.data.at(-1).position;
    }
    const numbers = history.map((event) => event.data?.metadata?.n);
    for (const [version, n] of writes) {
      checked++;
      const times = numbers.filter((other) => other === n).length;
      if (times === 1 && numbers[version - 1] === n) continue;
      lost++;
      report(`${id}: the write of version ${version} is there ${times} times, and that version is ${numbers[version - 1]}`);
    }
  }
  return { lost, checked };
}

// ---- The faults ----

const down = (node) => { node.up = false; node.life++; };

async function startAgain(node) {
  if (node.child.exitCode === null && node.child.signalCode === null) await node.closed;
  const { exitCode, signalCode } = node.child;
  if (signalCode !== 'SIGKILL' && ![0, 75].includes(exitCode)) report(`node ${node.index} ended with ${exitCode ?? signalCode}\n${node.log.slice(-2000)}`);
  // As a supervisor does: 75 asks for another start.
  for (let attempt = 1; ; attempt++)
    try {
      await node.start();
      break;
    } catch (error) {
      if (attempt === 5 || node.child.exitCode !== 75) throw error;
    }
  await ready(node);
}
const ready = async (node) => {
  await until(`node ${node.index} is ready`, async () => node.child.exitCode !== null || (await fetch(node.base + '/health/ready', { signal: AbortSignal.timeout(2_000) })).ok, 120, 50);
  node.up = node.child.exitCode === null;
};

/** Each answers when its node or server is whole again; <c>mark</c> tells when the service may begin to recover. */
const kinds = {
  async kill(node, mark) { down(node); node.child.kill('SIGKILL'); mark(); await sleep(between(500, 5_000)); await startAgain(node); },
  async stop(node, mark) { down(node); node.child.kill('SIGTERM'); mark(); await node.closed; await startAgain(node); },
  async pause(node, mark) {
    down(node);
    node.child.kill('SIGSTOP');
    mark();
    await sleep(between(500, 15_000));
    node.child.kill('SIGCONT');
    // Whether it was replaced meanwhile: then it ends by itself, and is started as a supervisor would.
    await Promise.race([node.closed, sleep(5_000).then(() => ready(node))]);
    if (!node.up) await startAgain(node);
  },
  async crashDatabase(node, mark) { crashPostgres(); mark(); },
  async pauseDatabase(node, mark) { await pausePostgres(between(300, 4_000)); mark(); },
};

async function harm(nodes) {
  const name = chosen[between(0, chosen.length)], up = nodes.filter((node) => node.up);
  const isOfDatabase = /Database/.test(name);
  // A server that is paused cannot be stopped.
  if (isOfDatabase ? faults.some((fault) => /Database/.test(fault.name) && !fault.whole) : up.length < 2) return;
  const node = up[between(0, up.length)], fault = { name: /Database/.test(name) ? name : `${name} ${node.index}`, from: Date.now(), mark: null };
  faults.push(fault);
  await kinds[name](node, () => { fault.mark = Date.now(); });
  fault.whole = Date.now();
}

/** Runs faults, alone or two at once, and says how long the service took to answer everything again. */
async function harmAgainAndAgain(nodes, end) {
  let longest = 0;
  while (Date.now() < end) {
    const first = faults.length;
    const running = [harm(nodes)];
    if (random() < pairs) { await sleep(between(100, 4_000)); running.push(harm(nodes)); }
    await Promise.all(running);
    await sleep(8_000);
    const group = faults.slice(first);
    if (!group.length) continue;
    const since = Math.max(...group.map((fault) => fault.mark));
    const after = failures.filter((failure) => failure.at > since), recovery = after.length ? Math.max(...after.map((failure) => failure.at)) - since : 0;
    longest = Math.max(longest, recovery);
    console.log(`${at(since)}  ${group.map((fault) => fault.name).join(' + ').padEnd(30)} back after ${(recovery / 1000).toFixed(1)} s   ${after.length} failed`);
    if (recovery > mostRecovery) report(`back after ${recovery} ms, last: ${after.slice(-3).map((failure) => `node ${failure.node} ${failure.what}`).join('; ')}`);
    failures.length = 0;
  }
  return longest;
}

await main(minutes + 15, async () => {
  header();
  console.log(`seed     ${seed}\n`);
  const database = await startPostgres(), nodes = [];
  for (let index = 0; index < count; index++) nodes.push(Object.assign(await startNode({ database }), { index, up: true, life: 0 }));
  const declared = await nodes[0].send('POST', '/types', definition);
  if (declared.status !== 201) throw new Error(`the type was answered ${declared.status} ${declared.code}`);
  for (let i = 0; i < 100; i++) know((await nodes[i % count].send('POST', '/resources', { name: 'soak', ...fresh(i % 2 === 1) })).data, []);
  const load = Array.from({ length: workers }, () => work(nodes));
  await sleep(5_000);
  failures.length = 0;
  const longest = await harmAgainAndAgain(nodes, Date.now() + 60_000 * minutes);
  over = true;
  await Promise.all(load);
  const { lost, checked } = await verify(nodes.find((node) => node.up));
  console.log(`\n${faults.length} faults, ${requests} requests, ${unknown} writes sent again; ${checked} acknowledged writes checked, ${lost} lost; longest recovery ${(longest / 1000).toFixed(1)} s; ${problems.length} problems`);
  if (problems.length || !checked || !faults.length) process.exitCode = 1;
});
