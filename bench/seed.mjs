#!/usr/bin/env node
// Fills the event log with resources, one resource.created each, as a node would have written them over the last year.
//   node bench/seed.mjs --resources 1000000 (--database postgresql://… | --data-directory DIR) [--api http://localhost:8080 --token TOKEN]
// DIR is the data directory of a node with its embedded PostgreSQL, which must be running. Nodes may run meanwhile, but their writes wait
// for each transaction, and one that waits for 2 s is refused. Lists follow by themselves; a rebuild brings them there sooner: with --api and --token it is asked for.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { number, option, psql, sleep } from './common.mjs';

const perTransaction = 50_000, days = 365, consonants = 'bcdfghjklmnpqrstvwxz', vowels = 'aeiou';
export const words = 5000, categories = 1000;
/** Ten types, the last of them rare; nine of ten resources are active. */
export const types = ['book', 'article', 'product', 'order', 'customer', 'invoice', 'ticket', 'device', 'event', 'location'], statuses = ['active', 'draft', 'archived', 'suspended'];
const typesUpTo = [0.3, 0.5, 0.65, 0.75, 0.83, 0.89, 0.94, 0.97, 0.99], statusesUpTo = [0.9, 0.95, 0.98];

const syllable = (k) => consonants[k % 20] + vowels[Math.floor(k / 20)];
/** The nth of 5,000 words, the most frequent first: each is twice as frequent as the one of twice its rank. */
export const word = (n) => {
  const m = (n * 3797) % words;
  return syllable(m % 100) + syllable(Math.floor(m / 100)) + (n % 3 ? syllable((m * 7) % 100) : '');
};
export const sku = (n) => 'SKU-' + String(n).padStart(6, '0');

// The same words in SQL, and a number from 0 to 1 that depends on the resource and on what it is for. Everything but ids and times is the same in every run.
const functions = `
  create function pg_temp.syllable(k int) returns text language sql immutable as $$ select substr('${consonants}', k % 20 + 1, 1) || substr('${vowels}', k / 20 + 1, 1) $$;
  create function pg_temp.word(n int) returns text language plpgsql immutable as $$
    declare m int := (n * 3797) % ${words};
    begin return pg_temp.syllable(m % 100) || pg_temp.syllable(m / 100) || case when n % 3 > 0 then pg_temp.syllable(m * 7 % 100) else '' end; end $$;
  create function pg_temp.chance(i bigint, purpose int) returns float8 language sql immutable as $$ select (hashint8extended(i, purpose) & 1073741823) / 1073741824.0::float8 $$;
  create function pg_temp.id(at timestamptz, salt text) returns uuid language sql immutable as $$
    select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(md5(salt), 1, 3)
      || translate(substr(md5(salt), 4, 1), '0123456789abcdef', '89ab89ab89ab89ab') || substr(md5(salt), 5, 15))::uuid $$;
`;
const oneOf = (values, upTo, purpose) => `('{${values}}'::text[])[1 + width_bucket(pg_temp.chance(i, ${purpose}), '{${upTo}}'::float8[])]`;
const aWord = (purpose) => `pg_temp.word(floor(power(${words + 1}, pg_temp.chance(i, ${purpose})))::int - 1)`;
/** Expressions of SQL for a resource i, as the data of an event is made of them. */
export const text = (purpose) => `concat_ws(' ', ${aWord(purpose)}, ${aWord(purpose + 1)}, case when pg_temp.chance(i, ${purpose + 2}) > 0.5 then ${aWord(purpose + 3)} end)`;
export const aStatus = oneOf(statuses, statusesUpTo, 2);
const everyday = `jsonb_build_object('type', ${oneOf(types, typesUpTo, 1)}, 'name', initcap(${text(10)}), 'status', ${aStatus}, 'owner', owner,
        'metadata', jsonb_build_object(
          'sku', 'SKU-' || lpad(i::text, greatest(6, length(i::text)), '0'), 'category', 'c' || floor(${categories} * pg_temp.chance(i, 3)),
          'price', round((1 + 999 * power(pg_temp.chance(i, 4), 2))::numeric, 2), 'stock', floor(500 * pg_temp.chance(i, 5)),
          'tags', jsonb_build_array('t' || floor(25 * pg_temp.chance(i, 6)), 't' || floor(25 + 25 * pg_temp.chance(i, 7))), 'title', ${text(20)}))`;

