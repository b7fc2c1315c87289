#!/usr/bin/env node
// Documents, variables and sockets that were made to cost, sent to one node: each alone, then 32 at once beside a reader. Then a
// million documents that are asked for once beside 20 that are asked for all the time, and a thousand sockets that never say who they are.
//   node bench/graphql-attacks.mjs [--rounds 5] [--documents 1000000] [--sockets 1000]
// Needs node 20, dotnet, wrk and PostgreSQL's server programs. Loopback only.
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { header, main, number, quantile, scrape, sleep, startNode, until, wrk } from './common.mjs';

const rounds = number('rounds', 5), documents = number('documents', 1e6), sockets = number('sockets', 1000);
const most = { ms: 250, growth: 50, errors: 20, slower: 2, socket: 10 }, size = 60_000;
const books = 'books(first: 1)', times = (n, text) => Array.from({ length: n }, (_, i) => text.replaceAll('#', i)).join(' ');
const nested = (n, open, close = '', core = '') => open.repeat(n) + core + close.repeat(n);
const inlines = (n, core) => nested(n, '... on Query { ', ' }', core);

/** Hostile requests: what they are, the document, and its variables. */
function attacks() {
  const all = [];
  const add = (what, query, variables) => all.push({ what, body: { query, variables } });
  for (const n of [33, 20_000]) for (const [what, open] of [['selections', '{a'], ['lists', '['], ['objects', '{a:'], ['parentheses', '('], ['closing braces', '}']]) add(`${n} ${what} within each other`, nested(n, open));
  for (const n of [33, 10_000]) {
    add(`${n} lists as an argument`, `{ books(where: ${nested(n, '[', ']')}) { nodes { id } } }`);
    add(`${n} objects as an argument`, `{ books(where: ${nested(n, '{not:', '}', '{}')}) { nodes { id } } }`);
    add(`${n} wrappers of a variable's type`, `query($a: ${nested(n, '[', ']', 'Int')}) { __typename }`);
  }
  add('one field 2,000 times', `{ ${times(2_000, '__typename')} }`);
  add('one field 10,000 times', `{ ${times(Math.floor(size / 3), 'me')} }`);
  add('one list 900 times', `{ ${times(900, `${books} { nodes { id } }`)} }`);
  add('one list under 1,000 aliases', `{ ${times(1_000, `a#: ${books} { nodes { id } }`)} }`);
  add('20 lists of 200 with all below them', `{ ${times(20, 'a#: books(first: 200) { nodes { author { books(first: 200) { nodes { id } } } } totalCount }')} }`);
  add('lists of 200 in lists of 200', '{ books(first: 200) { nodes { author { books(first: 200) { nodes { author { books(first: 200) { nodes { id } } } } } } } }');
  add('a page of two thousand million', '{ books(first: 2147483647) { nodes { history(first: 2147483647) { nodes { id } } } } }');
  add('a page below zero', '{ books(first: -2147483648) { nodes { id } } }');
  add('400 inline fragments beside each other', `{ ${times(400, '... { __typename }')} }`);
  add('11,000 inline fragments', `{ ${times(6_000, '...{a}')} }`);
  add('30 inline fragments within each other', `{ ${inlines(29, '__typename')} }`);
  add('400 inline fragments within each other', `{ ${inlines(400, '__typename')} }`);
  add('inline fragments that merge', `{ ${times(100, `... on Query { ${books} { nodes { ... on Book { id name } } } }`)} }`);
  add('10,000 directives', `{ __typename ${times(10_000, '@aa')} }`);
  add('50 directives at 40 fields', `{ ${times(40, `a#: __typename ${'@include(if: true) '.repeat(6)}`)} }`);
  add('a directive 10,000 times at the operation', `query ${'@a '.repeat(10_000)} { __typename }`);
  add('a fragment that spreads itself', '{ ...A } fragment A on Query { ...A }');
  add('two fragments that spread each other', '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }');
  add('a circle of 50 fragments', `{ ...F0 } ${times(50, 'fragment F# on Query { ...G# }').replaceAll(/G(\d+)/g, (_, i) => `F${(Number(i) + 1) % 50}`)}`);
  add('22 fragments that double', `{ ...F0 } ${Array.from({ length: 22 }, (_, i) => `fragment F${i} on Query { ${i < 21 ? `...F${i + 1} ...F${i + 1}` : '__typename'} }`).join(' ')}`);
  add('4 fragments that spread ten times', `{ ...F0 } ${Array.from({ length: 4 }, (_, i) => `fragment F${i} on Query { ${i < 3 ? `...F${i + 1} `.repeat(10) : '__typename'} }`).join(' ')}`);
  add('1,000 fragments', `{ __typename } ${times(1_000, 'fragment F# on Query { __typename }')}`);
  add('1,000 fragments of one name', `{ ...F } ${times(1_000, 'fragment F on Query { __typename }')}`);
  add('1,000 operations', times(1_000, 'query Q# { __typename }'));
  add('1,000 variables', `query(${times(1_000, '$v#: Int')}) { __typename }`);
  add('1,000 variables of one name', `query(${times(1_000, '$v: Int')}) { __typename }`);
  add('1,000 variables that are not declared', `{ ${times(20, `a#: books(first: $v#) { nodes { id } }`)} ${times(900, 'b#: node(id: $v#) { id }')} }`);
  add('introspection 20 deep', `{ __schema { types { ${nested(20, 'fields { type { ', ' } }', 'name')} } } }`);
  add('introspection three lists deep, ten times', `{ ${times(10, 'a#: __schema { types { fields { args { type { name fields { name } } } } } }')} }`);
  add('5,000 fields that are not there', `{ ${times(4_900, 'no#')} }`);
  add('900 fields that are not there', `{ ${times(900, 'no#')} }`);
  add('900 arguments that are not there', `{ books(${times(900, 'no#: 1')}) { nodes { id } } }`);
  add('900 members of an input that are not there', `{ books(where: {${times(900, 'no#: 1')}}) { nodes { id } } }`);
  add('one argument 900 times', `{ books(${times(900, 'first: 1')}) { nodes { id } } }`);
  add('conflicts of 20 fields', `{ ${times(20, 'x: books(first: #) { nodes { id } }')} }`);
  add('conflicts below conflicts', `{ ${times(18, 'books(first: 1) { nodes { ...on Book { x: id } ...on Book { x: name } } }')} }`);
  add('a string of 60,000 characters', `{ node(id: "${'x'.repeat(size)}") { id } }`);
  add('a block string of quotes', `{ node(id: """${'\\"""'.repeat(size / 5)}""") { id } }`);
  add('a string that does not end', `{ node(id: "${'\\u0041'.repeat(size / 7)}`);
  add('a fault at the end of a long line', `{ a${' '.repeat(size)})`);
  add('a fault behind a long string', `{ a(b: "${'x'.repeat(size)}"}`);
  add('a fault behind 4,000 fields', `{ ${'some_fields '.repeat(4_000)})`);
  add('an escape that is none at the end of a string', `{ a(b: "${'x'.repeat(size)}\\q") }`);
  add('60,000 digits and a letter', `{ a(b: ${'1'.repeat(size)}x) }`);
  add('a comment of 60,000 characters', `#${'x'.repeat(size)}`);
  add('60,000 commas', ','.repeat(size));
  add('60,000 byte order marks', '\uFEFF'.repeat(size / 3));
  add('a number of 60,000 digits', `{ books(first: ${'9'.repeat(size)}) { nodes { id } } }`);
  add('a number with an exponent of 50,000 digits', `{ books(where: {price: {eq: 1e${'9'.repeat(50_000)}}}) { nodes { id } } }`);
  add('a name of 60,000 characters', `{ ${'a'.repeat(size)} }`);
  add('a name of the operation of 60,000 characters', `query ${'a'.repeat(size)} { __typename }`);
  add('types in the document', times(500, 'type A# { a: Int }'));
  add('a filter with 2,000 parts', `{ books(filter: ${JSON.stringify(Array.from({ length: 2_000 }, (_, i) => `name = "${i}"`).join(' OR '))}) { nodes { id } } }`);
  add('a filter 500 deep', `{ books(filter: ${JSON.stringify(nested(500, 'NOT (', ')', 'name = "a"'))}) { nodes { id } } }`);
  add('a where with 900 parts', `{ books(where: {or: [${times(900, '{name: {eq: "#"}}')}]}) { nodes { id } } }`);
  add('1,000 sorts', `{ books(sort: [${times(1_000, 'NAME_ASC')}]) { nodes { id } } }`);
  add('a variable of 1,000 parts', 'query($w: BookWhere) { books(where: $w) { nodes { id } } }', { w: { or: Array.from({ length: 1_000 }, (_, i) => ({ name: { eq: `${i}` } })) } });
  add('a variable 60 deep', 'query($w: BookWhere) { books(where: $w) { nodes { id } } }', { w: JSON.parse(nested(60, '{"not":', '}', '{}')) });
  add('variables that nobody declares', '{ __typename }', Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`v${i}`, i])));
  add('a mutation 900 times', `mutation { ${times(900, 'deleteResource(id: "00000000-0000-7000-8000-000000000000") { position }')} }`);
  add('a subscription of 20 fields', `subscription { ${times(20, 'a#: events { id }')} }`);
  return all;
}

