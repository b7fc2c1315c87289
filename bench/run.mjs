#!/usr/bin/env node
// What a request costs: starts one node on a private PostgreSQL, loads it, and prints for each workload the rate and where the time goes.
//   node bench/run.mjs [--seconds 6] [--rounds 3] [--connections 64] [--work create,get,patch,list,login]
// Needs node 20, dotnet and wrk. Loopback only; everything it starts it ends. Rates of a shared machine mean little: compare
// the columns with each other, and runs of one session with each other.
import { cpu, header, main, number, option, scrape, startNode, total, workloads, wrk } from './common.mjs';

const seconds = number('seconds', 6), rounds = number('rounds', 3), connections = number('connections', 64);
const works = option('work', 'create,get,patch,list').split(',');

/** Sums and counts of the log's histograms, from /metrics. */
async function commits(node) {
  const samples = await scrape(node);
  return { count: total(samples, 'resources_log_batch_count'), streams: total(samples, 'resources_log_batch_sum'), seconds: total(samples, 'resources_log_commit_seconds_sum') };
}

await main(60, async () => {
  header();
  const node = await startNode();
  const scripts = await workloads(node);
  console.log('\nround  work     requests/s       p99   node µs   postgres µs   commit ms   streams/commit   bad');
  for (let round = 0; round <= rounds; round++) {
    for (const work of works) {
      const logBefore = await commits(node), before = cpu(node);
      const result = await wrk(node, scripts[work], { connections, seconds });
      const after = cpu(node), logAfter = await commits(node);
      const each = (ms) => (1000 * ms / Math.max(result.requests, 1)).toFixed(0), batches = logAfter.count - logBefore.count;
      console.log(`${(round === 0 ? 'warm' : String(round)).padEnd(6)} ${work.padEnd(8)} ${result.rps.toFixed(0).padStart(10)} ${`${result.p99.toFixed(2)}ms`.padStart(9)} ${each(after.node - before.node).padStart(9)} ${each(after.postgres - before.postgres).padStart(13)} `
        + `${(batches ? 1000 * (logAfter.seconds - logBefore.seconds) / batches : 0).toFixed(2).padStart(11)} ${(batches ? (logAfter.streams - logBefore.streams) / batches : 0).toFixed(1).padStart(16)} ${String(result.bad).padStart(5)}`);
    }
  }
});
