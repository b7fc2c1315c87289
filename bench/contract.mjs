#!/usr/bin/env node
// Whether a node keeps to its own OpenAPI document, whatever it is sent: for each operation requests that fit, and such that do not.
//   node bench/contract.mjs [--minutes 5] [--seed n] [--document /api/v1/types/openapi.json]
// It fails if a status, a media type or a body is not described, if an answer is 5xx, or if there is none within ten seconds. The document is that
// of the routes below random types unless another one is named. Needs node 20 with npm (it installs ajv in the run's folder), dotnet and
// PostgreSQL's server programs. Loopback only.
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { header, main, number, option, randomOf, scratch, startNode } from './common.mjs';

const minutes = number('minutes', 5), seed = number('seed', 1 + Math.floor(Math.random() * 1e9)), place = option('document', '/api/v1/types/openapi.json');
const random = randomOf(seed), below = (n) => Math.floor(random() * n), pick = (list) => list[below(list.length)], often = (share) => random() < share;
const problems = new Map(), statuses = new Map(), known = new Map();
/** The ids that answers had, by the path of their list. */
const idsOf = (path) => known.get(path.split('/{')[0]) ?? [...known.values()].flat();
const problem = (kind, text) => { const all = problems.get(kind) ?? []; problems.set(kind, all); all.push(text); };
const note = (map, key) => map.set(key, (map.get(key) ?? 0) + 1);

function ajv() {
  const { dependencies } = JSON.parse(readFileSync(new URL('../tests/npm/package.json', import.meta.url), 'utf8')), folder = scratch();
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--silent', ...['ajv', 'ajv-formats'].map((name) => `${name}@${dependencies[name]}`)], { cwd: folder });
  const load = createRequire(join(folder, 'package.json')), Ajv = load('ajv/dist/2020').default;
  return load('ajv-formats').default(new Ajv({ strict: false, logger: false, validateFormats: true }));
}

// ---- Values ----

const junk = [null, true, 0, -1, 1.5, 1e400, 2 ** 53, 1e-7, '', ' ', 'a', 'Ä\u0301', '\u0000', '\ud83d\ude00', 'a'.repeat(3_000), [], {}, [[]], { '': null }, { __proto__: 1 }, '2026-02-30T00:00:00Z', '00000000-0000-0000-0000-000000000000'];
const text = () => Array.from({ length: below(12) }, () => pick([...'abcxyz019 -_./ÄßЖ語', '😀'])).join('');

/** A value that a schema takes, as far as this understands it. */
function valueOf(document, schema, depth = 0) {
  if (schema === undefined || schema === true || depth > 8) return pick(['a', 1, true, null]);
  if (schema.$ref) return valueOf(document, at(document, schema.$ref), depth + 1);
  if ('const' in schema) return schema.const;
  if (schema.enum) return pick(schema.enum);
  for (const choice of ['oneOf', 'anyOf']) if (schema[choice]) return valueOf(document, pick(schema[choice]), depth + 1);
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((each) => valueOf(document, each, depth + 1)));
  switch (Array.isArray(schema.type) ? pick(schema.type) : schema.type ?? (schema.properties ? 'object' : 'string')) {
    case 'null': return null;
    case 'boolean': return often(0.5);
    case 'integer': return (schema.minimum ?? 0) + below(Math.min(1_000, 1 + (schema.maximum ?? 1_000) - (schema.minimum ?? 0)));
    case 'number': return (schema.minimum ?? 0) + below(1_000) / 8;
    case 'array': return Array.from({ length: (schema.minItems ?? 0) + below(3) }, () => valueOf(document, schema.items, depth + 1));
    case 'object': {
      const value = {};
      for (const [name, member] of Object.entries(schema.properties ?? {}))
        if (schema.required?.includes(name) || often(depth ? 0.4 : 0.6)) value[name] = valueOf(document, member, depth + 1);
      if (schema.additionalProperties !== false && often(0.2)) value[text() || 'x'] = pick(junk.slice(0, 12));
      return value;
    }
    default: return textOf(schema);
  }
}

