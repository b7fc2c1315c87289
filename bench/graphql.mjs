#!/usr/bin/env node
// What GraphQL costs beside REST: a page of 20 resources with 8 members, with two references, a resource by its id, and a create; by turns
// on one node, and the ratios of their CPU per request.
//   node bench/graphql.mjs [--seconds 3] [--rounds 12] [--connections 32] [--changes 1000] [--nodes 1] [--only changes]
// Then a type changes so many times beside queries of another, each time through another node: none fails, the next node knows the
// change in the next request, and the memory of the nodes stays as it is.
import * as common from './common.mjs';

const { number, option, quantile } = common;
const seconds = number('seconds', 3), rounds = number('rounds', 12), connections = number('connections', 32), count = 2000, changes = number('changes', 1000), many = number('nodes', 1);
const properties = { isbn: { type: 'string' }, title: { type: 'string' }, price: { type: 'number' }, pages: { type: 'integer' }, open: { type: 'boolean' }, year: { type: 'integer' }, author: { type: 'string' }, editor: { type: 'string' } };
const book = { name: 'book', schema: { type: 'object', additionalProperties: false, properties }, references: { '/metadata/author': { type: 'author' }, '/metadata/editor': { type: 'author' } } };
const members = 'isbn title price pages open year authorId editorId', row = (more) => `{ books(first: 20) { nodes { id name status metadata { ${members} ${more} } } pageInfo { hasNextPage endCursor } } }`;

const graph = (query, variables) => `
wrk.headers["Content-Type"] = "application/json"
local body = [[${JSON.stringify({ query, variables })}]]
request = function() return wrk.format("POST", "/api/v1/graphql", nil, body) end
`;
const one = (ids, format) => `
local ids, n = {${ids.map((id) => `"${id}"`).join(',')}}, 0
wrk.headers["Content-Type"] = "application/json"
request = function() n = n + 1 local id = ids[n % #ids + 1] return ${format} end
`;
const rest = (path) => `request = function() return wrk.format("GET", "/api/v1${path}") end\n`;
const create = (format) => `
local n = 0
wrk.headers["Content-Type"] = "application/json"
request = function() n = n + 1 return ${format} end
`;

await common.main(60, async () => {
  common.header();
  const database = many > 1 ? await common.startPostgres() : undefined, nodes = [];
  // With so little memory a node ends that keeps the schemas of all changes.
  const env = option('only') === 'changes' ? { DOTNET_GCHeapHardLimit: '0x16000000' } : {};
  for (let i = 0; i < many; i++) nodes.push(await common.startNode({ database, env }));
  const [node] = nodes;
  const made = async (path, body) => {
    const answer = await node.send('POST', path, body);
    if (answer.status !== 201) throw new Error(`POST ${path} answered ${answer.status}: ${JSON.stringify(answer).slice(0, 500)}`);
    return answer.data.id;
  };
  await made('/types', { name: 'author', schema: { type: 'object' } });
  await made('/types', book);
  const each = async (many, one) => { const all = []; for (let at = 0; at < many; at += 50) all.push(...await Promise.all(Array.from({ length: 50 }, (_, i) => one(at + i)))); return all; };
  const authors = await each(100, (i) => made('/resources', { type: 'author', name: `author ${i}` }));
  const metadata = (i) => ({ isbn: String(i), title: 'A book of some length', price: 12.5, pages: 320, open: true, year: 1808, author: authors[i % 100], editor: authors[i * 7 % 100] });
  const ids = await each(count, (i) => made('/resources', { type: 'book', name: 'hello world', metadata: metadata(i) }));
  const byId = JSON.stringify({ query: `query($id: ID!) { book(id: $id) { id name status metadata { ${members} } } }`, variables: { id: '#' } }).replace('#', `]] .. id .. [[`);
  const input = JSON.stringify({ query: 'mutation($input: BookInput!) { createBook(input: $input) { book { id version } position } }', variables: { input: { name: 'hello world', metadata: metadata(1) } } });
  const pairs = {
    'list of 20': [rest('/resources?type=book&limit=20'), graph(row('')), 1.8],
    'with two references': [rest('/resources?type=book&limit=20'), graph(row('author { id name } editor { id name }')), 2.6],
    'expanded by REST, too': [rest('/resources?type=book&limit=20&expand=author,editor'), graph(row('author { id name } editor { id name }')), null],
    'by id': [one(ids, 'wrk.format("GET", "/api/v1/resources/" .. id)'), one(ids, `wrk.format("POST", "/api/v1/graphql", nil, [[${byId}]])`), 1.6],
    create: [create(`wrk.format("POST", "/api/v1/resources", nil, [[${JSON.stringify({ type: 'book', name: 'hello world', metadata: metadata(1) })}]])`), create(`wrk.format("POST", "/api/v1/graphql", nil, [[${input}]])`), null],
  };
  if (option('only') === 'changes') return change(nodes, made);
  console.log('\nwork                     REST: node µs   all µs   GraphQL: node µs   all µs   node ratio (quartiles)    all ratio (quartiles)   refused');
  for (const [work, [plain, other, goal]] of Object.entries(pairs)) {
    const costs = { plain: [], other: [] };
    // The first round is not counted: hot code is compiled for speed in it.
    for (let round = 0; round <= rounds; round++)
      for (const kind of round % 2 ? ['plain', 'other'] : ['other', 'plain']) {
        const before = common.cpu(node), result = await common.wrk(node, kind === 'plain' ? plain : other, { connections, seconds: round ? seconds : 8 }), after = common.cpu(node);
        const cost = (ms) => 1000 * ms / Math.max(result.requests, 1), own = cost(after.node - before.node);
        if (round) costs[kind].push({ node: own, all: own + cost(after.postgres - before.postgres), bad: result.bad });
      }
    const median = (kind, of) => quantile(costs[kind].map(of), 0.5).toFixed(0).padStart(8);
    const ratios = (of) => [0.5, 0.25, 0.75].map((q) => quantile(costs.other.map((each, i) => of(each) / of(costs.plain[i])), q));
    const shown = (of) => ratios(of).map((each) => each.toFixed(3)).join(' ').replace(/ (\S+) (\S+)$/, ' ($1 to $2)');
    const bad = [...costs.plain, ...costs.other].reduce((sum, { bad }) => sum + bad, 0), [ratio] = ratios(({ all }) => all);
    console.log(`${work.padEnd(24)} ${median('plain', ({ node }) => node).padStart(13)} ${median('plain', ({ all }) => all)} ${median('other', ({ node }) => node).padStart(18)} ${median('other', ({ all }) => all)}   ${shown(({ node }) => node)}   ${shown(({ all }) => all)} ${String(bad).padStart(9)}   ${goal ? `goal ${goal}${ratio <= goal ? '' : ' MISSED'}` : ''}`);
  }

  await change(nodes, made);
});