const memory = (node) => Number(readFileSync(`/proc/${node.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]) / 1024;

/** What a socket is told in the end, which never says who it is: the code, and how long that took. */
const silent = (node) => new Promise((resolve) => {
  const { hostname, port } = new URL(node.base), began = performance.now(), parts = [];
  const socket = connect(Number(port), hostname, () => socket.write(`GET /api/v1/graphql HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16, 1).toString('base64')}\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n`));
  const told = () => {
    const all = Buffer.concat(parts), head = all.indexOf('\r\n\r\n'), status = head < 0 ? 0 : Number(all.toString('latin1', 9, 12));
    return { status, code: status === 101 && all.length >= head + 8 && all[head + 4] === 0x88 ? all.readUInt16BE(head + 6) : null, seconds: (performance.now() - began) / 1000 };
  };
  socket.on('data', (part) => { parts.push(part); const { status, code } = told(); if (code || status && status !== 101) socket.destroy(); }).on('error', () => {}).on('close', () => resolve(told()));
});

await main(40, async () => {
  header();
  const node = await startNode({ env: { Overload__MaxConnectionsPerAddress: '20000' } }), problems = [], statuses = {};
  const made = async (path, body) => {
    const answer = await node.send('POST', path, body);
    if (answer.status !== 201) throw new Error(`POST ${path} answered ${answer.status}: ${JSON.stringify(answer).slice(0, 500)}`);
    return answer.data.id;
  };
  await made('/types', { name: 'author', schema: { type: 'object' } });
  await made('/types', { name: 'book', schema: { type: 'object', properties: { price: { type: 'number' }, author: { type: 'string' } } }, references: { '/metadata/author': { type: 'author', inverse: 'books' } } });
  const authors = [];
  for (let i = 0; i < 20; i++) authors.push(await made('/resources', { type: 'author', name: `author ${i}` }));
  for (let i = 0; i < 1000; i += 50) await Promise.all(Array.from({ length: 50 }, (_, n) => made('/resources', { type: 'book', name: `book ${i + n}`, metadata: { price: i + n, author: authors[n % 20] } })));

  const all = attacks(), least = new Map();
  const attack = async ({ what, body }) => {
    const began = performance.now(), answer = await node.send('POST', '/graphql', body, { accept: 'application/json' }), took = performance.now() - began;
    const codes = [...new Set((answer.errors ?? [answer]).map(({ extensions, code }) => extensions?.code ?? code ?? 'answered'))].join(' ');
    const name = `${answer.status} ${codes}`;
    statuses[name] = (statuses[name] ?? 0) + 1;
    if (answer.status >= 500 || codes.includes('INTERNAL')) problems.push(`${what}: ${answer.status} ${codes}`);
    if (answer.errors?.length > most.errors) problems.push(`${what}: ${answer.errors.length} errors`);
    if (/Exception|^\s+at /m.test(JSON.stringify(answer))) problems.push(`${what}: an exception is shown`);
    return took;
  };
  for (let round = 0; round < rounds; round++) for (const one of all) least.set(one.what, Math.min(least.get(one.what) ?? Infinity, await attack(one)));
  console.log(`\n${all.length} requests, each alone, the least of ${rounds} times: ${[...least].sort(([, a], [, b]) => b - a).slice(0, 5).map(([what, ms]) => `${ms.toFixed(0)} ms ${what}`).join('; ')}`);
  for (const [what, ms] of least) if (ms > most.ms) problems.push(`${what} takes ${ms.toFixed(0)} ms alone`);

  // A reader at a fixed rate, first beside the same number of harmless requests: what a full machine does to it is not the attacks' doing.
  const beside = async (send) => {
    const took = [], sending = [];
    let isOver = false;
    const attackers = Array.from({ length: 32 }, async (_, at) => { for (let n = at; !isOver; n += 32) await send(n); });
    for (let n = 0; n < 400; n++) {
      sending.push((async () => { const began = performance.now(); await node.get(`/resources?type=book&limit=20`); took.push(performance.now() - began); })());
      await sleep(25);
    }
    await Promise.all(sending);
    isOver = true;
    await Promise.all(attackers);
    return quantile(took, 0.99);
  };
  const plain = { query: '{ books(first: 20) { nodes { id name } } }' };
  await beside(() => node.send('POST', '/graphql', plain));
  const before = memory(node), usual = await beside(() => node.send('POST', '/graphql', plain)), attacked = await beside((n) => attack(all[n % all.length])), grown = memory(node) - before;
  console.log(`32 at once: p99 of a list beside it ${attacked.toFixed(0)} ms, ${usual.toFixed(0)} ms beside 32 clients of a list; resident memory ${grown.toFixed(0)} MB more`);
  if (attacked > most.slower * usual) problems.push(`others wait ${(attacked / usual).toFixed(1)} times as long`);
  if (grown > most.growth) problems.push(`the node grew by ${grown.toFixed(0)} MB`);
  for (const [name, count] of Object.entries(statuses).sort()) console.log(`${String(count).padStart(8)}  ${name}`);

  // Every second request is one of the 20.
  const cold = `