function textOf({ format, minLength = 0, pattern }) {
  switch (format) {
    case 'uuid': return often(0.8) && known.size ? pick(idsOf('')) : randomUUID();
    case 'date-time': return new Date(Date.UTC(2020, below(80), below(28), below(24))).toISOString();
    case 'email': return `${randomUUID()}@example.org`;
    case 'uri': return 'https://example.org/' + below(9);
    default: return pattern ? pick(['a', 'abc', 'resource:read', '1', '"1"', '*', text()]) : text().padEnd(minLength, 'a');
  }
}

const copy = (value) => value === undefined ? undefined : JSON.parse(JSON.stringify(value));

/** The same value with something in it that need not be there. */
function spoilt(value) {
  if (value === null || typeof value !== 'object' || often(0.15)) return pick(junk);
  const keys = Object.keys(value), key = keys.length ? pick(keys) : 'x', result = copy(value);
  if (often(0.2)) delete result[key];
  else if (often(0.2)) result[text() || 'x'] = pick(junk);
  else result[key] = spoilt(value[key]);
  return result;
}

const at = (document, pointer) => pointer.slice(2).split('/').reduce((value, step) => value[step.replaceAll('~1', '/').replaceAll('~0', '~')], document);
const escaped = (step) => step.replaceAll('~', '~0').replaceAll('/', '~1');
const whole = (document, value) => value?.$ref ? whole(document, at(document, value.$ref)) : value;

// ---- Requests ----

function operationsOf(document) {
  const list = [];
  for (const [path, item] of Object.entries(document.paths))
    for (const method of ['get', 'put', 'post', 'patch', 'delete'])
      if (item[method]) list.push({ path, method, operation: item[method], parameters: [...(item.parameters ?? []), ...(item[method].parameters ?? [])].map((each) => whole(document, each)) });
  return list;
}

function requestOf(document, { path, method, operation, parameters }) {
  const isFit = often(0.6), query = new URLSearchParams(), headers = {};
  let address = path;
  for (const { name, in: where, required, schema, example } of parameters) {
    // Answers to these go on, or wait.
    if (name === 'follow' || name === 'wait' || !required && !often(0.25)) continue;
    const fit = example !== undefined && often(0.3) ? example : valueOf(document, whole(document, schema)), value = String(isFit || often(0.7) ? fit : spoilt(fit));
    if (where === 'path') address = address.replace(`{${name}}`, encodeURIComponent(/id$/i.test(name) && known.size && often(0.8) ? pick(idsOf(path)) : value.toWellFormed?.() ?? value) || 'x');
    else if (where === 'query') query.append(name, value);
    else if (where === 'header') headers[name] = name.toLowerCase() === 'if-match' && often(0.5) ? pick(['*', `"${1 + below(4)}"`]) : [...value].filter((c) => c >= ' ' && c <= '~').join('');
  }
  const bodies = Object.entries(whole(document, operation.requestBody)?.content ?? {});
  let body;
  if (bodies.length) {
    const [type, { schema }] = pick(bodies), value = valueOf(document, schema);
    body = JSON.stringify(isFit ? value : spoilt(value));
    headers['content-type'] = type;
  }
  return { url: address + (query.size ? '?' + query : ''), method: method.toUpperCase(), headers, body };
}

