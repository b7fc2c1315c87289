#!/usr/bin/env node
// Our GraphQL server beside schemas that were written by hand (peer-servers.mjs), on mercurius and on Apollo Server: a page of 20
// resources with 8 members and a reference each, by turns, from the same rows of one PostgreSQL.
//   node bench/graphql-peers.mjs [--seconds 5] [--rounds 5] [--connections 32] [--warm 30]
// Each peer is one process of Node.js, so one thread; ours takes what the cores have left. The CPU per request is the fair figure.
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import * as common from './common.mjs';

const { number, quantile } = common;
const seconds = number('seconds', 5), rounds = number('rounds', 5), connections = number('connections', 32), warm = number('warm', 30);
const packages = {
  mercurius: '16.10.1', fastify: '5.12.8', '@apollo/server': '5.5.1', graphql: '16.15.0', pg: '8.23.1', dataloader: '2.2.3',
};
const titles = { ours: 'ours', mercurius: 'mercurius', dataloader: 'mercurius with dataloader', apollo: 'apollo' };
const goals = { mercurius: 1.5, dataloader: null, apollo: 4 }, count = 2000, token = 'a token of the peers';

const [string, author] = [{ type: 'string' }, { type: 'author' }];
const properties = {
  isbn: string, title: string, price: { type: 'number' }, pages: { type: 'integer' }, open: { type: 'boolean' },
  year: { type: 'integer' }, author: string, editor: string,
};
const book = {
  name: 'book', schema: { type: 'object', additionalProperties: false, properties },
  references: { '/metadata/author': author, '/metadata/editor': author },
};
const members = 'isbn title price pages open year authorId editorId author { id name }';
const query = (after) => `{ books(first: 20${after ? `, after: "${after}"` : ''}) {
  nodes { id name status metadata { ${members} } } pageInfo { hasNextPage endCursor } } }`;

async function fill(node) {
  const made = async (path, body) => {
    const answer = await node.send('POST', path, body);
    if (answer.status !== 201) throw new Error(`POST ${path} answered ${answer.status}: ${JSON.stringify(answer).slice(0, 500)}`);
    return answer.data.id;
  };
  const each = async (many, one) => {
    const all = [];
    for (let at = 0; at < many; at += 50) all.push(...await Promise.all(Array.from({ length: 50 }, (_, i) => one(at + i))));
    return all;
  };
  await made('/types', { name: 'author', schema: { type: 'object' } });
  await made('/types', book);
  const authors = await each(100, (i) => made('/resources', { type: 'author', name: `author ${i}` }));
  await each(count, (i) => made('/resources', {
    type: 'book', name: `hello world ${i}`, metadata: {
      isbn: String(i), title: 'A book of some length', price: i + 0.5, pages: 320, open: i % 2 === 0, year: 1808,
      author: authors[i % 100], editor: authors[i * 7 % 100],
    },
  }));
}

async function startPeer(kind, database, children) {
  const env = { ...process.env, NODE_ENV: 'production', DATABASE: database, TOKEN: token };
  const child = fork(join(common.scratch(), 'peer-servers.mjs'), [kind], { env });
  children.push(child);
  const failed = once(child, 'exit').then(([code]) => { throw new Error(`${kind} ended with ${code}`); });
  const [port] = await Promise.race([once(child, 'message', { signal: AbortSignal.timeout(30_000) }), failed]);
  return { base: `http://127.0.0.1:${port}`, path: '/', token, pid: child.pid };
}

async function ask({ base, path, token }, text, credential = token) {
  const headers = { authorization: 'Bearer ' + credential, 'content-type': 'application/json' };
  const request = { method: 'POST', headers, body: JSON.stringify({ query: text }), signal: AbortSignal.timeout(10_000) };
  const answer = await fetch(base + path, request);
  return { status: answer.status, text: await answer.text() };
}

/** The rows of a page, the place behind them, and the size of the answer. */
async function page(server, after) {
  const { status, text } = await ask(server, query(after)), { data, errors } = JSON.parse(text), list = data?.books;
  const isWhole = status === 200 && !errors && list.nodes.length === 20 && list.pageInfo.hasNextPage;
  if (!isWhole || list.nodes.some(({ metadata }) => !metadata.author))
    throw new Error(`${server.base} answered ${status}: ${text.slice(0, 500)}`);
  return { rows: list.nodes, after: list.pageInfo.endCursor, bytes: text.length };
}