/** Changes a type again and again beside queries of another. */
async function change(nodes, made) {
  // Twenty more types, so that a schema is of some size.
  for (let i = 0; i < 20; i++) await made('/types', { name: `shelf${i}`, schema: book.schema });
  const failed = [], sizes = [], ask = (node, query) => node.send('POST', '/graphql', { query });
  const heap = async (node) => common.total(await common.scrape(node), 'dotnet_gc_last_collection_heap_size_bytes');
  let isOver = false, asked = 0;
  const asking = nodes.map(async (node) => {
    for (; !isOver; asked++) { const answer = await ask(node, row('')); if (answer.status !== 200 || answer.errors) failed.push(JSON.stringify(answer).slice(0, 300)); }
  });
  const began = Date.now();
  for (let i = 1; i <= changes; i++) {
    // What a definition no longer has is taken away by null.
    const properties = { [`m${i}`]: { type: 'string' }, ...(i > 1 && { [`m${i - 1}`]: null }) };
    const answer = await nodes[i % nodes.length].send('PATCH', '/types/author', { schema: { properties } }, { 'if-match': '*', 'content-type': 'application/merge-patch+json' });
    if (answer.status !== 200) failed.push(`change ${i}: ${answer.status} ${JSON.stringify(answer).slice(0, 200)}`);
    const shown = await ask(nodes[(i + 1) % nodes.length], `{ authors(first: 1) { nodes { metadata { m${i} } } } }`);
    if (shown.data?.authors.nodes[0].metadata[`m${i}`] !== null) failed.push(`change ${i} is not known: ${JSON.stringify(shown).slice(0, 200)}`);
    if (i % 100 === 0) sizes.push(await Promise.all(nodes.map(heap)));
  }
  const seconds = (Date.now() - began) / 1000;
  isOver = true;
  await Promise.all(asking);
  console.log(`\n${changes} changes of a type of 22 in ${seconds.toFixed(0)} s, beside ${(asked / seconds).toFixed(0)} queries/s of another at ${nodes.length} nodes: ${failed.length} operations failed`);
  console.log(`MB of heap after the last collection, each 100 changes: ${sizes.map((each) => each.map((size) => (size / 1e6).toFixed(0)).join('/')).join(' ')}`);
  for (const each of failed.slice(0, 5)) console.log(each);
  if (failed.length) process.exitCode = 1;
}