wrk.headers["Content-Type"] = "application/json"
local n, first = 0, FIRST
local many = string.rep("name status version owner createdAt updatedAt ", 12)
request = function()
  n = n + 1
  local q
  if n % 2 == 0 then q = "query Hot" .. (n / 2 % 20) .. " { __type(name: \\\\\\"Book\\\\\\") { name } ... @skip(if: true) { books { nodes { " .. many .. " } } } }"
  else q = "query Cold { __type(name: \\\\\\"" .. first + n .. "\\\\\\") { name } ... @skip(if: true) { books { nodes { " .. many .. " } } } }" end
  return wrk.format("POST", "/api/v1/graphql", nil, '{"query":"' .. q .. '"}')
end
`;
  const reused = async () => (await scrape(node)).find(({ name, labels }) => name === 'resources_graphql_documents_total' && labels.includes('kept'))?.value ?? 0;
  const sizes = [], rates = [];
  let sent = 0;
  await wrk(node, cold.replace('FIRST', 1e10), { connections: 32, seconds: 8 });
  while (sent < documents) {
    const before = await reused(), { requests, bad } = await wrk(node, cold.replace('FIRST', 1e9 + sent), { connections: 32, seconds: 10 });
    if (bad) problems.push(`${bad} bad answers`);
    rates.push(2 * (await reused() - before) / requests);
    sent += Math.ceil(requests / 2);
    sizes.push(memory(node));
  }
  const hits = Math.min(...rates), mean = (all) => all.reduce((sum, each) => sum + each, 0) / all.length, part = Math.ceil(sizes.length / 4);
  const grew = mean(sizes.slice(-part)) - mean(sizes.slice(part, 2 * part));
  console.log(`\n${sent} documents that are asked for once, beside 20 that are asked for as often: of those at least ${(100 * hits).toFixed(1)} % were kept in each 10 s`);
  console.log(`MB of memory after each: ${sizes.map((size) => size.toFixed(0)).join(' ')}; in the last quarter ${grew.toFixed(0)} more than in the second`);
  if (hits < 0.95) problems.push('the documents that are asked for often are not kept');
  if (grew > most.growth) problems.push('memory grows with documents');

  const settled = memory(node), waiting = Array.from({ length: sockets }, () => silent(node));
  await sleep(5_000);
  const open = Math.max(1, 1024 * (memory(node) - settled)), ends = await Promise.all(waiting), told = {}, kept = ends.filter(({ status }) => status === 101), each = open / kept.length;
  for (const { status, code } of ends) { const name = `${status} ${code ?? ''}`; told[name] = (told[name] ?? 0) + 1; }
  console.log(`\n${sockets} sockets that never say who they are: ${JSON.stringify(told)} after ${quantile(kept.map(({ seconds }) => seconds), 0.5).toFixed(1)} s; ${each.toFixed(1)} KB of resident memory each`);
  if (each > most.socket) problems.push(`a silent socket costs ${each.toFixed(1)} KB`);
  if (ends.some(({ status, code }) => code !== 4408 && status !== 429 && status !== 503)) problems.push('a silent socket is not ended by its code');
  await until('the node answers', async () => (await node.send('GET', '/types')).status === 200, 10);
  if (node.log.includes('Exception')) problems.push(`the log has an exception: ${node.log.match(/.{200}Exception.{200}/s)?.[0]}`);
  for (const problem of [...new Set(problems)]) console.log(`PROBLEM ${problem.slice(0, 400)}`);
  if (problems.length) process.exitCode = 1;
});