async function run(children) {
  const folder = common.scratch(), names = Object.entries(packages).map(([name, version]) => `${name}@${version}`);
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error', ...names],
    { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'], timeout: 180_000 });
  copyFileSync(new URL('peer-servers.mjs', import.meta.url), join(folder, 'peer-servers.mjs'));
  console.log(`peers    Node.js ${process.version} with ${names.join(' ')}`);

  const database = await common.startPostgres(), node = await common.startNode({ database });
  await fill(node);
  await common.psql(database, 'vacuum (analyze)');
  const ours = { base: node.base, path: '/api/v1/graphql', token: node.token, pid: node.pid }, servers = { ours };
  for (const kind of Object.keys(goals)) servers[kind] = await startPeer(kind, database, children);

  // All answer the same rows on two pages, and refuse a token that nobody knows.
  const first = await page(ours), second = await page(ours, first.after), sizes = [];
  const check = async (name) => {
    const { rows, after, bytes } = await page(servers[name]), { status } = await ask(servers[name], query(), 'unknown');
    const next = await page(servers[name], after);
    if (!isDeepStrictEqual([rows, next.rows], [first.rows, second.rows])) throw new Error(`${name} answers other rows`);
    if (status !== 401) throw new Error(`${name} answers ${status} to a token that nobody knows`);
    return bytes;
  };
  for (const name of Object.keys(servers)) sizes.push(await check(name));
  console.log(`answers  the same rows by all, in ${sizes.join(', ')} bytes`);
  console.log('         The peers compare the token with a text. They check no rights, bound nothing, and read list and references');
  console.log('         as of two moments. Ours checks rights, limits, freshness and cost, and reads both as of one moment.');

  const script = (path) => `
wrk.headers["Content-Type"] = "application/json"
local body = [[${JSON.stringify({ query: query() })}]]
request = function() return wrk.format("POST", "${path}", nil, body) end
`;
  const results = Object.fromEntries(Object.keys(servers).map((name) => [name, []]));
  // The first round is not counted: hot code is compiled for speed in it.
  for (let round = 0; round <= rounds; round++) {
    const order = Object.keys(servers);
    for (let i = 0; i < round % order.length; i++) order.push(order.shift());
    for (const name of order) {
      const server = servers[name], before = common.cpu(server);
      const result = await common.wrk(server, script(server.path), { connections, seconds: round ? seconds : warm });
      const after = common.cpu(server), cost = (of) => 1000 * (after[of] - before[of]) / Math.max(result.requests, 1);
      const [own, postgres] = [cost('node'), cost('postgres')];
      await check(name);
      if (round) results[name].push({ ...result, own, postgres, all: own + postgres });
      else if (result.bad) throw new Error(`${name}: ${result.bad} bad answers`);
    }
  }
  // What our node does without requests falls on the others, too.
  const before = common.cpu(ours);
  await common.sleep(5000);
  const after = common.cpu(ours), share = (of) => `${((after[of] - before[of]) / 50).toFixed(1)} %`;
  console.log(`idle     our node ${share('node')} and PostgreSQL ${share('postgres')} of a core`);

  console.log('\nserver                       requests/s   server µs   PostgreSQL µs   all µs   p50 ms   p99 ms   refused');
  for (const [name, all] of Object.entries(results)) {
    const bad = all.reduce((sum, each) => sum + each.bad, 0);
    const median = (of, width, digits = 0) => quantile(all.map((each) => each[of]), 0.5).toFixed(digits).padStart(width);
    const costs = `${median('own', 11)} ${median('postgres', 15)} ${median('all', 8)}`;
    const times = `${median('p50', 8, 1)} ${median('p99', 8, 1)}`;
    console.log(`${titles[name].padEnd(26)} ${median('rps', 12)} ${costs} ${times} ${String(bad).padStart(9)}`);
    if (bad) process.exitCode = 1;
  }
  console.log('\nours beside                requests/s: ours/theirs    server µs: theirs/ours     all µs: theirs/ours');
  for (const [name, goal] of Object.entries(goals)) {
    // Each is of one round, and above 1 where ours is better.
    const ratios = (of) => {
      const all = results.ours.map((each, i) => of(each, results[name][i]));
      return [0.5, 0.25, 0.75].map((q) => quantile(all, q).toFixed(2));
    };
    const rates = ratios((one, other) => one.rps / other.rps), cost = (of) => ratios((one, other) => other[of] / one[of]);
    const shown = [rates, cost('own'), cost('all')].map(([middle, low, high]) => `${middle} (${low} to ${high})`.padEnd(26));
    if (goal) shown.push(`goal ${goal}${rates[0] >= goal ? '' : ' MISSED'}`);
    console.log(`${titles[name].padEnd(26)} ${shown.join(' ').trimEnd()}`);
  }
}

await common.main(15, async () => {
  common.header();
  const children = [];
  // They go before their database does.
  try { await run(children); } finally { for (const child of children) child.kill(); }
});
