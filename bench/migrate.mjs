#!/usr/bin/env node
// A migration of stored data that comes with a change of a type: how many resources a node migrates each second, and whether each is migrated once.
//   node bench/migrate.mjs [--resources 100000]
// Needs node 20, dotnet and PostgreSQL's server programs. Loopback only; everything it starts it ends.
import { cpu, header, main, migrate, number, psql, sleep, startNode, startPostgres, until } from './common.mjs';
import { compareWithLog } from './fold.mjs';
import { seed } from './seed.mjs';

// Three of ten seeded resources are books.
const resources = Math.floor(number('resources', 100_000)), type = 'book', any = { 'if-match': '*' };
const known = { sku: { type: 'string' }, category: { type: 'string' }, tags: { type: 'array' }, title: { type: 'string' } };
const schema = (properties, required) => ({ type: 'object', additionalProperties: false, required, properties: { ...known, ...properties } });
const old = { name: type, schema: schema({ price: { type: 'number' }, stock: { type: 'number' } }, ['price', 'stock']) };
const now = {
  name: type, schema: schema({ unitPrice: { type: 'number' }, stock: { type: 'string' }, currency: { type: 'string' } }, ['unitPrice', 'stock', 'currency']),
  migration: [
    { op: 'move', from: '/metadata/price', path: '/metadata/unitPrice' }, { op: 'convert', path: '/metadata/stock', to: 'string' },
    { op: 'default', path: '/metadata/currency', value: 'EUR' }, { op: 'map', path: '/metadata/category', values: { c1: 'first', c2: 'second' } },
  ],
};

await main(60, async () => {
  header();
  const database = await startPostgres();
  await migrate(database);
  await seed(database, Math.ceil(resources / 0.3));
  const node = await startNode({ database });
  await node.rebuild(600 + resources / 100);
  const ask = async (method, path, body) => {
    const began = Date.now(), answer = await node.send(method, path, body, any);
    if (answer.status >= 300) throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer).slice(0, 500)}`);
    const change = await until('the change', async () => {
      const { data } = await node.get(`/types/${type}/change`);
      return data.state === 'in_force' && data;
    }, 600 + resources / 100, 50);
    return { ...change, seconds: (Date.now() - began) / 1000 };
  };
  const declared = await ask('POST', '/types?wait=0', old);
  await sleep(3000);
  const before = cpu(node), changed = await ask('PUT', `/types/${type}?wait=0`, now), after = cpu(node);

  const at = async (event) => Number(await psql(database, `select extract(epoch from max(timestamp)) from mt_events where type = 'type.${event}'`));
  const [proposed, begun, closing, over] = await Promise.all(['change_proposed', 'migration_begun', 'migration_closing', 'changed'].map(at));
  const [events, migrated, live] = (await psql(database, `
    select count(*), count(distinct stream_id), (select count(*) from resource_views where type = '${type}' and deleted_at is null) from mt_events where type = 'resource.migrated'
  `)).split('|').map(Number);
  const left = Number(await psql(database, `select count(*) from resource_views where type = '${type}' and (not metadata ? 'unitPrice' or metadata ? 'price' or jsonb_typeof(metadata -> 'stock') <> 'string')`));
  console.log(`\ndeclared ${live} resources checked in ${declared.seconds.toFixed(1)} s: ${(live / declared.seconds).toFixed(0)}/s`);
  console.log(`checked  ${(begun - proposed).toFixed(1)} s under the migration: ${(live / (begun - proposed)).toFixed(0)}/s`);
  console.log(`migrated ${migrated} resources in ${(closing - begun).toFixed(1)} s: ${(migrated / (closing - begun)).toFixed(0)}/s; the rest ${(over - closing).toFixed(1)} s, all of the change ${changed.seconds.toFixed(1)} s`);
  const each = (ms) => `${(1000 * ms / migrated).toFixed(0)} µs`;
  console.log(`cpu      ${each(after.node - before.node)} in the node and ${each(after.postgres - before.postgres)} in PostgreSQL for each resource, check and read model included`);
  const { differences, ...sizes } = await compareWithLog(database);
  console.log(`fold     ${sizes.events} events of ${sizes.resources} resources: ${differences.length} differences; ${left} resources in the old form, ${events - migrated} migrated twice`);
  if (differences.length || left || events !== live || migrated !== live) process.exitCode = 1;
});