async function judge(document, validators, node, token, target) {
  const { url, method, headers, body } = requestOf(document, target), where = `${method} ${target.path}`, told = `${method} ${url.slice(0, 300)} ${JSON.stringify(headers)} ${(body ?? '').slice(0, 500)}`;
  let answer, content;
  try {
    answer = await fetch(node.base + url, { method, body, headers: { ...headers, ...(token ? { authorization: 'Bearer ' + token } : {}) }, signal: AbortSignal.timeout(10_000) });
    content = Buffer.from(await answer.arrayBuffer()).toString();
  } catch (error) { problem('no answer', `${told}: ${error.cause?.code ?? error.name}`); return; }
  const { status } = answer, media = answer.headers.get('content-type')?.split(';')[0];
  note(statuses, status);
  if (status >= 500) problem('5xx', `${told}: ${status} ${content.slice(0, 300)}`);
  const described = whole(document, target.operation.responses[status] ?? target.operation.responses.default);
  if (!described) { problem('status', `${where} answered ${status}: ${told} ${content.slice(0, 300)}`); return; }
  if (!content) return;
  const schema = Object.keys(described.content ?? {}).find((type) => type === media);
  if (!schema) { problem('media type', `${where} answered ${status} as ${media}`); return; }
  if (!/json$/.test(media)) return;
  const value = JSON.parse(content), validate = validators(target, status, media);
  if (!validate(value)) problem('body', `${where} ${status}: ${JSON.stringify(validate.errors.slice(0, 2))} ${told} ${content.slice(0, 300)}`);
  const home = target.path.split('/{')[0], ids = known.get(home) ?? [];
  known.set(home, ids);
  for (const one of [value.data].flat()) if (status < 300 && typeof one?.id === 'string' && !ids.includes(one.id)) { ids.push(one.id); if (ids.length > 50) ids.shift(); }
}

const typesOf = () => Array.from({ length: 6 }, (_, i) => ({
  name: `kind-${i}`,
  schema: { type: 'object', properties: { title: { type: 'string', maxLength: 20 }, n: { type: 'integer', minimum: 0, maximum: 50 }, at: { type: 'string', format: 'date-time' }, of: { type: 'string', format: 'uuid' }, any: {}, list: { type: 'array', items: { enum: ['a', 'b', null] } } }, ...(i % 2 ? { additionalProperties: false, required: ['title'] } : {}) },
  ...(i % 3 ? { lifecycle: { initial: 'open', states: { open: {}, shut: { require: ['/metadata/title'] } }, transitions: [{ from: 'open', to: 'shut' }, { from: 'shut', to: 'open' }] } } : {}),
  unique: { title: { members: ['/metadata/title'] } }, indexed: ['/metadata/n', '/metadata/title'],
  ...(i ? { references: { '/metadata/of': { type: `kind-${i - 1}`, onDelete: pick(['restrict', 'unset', 'cascade']) } } } : {}),
}));

await main(minutes + 10, async () => {
  header();
  console.log(`seed     ${seed}\n`);
  const validator = ajv(), node = await startNode();
  for (const type of typesOf()) {
    const answer = await node.send('POST', '/types', type);
    if (answer.status !== 201) throw new Error(`a type was answered ${answer.status} ${JSON.stringify(answer).slice(0, 500)}`);
  }
  const document = await (await fetch(node.base + place, { headers: { authorization: 'Bearer ' + node.token } })).json();
  validator.addSchema(document, 'document');
  const compiled = new Map();
  const validators = ({ path, method }, status, media) => {
    const responses = document.paths[path][method].responses, code = responses[status] ? status : 'default', found = responses[code].$ref;
    const pointer = `${found ?? `#/paths/${escaped(path)}/${method}/responses/${code}`}/content/${escaped(media)}/schema`;
    if (!compiled.has(pointer)) compiled.set(pointer, validator.compile({ $ref: 'document' + encodeURI(pointer) }));
    return compiled.get(pointer);
  };
  const streams = (operation) => Object.values(operation.responses).some((each) => whole(document, each).content?.['text/event-stream']);
  const targets = operationsOf(document).filter(({ operation, path }) => !streams(operation) && !/\/auth\/|password|session/.test(path));
  console.log(`${targets.length} operations`);
  const end = Date.now() + 60_000 * minutes;
  let sent = 0;
  await Promise.all(Array.from({ length: 8 }, async () => {
    while (Date.now() < end) { sent++; await judge(document, validators, node, often(0.97) ? node.token : undefined, pick(targets)); }
  }));
  console.log(`${sent} requests: ${[...statuses].sort().map(([status, count]) => `${count} × ${status}`).join(', ')}\n`);
  for (const [kind, all] of problems) {
    console.log(`${String(all.length).padStart(8)}  ${kind}`);
    for (const one of [...new Map(all.map((each) => [each.slice(0, 60), each])).values()].slice(0, 12)) console.log(`          ${one.slice(0, 900)}`);
  }
  if (problems.size || !sent) process.exitCode = 1;
});
