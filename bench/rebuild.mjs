#!/usr/bin/env node
// A rebuild of the read model of lists under load: how fast it is, whether anyone notices it, and whether it comes to what the log says.
//   node bench/rebuild.mjs [--resources 1000000] [--rate 200] [--kill]        --kill: the node is killed (SIGKILL) while it fills the rows, and again while it makes the indexes
// Needs node 20, dotnet and PostgreSQL's server programs. Loopback only; everything it starts it ends.
import { flag, header, main, migrate, number, psql, quantile, sleep, startNode, startPostgres, until, watchRow } from './common.mjs';
import { compareWithLog } from './fold.mjs';
import { seed, types } from './seed.mjs';
import { Gate, Reader, Writers } from './traffic.mjs';

const resources = Math.floor(number('resources', 1_000_000)), rate = number('rate', 200), patience = 600 + resources / 100, fixed = types.at(-1), touched = 3000;
const longest = (answered) => `${answered.reduce((most, { ms }) => Math.max(most, ms), 0).toFixed(0)} ms`;
const times = (answered) => `p50 and p99 ${[0.5, 0.99].map((q) => quantile(answered.map((each) => each.ms), q)?.toFixed(1)).join(' and ')} ms, longest ${longest(answered)}`;
const lines = async (database, sql) => (await psql(database, sql)).split('\n').filter(Boolean);

/** Follows the rebuild in the database, as the node may be away; gives when each stage began. */
async function watched(database, node, gate) {
  const { generation, head } = await node.follower(), begun = [];
  let now = { stage: '', position: 0, generation }, kills = [];
  const end = watchRow(database, `select f.generation, coalesce(f.stage, ''), coalesce(p.last_seq_id, 0), coalesce(f.rebuild_fault, '')
      from followers f left join mt_event_progression p on p.name = follower_shard(f.name, f.building) where f.name = 'resource_views'`, 0.02, ([at, stage, position, fault]) => {
    now = { generation: Number(at), stage, position: Number(position), fault };
    if (stage && begun.at(-1)?.stage !== stage) begun.push({ stage, at: Date.now() });
  });
  const reached = (what, is) => until(what, () => {
    if (now.fault) throw Object.assign(new Error('the rebuild was given up: ' + now.fault), { final: true });
    return is();
  }, patience, 5);
  async function kill(stage, isTime) {
    const isOver = () => now.generation > generation || begun.some((each) => each.stage !== stage && each.at > (begun.find((one) => one.stage === stage)?.at ?? Infinity));
    await reached(stage, () => isOver() || now.stage === stage && isTime());
    if (isOver()) throw new Error(`the stage of ${stage} was over before the node could be killed in it: take more resources`);
    const at = Date.now(), position = now.position;
    gate.close();
    await node.stop('SIGKILL');
    await node.start();
    gate.open();
    kills.push(`${stage} at position ${position}, back after ${((Date.now() - at) / 1000).toFixed(1)} s`);
  }
  try {
    const asked = await node.send('POST', '/admin/followers/resource_views/rebuild');
    if (asked.status !== 202) throw new Error(`the rebuild was answered ${asked.status}`);
    if (flag('kill')) {
      await kill('filling', () => now.position > head / 4);
      await kill('indexing', () => true);
    }
    await reached('the new generation', () => now.generation > generation);
  } finally {
    end();
  }
  begun.push({ stage: 'done', at: Date.now() });
  return { kills, switched: begun.at(-1).at, stages: begun.slice(0, -1).map(({ stage, at }, i) => `${stage} ${((begun[i + 1].at - at) / 1000).toFixed(1)} s`) };
}

await main(180, async () => {
  header();
  const database = await startPostgres();
  await migrate(database);
  await seed(database, resources);
  const node = await startNode({ database });
  await node.rebuild(patience);

  const ids = await lines(database, `select stream_id from mt_events where data ->> 'type' = '${fixed}' order by timestamp desc, stream_id desc`);
  const live = await lines(database, `select stream_id from mt_events where data ->> 'type' <> '${fixed}' order by hashint8(seq_id) limit ${touched}`);
  const gate = new Gate(), writers = new Writers(node, gate, { rate, live, type: types[0] }), reader = new Reader(node, gate, writers, { type: fixed, ids });
  let [isWriting, isReading] = [true, true];
  const traffic = [writers.runUntil(() => !isWriting), reader.runUntil(() => !isReading)], began = Date.now();
  await sleep(3000);
  const rebuild = await watched(database, node, gate);
  await sleep(3000);
  isWriting = false;
  await traffic[0];
  const written = (Date.now() - began) / 1000, walks = reader.walks;
  // One more walk as a whole, over the new generation.
  await until('the reader', () => reader.walks >= walks + 2 || reader.failures.length || reader.partial.length, 300, 20);
  isReading = false;
  await traffic[1];
  await until('the read model', async () => (await node.follower()).lag === 0, 120, 50);

  const speed = await psql(database, 'select extract(epoch from rebuilt_at - requested_at), (select count(*) from mt_events where timestamp <= rebuilt_at) from followers');
  const [took, size] = speed.split('|').map(Number);
  console.log(`\nrebuild  ${size} events in ${took.toFixed(1)} s from the request until the new generation answers: ${(size / took).toFixed(0)} events/s `
    + `(${rebuild.stages.join(', ')})`);
  for (const kill of rebuild.kills) console.log(`killed   while ${kill}`);
  console.log(`writes   ${writers.done} done (${(writers.done / written).toFixed(0)} each second), ${times(writers.answered)}; ${writers.failures.length} failed, ${writers.cut} cut off by the kill`);
  console.log(`reads    ${reader.done} done, ${times(reader.answered)}; ${reader.failures.length} failed, ${reader.partial.length} partial, ${reader.cut} cut off by the kill; `
    + `${reader.walks} whole walks over ${ids.length} resources`);

  const around = ({ answered }) => answered.filter(({ at, ms }) => at + ms > rebuild.switched - 500 && at < rebuild.switched + 2500);
  console.log(`switch   longest read ${longest(around(reader))}, longest write ${longest(around(writers))}, of those within half a second before and 2.5 s after it`);

  const { differences, ...sizes } = await compareWithLog(database);
  console.log(`fold     ${sizes.events} events of ${sizes.resources} resources against ${sizes.rows} rows and ${sizes.counts} counts: ${differences.length} differences`);
  const kept = "select relname from pg_class where relkind = 'r' and relname ~ '^resource_(views|statistics)_'";
  const tables = await until('the old tables to go', async () => (await lines(database, kept)).length === 2, 20).catch(() => false);
  console.log(`tables   ${tables ? 'those of the old generation are gone' : 'THOSE OF THE OLD GENERATION ARE STILL THERE'}`);
  const faults = [...writers.failures, ...reader.failures, ...reader.partial, ...differences];
  for (const fault of faults.slice(0, 20)) console.log(`  ${fault}`);
  if (faults.length || !tables) process.exitCode = 1;
});
