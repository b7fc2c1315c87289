#!/usr/bin/env node
// Schemas and values that were made to cost, sent to one node over HTTP: to the check, as a declaration, and as a write. Each is refused or
// answered soon, nothing outside is asked, and the node neither ends nor grows.
//   node bench/schema-attacks.mjs [--rounds 3]
// The patterns are those of PatternAttackTests. Needs node 20, dotnet and PostgreSQL's server programs. Loopback only.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { header, main, number, quantile, startNode } from './common.mjs';

const rounds = number('rounds', 3), most = 100, growth = 20, size = 60_000;

/** The patterns, and a text for each that is as long as a resource may have. */
function patterns() {
  const source = readFileSync(new URL('../tests/Domain.Tests/Schemas/PatternAttackTests.cs', import.meta.url), 'utf8');
  const found = [...source.matchAll(/\{\s*("(?:[^"\\]|\\.)*"),\s*("(?:[^"\\]|\\.)*"),\s*("(?:[^"\\]|\\.)*"),?\s*\}/g)];
  return found.map(([, ...texts]) => {
    // Literals of C# that are literals of JSON, too.
    const [pattern, piece, end] = texts.map((text) => JSON.parse(text));
    const text = piece.repeat(Math.floor(size / (Buffer.byteLength(JSON.stringify(piece)) - 2))) + end;
    return { what: `pattern ${pattern}`, schema: { type: 'object', properties: { v: { pattern } } }, value: text };
  });
}

function others(host) {
  const wrappers = ['{"$ref":"N"}', '{"$dynamicRef":"N"}', '{"allOf":[{"$ref":"N"}]}', '{"anyOf":[true,{"$ref":"N"}]}', '{"oneOf":[{"$ref":"N"}]}', '{"not":{"$ref":"N"}}', '{"if":{"$ref":"N"}}', '{"if":true,"then":{"$ref":"N"}}', '{"if":true,"else":{"$ref":"N"}}', '{"dependentSchemas":{"a":{"$ref":"N"}}}'];
  const steps = ['{"properties":{"a":#}}', '{"patternProperties":{"a":#}}', '{"additionalProperties":#}', '{"propertyNames":#}', '{"unevaluatedProperties":#}', '{"items":#}', '{"prefixItems":[#]}', '{"contains":#}', '{"unevaluatedItems":#}'];
  const nested = (depth, [open, close], core = '1') => JSON.parse(open.repeat(depth) + core + close.repeat(depth)), array = ['[', ']'], object = ['{"a":', '}'];
  const list = [];
  const add = (what, schema, value = 1) => list.push({ what, schema: { type: 'object', ...schema }, value });
  for (const [n, wrapper] of wrappers.entries()) {
    for (let length = 1; length <= 10; length++) {
      const links = Object.fromEntries(Array.from({ length }, (_, i) => [`d${i}`, JSON.parse(wrapper.replace('N', `#/$defs/d${(i + 1) % length}`))]));
      add(`circle ${n} of ${length}`, { $defs: links });
    }
    for (const step of steps)
      for (const form of [array, object]) add(`circle ${n} through ${step}`, { properties: { v: JSON.parse(step.replace('#', wrapper.replace('N', '#/properties/v'))) } }, nested(58, form));
  }
  for (const keyword of ['anyOf', 'allOf', 'oneOf', 'if']) {
    const level = (i) => { const next = { $ref: `#/$defs/d${i + 1}` }; return keyword === 'if' ? { if: next, then: next, else: next } : { [keyword]: [next, next] }; };
    add(`doubling ${keyword}`, { $ref: '#/$defs/d0', $defs: Object.fromEntries([...Array.from({ length: 30 }, (_, i) => [`d${i}`, level(i)]), ['d30', false]]) });
  }
  const both = { $ref: '#/properties/v' };
  add('doubling with each level of the value', { properties: { v: { items: { anyOf: [both, both] }, type: 'array' } } }, nested(40, array));
  add('doubling under a negation', { properties: { v: { items: { not: { anyOf: [both, both] } }, type: 'array' } } }, nested(40, array));
  const unlike = (one) => { const all = []; for (let length = 2; ; all.push(one(all.length)), length += Buffer.byteLength(JSON.stringify(all.at(-1))) + 1) if (length > size - 40) return all; };
  for (const one of [(i) => i, (i) => `${i}`, (i) => ({ a: i }), (i) => [i, [i]]]) add(`uniqueItems of ${JSON.stringify(one(1))}`, { properties: { v: { uniqueItems: true } } }, unlike(one));
  for (const step of steps) add(`nesting through ${step}`, JSON.parse(Array.from({ length: 33 }).reduce((inner) => step.replace('#', inner), 'true')));
  add('2,001 subschemas', { allOf: Array.from({ length: 2_001 }, () => true) });
  for (const place of [`http://${host}/a`, `file://${host}/a`, 'file:///etc/hosts', `//${host}/a`, `\\\\${host}\\a`])
    for (const keyword of ['$ref', '$dynamicRef', '$schema', '$id']) for (const fragment of ['', '#', '#/a']) add(`${keyword} ${place}${fragment}`, { not: { [keyword]: place + fragment } });
  return list;
}

const memory = (node) => Number(readFileSync(`/proc/${node.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]) / 1024;

await main(30, async () => {
  header();
  const node = await startNode({ env: { RateLimits__Default__Permits: '1000000' } }), asked = [];
  const listener = createServer((socket) => { asked.push(socket.remoteAddress); socket.destroy(); }).listen(0, '127.0.0.1');
  await new Promise((resolve) => listener.on('listening', resolve));
  const attacks = [...patterns(), ...others(`127.0.0.1:${listener.address().port}`)], times = { check: [], declaration: [], write: [] }, statuses = {}, problems = [];
  console.log(`${attacks.length} attacks, ${rounds} rounds after one that is not counted\n`);
  const timed = async (kind, what, isCounted, method, path, body) => {
    const began = performance.now(), answer = await node.send(method, path, body), took = performance.now() - began;
    const name = `${kind.padEnd(12)} ${answer.status} ${answer.code ?? ''}`;
    if (isCounted) { times[kind].push({ took, what }); statuses[name] = (statuses[name] ?? 0) + 1; }
    if (answer.status >= 500) problems.push(`${kind} of ${what} answered ${answer.status} ${answer.code}`);
    return answer;
  };
  let before, number = 0;
  for (let round = 0; round <= rounds; round++) {
    if (round === 1) before = memory(node);
    for (const { what, schema, value } of attacks) {
      const definition = { name: `attack${++number}`, schema }, resource = { type: definition.name, name: 'attack', metadata: { v: value } };
      await timed('check', what, round > 0, 'POST', '/types/check', { definition, resource });
      if ((await timed('declaration', what, round > 0, 'POST', '/types', definition)).status !== 201) continue;
      const created = await timed('write', what, round > 0, 'POST', '/resources', resource);
      if (created.status === 201) await node.send('DELETE', `/resources/${created.data.id}`);
      const removed = await node.send('DELETE', `/types/${definition.name}`, undefined, { 'if-match': '*' });
      if (removed.status >= 300) problems.push(`the type of ${what} cannot be deleted: ${removed.status} ${removed.code}`);
    }
  }
  const after = memory(node);
  for (const [name, count] of Object.entries(statuses).sort()) console.log(`${String(count).padStart(8)}  ${name}`);
  console.log('\n               p50 ms   p99 ms   most ms');
  for (const [kind, all] of Object.entries(times)) {
    const took = all.map((one) => one.took), worst = all.reduce((a, b) => (b.took > a.took ? b : a));
    console.log(`${kind.padEnd(12)} ${[quantile(took, 0.5), quantile(took, 0.99), worst.took].map((ms) => ms.toFixed(1).padStart(8)).join(' ')}   ${worst.what.slice(0, 60)}`);
    const least = new Map();
    for (const { what, took } of all) least.set(what, Math.min(took, least.get(what) ?? Infinity));
    for (const [what, ms] of least) if (ms > most) problems.push(`${kind} of ${what} took ${ms.toFixed(0)} ms and more, each time`);
  }
  console.log(`\nresident memory: ${before.toFixed(0)} MB before, ${after.toFixed(0)} MB after; ${asked.length} connections to the listener`);
  if (after - before > growth) problems.push(`the node grew by ${(after - before).toFixed(0)} MB`);
  if (asked.length) problems.push('something outside was asked');
  if ((await node.send('GET', '/types')).status !== 200) problems.push('the node does not answer');
  listener.close();
  for (const problem of problems) console.log(`PROBLEM ${problem.slice(0, 300)}`);
  if (problems.length) process.exitCode = 1;
});