/** One transaction. Rows are made before the lock is taken; numbers are drawn under it, as append_events does. */
const transaction = (first, last, resources, data) => `
  begin;
  create temp table seeds on commit drop as
    select i, at, owner, md5('trace ' || i || at) as trace,
      pg_temp.id(at, 'resource ' || i || at) as id, pg_temp.id(at, 'event ' || i || at) as event, pg_temp.id(at, 'command ' || i || at) as command,
      ${data} as data
    from generate_series(${first}::bigint, ${last}) i
    cross join lateral (
      select clock_timestamp() - (${resources} - i) * interval '${days} days' / ${resources} as at, md5('owner ' || floor(100 * pg_temp.chance(i, 8)))::uuid::text as owner
      offset 0) drawn;
  select pg_advisory_xact_lock(7238163);
  insert into mt_streams (id, version, timestamp, created) select id, 1, at, at from seeds;
  insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type, correlation_id, causation_id, user_name)
    select nextval('mt_events_sequence'), event, id, 1, data, 'resource.created', at, 'Resources.Grains.ResourceCreated, Resources.Grains', trace, command::text, owner from (select * from seeds order by i) ordered;
  commit;
`;

/** Adds so many resources to the log of a database that nodes have prepared. `data` is an expression of SQL for what their events say. */
export async function seed(database, resources, data = everyday) {
  const started = Date.now();
  for (let first = 1; first <= resources; first += perTransaction) {
    const last = Math.min(first + perTransaction - 1, resources);
    await psql(database, functions + transaction(first, last, resources, data));
    process.stderr.write(`\r${last} resources after ${Math.round((Date.now() - started) / 1000)} s${last < resources ? '' : '\n'}`);
  }
  await psql(database, 'vacuum (analyze) mt_streams; vacuum (analyze) mt_events');
}

/** The address of the embedded PostgreSQL of a node. */
function embedded(directory) {
  const pid = join(directory, 'postgres/postmaster.pid');
  if (!existsSync(pid)) throw new Error(`No node runs on ${directory}.`);
  const port = readFileSync(pid, 'utf8').split('\n')[3], password = readFileSync(join(directory, 'postgres-password'), 'utf8').trim();
  return `postgresql://resources:${encodeURIComponent(password)}@127.0.0.1:${port}/resources`;
}

async function rebuild(api, token) {
  const ask = async (method, path) => {
    const answer = await fetch(`${api.replace(/\/$/, '')}/api/v1/admin/followers${path}`, { method, headers: { authorization: 'Bearer ' + token }, signal: AbortSignal.timeout(30_000) });
    if (!answer.ok) throw new Error(`${method} ${path} was answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()).data;
  };
  const { generation, head } = await ask('POST', '/resource_views/rebuild');
  for (const end = Date.now() + 60_000 + Number(head); Date.now() < end; await sleep(1000)) {
    const follower = (await ask('GET', '')).find((each) => each.name === 'resource_views');
    if (follower.rebuildFault) throw new Error('The rebuild was given up: ' + follower.rebuildFault);
    if (follower.generation > generation) { process.stderr.write('\nThe rebuild is done.\n'); return; }
    process.stderr.write(`\rrebuild: ${follower.rebuild?.stage}, ${Math.round(100 * (follower.rebuild?.progress ?? 0))} % `.padEnd(50));
  }
  throw new Error('The rebuild goes on; GET /api/v1/admin/followers shows how far it is.');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const database = option('database') ?? (option('data-directory') && embedded(option('data-directory')));
    if (!database) throw new Error('Say where: --database postgresql://… or --data-directory DIR.');
    await seed(database, Math.floor(number('resources', 1_000_000)));
    if (option('api') && option('token')) await rebuild(option('api'), option('token'));
    else console.log('The log is filled. To have it in lists soon: POST /api/v1/admin/followers/resource_views/rebuild as an administrator; GET /api/v1/admin/followers shows the progress.');
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
