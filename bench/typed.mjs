#!/usr/bin/env node
// What a declared type costs: creates of free resources and of typed ones, and PATCHes of both, by turns on one node, and the ratios of
// their CPU per request.
//   node bench/typed.mjs [--seconds 3] [--rounds 12] [--connections 64]
// All have the same body of 20 members. The kinds: a schema alone; and with one unique value and one reference.
import * as common from './common.mjs';

const { number, quantile } = common;
const seconds = number('seconds', 3), rounds = number('rounds', 12), connections = number('connections', 64);
const plain = { title: 'A book of some length', isbn: '#', shelf: 'upper', pages: 320, price: 12.5, stock: 7, open: true, author: '@', year: 1808, language: 'de', format: 'paper', weight: 430, rating: 4.5, edition: 3, tags: ['drama', 'classic'], series: 'none', place: 'Leipzig', publisher: 'Nobody', note: 'two words', currency: 'EUR' };
const schemaOf = (value) => Array.isArray(value) ? { type: 'array', items: { type: 'string' }, maxItems: 20 } : typeof value === 'number' ? { type: 'number', minimum: 0 } : typeof value === 'boolean' ? { type: 'boolean' } : { type: 'string', maxLength: 200 };
const schema = { type: 'object', additionalProperties: false, required: Object.keys(plain), properties: Object.fromEntries(Object.entries(plain).map(([name, value]) => [name, schemaOf(value)])) };
const kinds = {
  free: null,
  schema: { name: 'schema', schema },
  whole: { name: 'whole', schema, unique: { isbn: { members: ['/metadata/isbn'] } }, references: { '/metadata/author': { type: 'author' } } },
};

/** A script of creates: each with a value of its own, as a unique rule asks for. */
const create = (kind, authors, run) => `
local authors, n = {${authors.map((id) => `"${id}"`).join(',')}}, 0
wrk.headers["Content-Type"] = "application/json"
local first, second, last = '${JSON.stringify({ type: kind, name: 'hello world', metadata: plain }).replace('"#"', "\"' , '").replace('"@"', "\"', '")}'
request = function() n = n + 1 return wrk.format("POST", "/api/v1/resources", nil, first .. "${run}-" .. n .. '"' .. second .. authors[n % #authors + 1] .. '"' .. last) end
`;
const patch = (ids) => `
local ids, n = {${ids.map((id) => `"${id}"`).join(',')}}, 0
wrk.headers["Content-Type"] = "application/merge-patch+json"
request = function() n = n + 1 return wrk.format("PATCH", "/api/v1/resources/" .. ids[n % #ids + 1], nil, '{"metadata":{"stock":' .. n .. '}}') end
`;

await common.main(60, async () => {
  common.header();
  const node = await common.startNode();
  const made = async (path, body) => {
    const answer = await node.send('POST', path, body);
    if (answer.status !== 201) throw new Error(`POST ${path} answered ${answer.status}: ${JSON.stringify(answer).slice(0, 500)}`);
    return answer.data.id;
  };
  await made('/types', { name: 'author', schema: { type: 'object' } });
  for (const type of Object.values(kinds)) if (type) await made('/types', type);
  const each = (count, one) => Promise.all(Array.from({ length: count }, (_, i) => one(i)));
  const authors = await each(100, (i) => made('/resources', { type: 'author', name: `author ${i}` }));
  const ids = {};
  for (const kind of Object.keys(kinds)) ids[kind] = await each(500, (i) => made('/resources', { type: kind, name: 'hello world', metadata: { ...plain, isbn: `first-${i}`, author: authors[i % 100] } }));
  console.log('\nwork     type      node µs   all µs   node ratio (quartiles)    all ratio (quartiles)   refused');
  for (const work of ['create', 'patch']) {
    const costs = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, []]));
    // The first round is not counted: hot code is compiled for speed in it.
    for (let round = 0; round <= rounds; round++) {
      // Who goes first changes, so that what one leaves behind falls on all.
      const order = Object.keys(kinds);
      for (let i = 0; i < round % order.length; i++) order.push(order.shift());
      for (const kind of order) {
        const script = work === 'create' ? create(kind, authors, `${kind}-${round}`) : patch(ids[kind]);
        const before = common.cpu(node), result = await common.wrk(node, script, { connections, seconds: round ? seconds : 10 }), after = common.cpu(node);
        const cost = (ms) => 1000 * ms / Math.max(result.requests, 1), own = cost(after.node - before.node);
        if (round) costs[kind].push({ node: own, all: own + cost(after.postgres - before.postgres), bad: result.bad });
      }
    }
    for (const [kind, all] of Object.entries(costs)) {
      const median = (of) => quantile(all.map(of), 0.5).toFixed(0).padStart(9);
      const ratio = (of) => [0.5, 0.25, 0.75].map((q) => quantile(all.map((one, i) => of(one) / of(costs.free[i])), q).toFixed(3)).join(' ').replace(/ (\S+) (\S+)$/, ' ($1 to $2)');
      console.log(`${work.padEnd(8)} ${kind.padEnd(8)} ${median(({ node }) => node)} ${median(({ all }) => all)}   ${ratio(({ node }) => node)}   ${ratio(({ all }) => all)} ${String(all.reduce((sum, { bad }) => sum + bad, 0)).padStart(9)}`);
    }
  }
});
