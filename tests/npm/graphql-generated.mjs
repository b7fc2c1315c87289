// Operations from a seeded generator, valid ones and mutated ones: each is answered, without a fault of the server; graphql-js comes to the same
// verdict of its validity; and lists are those of REST.
//   node graphql-generated.mjs <address> <token> <type> <other type> <count> <seed>
import { buildSchema, getNamedType, isAbstractType, isEnumType, isInputObjectType, isLeafType, isListType, isNonNullType, isRequiredArgument, isRequiredInputField, parse, validate } from 'graphql';

const [address, token, type, other, countText, seedText] = process.argv.slice(2), count = Number(countText), authorization = 'Bearer ' + token;
let state = Number(seedText) >>> 0;
const random = () => { state = (state + 0x6d2b79f5) >>> 0; let t = state; t = Math.imul(t ^ (t >>> 15), t | 1); t ^= t + Math.imul(t ^ (t >>> 7), t | 61); return ((t ^ (t >>> 14)) >>> 0) / 4294967296; };
const below = (n) => Math.floor(random() * n), oneOf = (all) => all[below(all.length)], chance = (p) => random() < p;

const api = address + '/api/v1', json = { authorization, 'content-type': 'application/json' };
const rest = async (path) => { const answer = await fetch(api + path, { headers: { authorization } }); return { status: answer.status, ...(await answer.json()) }; };
const ask = async (query) => { const answer = await fetch(api + '/graphql', { method: 'POST', headers: json, body: JSON.stringify({ query }) }); const text = await answer.text(); return { status: answer.status, text, body: JSON.parse(text) }; };
const schema = buildSchema(await (await fetch(api + '/graphql/schema.graphql', { headers: { authorization } })).text());
// graphql-js takes any literal for a scalar that it does not know.
const takes = { Integer: ['IntValue', 'FloatValue', 'StringValue'], Number: ['IntValue', 'FloatValue', 'StringValue'], Position: ['IntValue', 'StringValue'], DateTime: ['IntValue', 'StringValue'] };
for (const [name, kinds] of Object.entries(takes))
  schema.getType(name).parseLiteral = ({ kind, value }) => { if (!kinds.includes(kind)) throw new TypeError(`${name} takes no ${kind}`); return value; };
schema.getType('JSON').parseLiteral = function json({ kind, value, values = [], fields = [] }) { if (kind === 'EnumValue') throw new TypeError('JSON has no names'); values.forEach(json); fields.forEach((field) => json(field.value)); return value ?? null; };
const ids = (await rest(`/resources?type=${type}&limit=200`)).data.map(({ id }) => id);

// ---- Operations ----

const words = ['a', 'Ann', 'ä', '', '"', '\\', '*', '2026-01-31T12:00:00Z', 'x'.repeat(300), '\u2028', '-1', 'true'];
const text = (value) => JSON.stringify(value).replaceAll('\u2028', '\\u2028');
function value(of, depth) {
  if (isNonNullType(of)) return value(of.ofType, depth);
  if (!isNonNullType(of) && chance(0.05)) return 'null';
  if (isListType(of)) return `[${Array.from({ length: below(3) }, () => value(of.ofType, depth - 1)).join(', ')}]`;
  if (isEnumType(of)) return oneOf(of.getValues()).name;
  if (isInputObjectType(of)) {
    const fields = Object.values(of.getFields()).filter((field) => isRequiredInputField(field) || depth > 0 && chance(2 / Object.keys(of.getFields()).length));
    return `{${fields.map((field) => `${field.name}: ${value(field.type, depth - 1)}`).join(', ')}}`;
  }
  switch (of.name) {
    case 'Int': return String(oneOf([0, 1, 2, 5, 20, 200, 201, -1]));
    case 'Integer': return String(oneOf([0, 1, 3, '12345678901234567890', -4]));
    case 'Number': return String(oneOf([0, 1.5, '9.50', '1e3', -2]));
    case 'Boolean': return String(chance(0.5));
    case 'ID': return text(chance(0.7) ? oneOf(ids) : oneOf(words));
    case 'Position': return text(oneOf(['0', '1', '12', '99999999999']));
    case 'DateTime': return text(oneOf(['2026-01-31T12:00:00Z', '2000-01-01T00:00:00.123+02:00']));
    case 'JSON': return oneOf(['{}', '{a: [1, {b: null}]}', '[]', '"x"', '7']);
    default: return text(oneOf(words));
  }
}
const args = (all) => {
  const given = all.filter((one) => isRequiredArgument(one) || chance(0.3));
  return given.length ? `(${given.map((one) => `${one.name}: ${value(one.type, 3)}`).join(', ')})` : '';
};
function selection(of, depth) {
  const fields = Object.values(of.getFields?.() ?? {}).filter((field) => isLeafType(getNamedType(field.type)) || depth > 0), chosen = [];
  for (let n = 1 + below(4); n > 0 && fields.length; n--) {
    const field = oneOf(fields), named = getNamedType(field.type), alias = `a${below(1e6)}: `;
    chosen.push(`${alias}${field.name}${args(field.args)}${chance(0.05) ? ` @include(if: ${chance(0.5)})` : ''}${isLeafType(named) ? '' : ' ' + selection(named, depth - 1)}`);
  }
  if (isAbstractType(of) && depth > 0) { const part = oneOf(schema.getPossibleTypes(of)); chosen.push(`... on ${part.name} ${selection(part, depth - 1)}`); }
  if (!chosen.length || chance(0.1)) chosen.push('__typename');
  return `{ ${chosen.join(' ')} }`;
}
const query = () => `query Q${below(50)} ${selection(schema.getQueryType(), 5)}`;
/** A mutation of what is not there: it changes nothing that is compared. */
const mutation = () => { const field = oneOf(Object.values(schema.getMutationType().getFields()).filter(({ name }) => !name.startsWith('create'))); return `mutation { ${field.name}(${field.args.filter((one) => isRequiredArgument(one) || chance(0.3)).map((one) => `${one.name}: ${one.name === 'id' ? '"00000000-0000-7000-8000-000000000000"' : value(one.type, 3)}`).join(', ')}) { __typename } }`; };
function mutated(document) {
  const parts = document.split(/(\s+|[(){}:,[\]"])/).filter(Boolean);
  for (let n = 1 + below(3); n > 0; n--) {
    const at = below(parts.length);
    if (chance(0.3)) parts.splice(at, 1);
    else if (chance(0.3)) parts.splice(at, 0, oneOf(['{', '}', '(', '...', '$', '@', 'on', '"', '\u0000', 'null', '1e400', '#', '\r', '\r\n', '💥']));
    else if (chance(0.5)) parts[at] = oneOf(parts);
    else parts[at] = parts[at] + String.fromCharCode(below(0x2100));
  }
  return parts.join('');
}

// ---- Checks ----

const wrong = [], seen = { valid: 0, invalid: 0, limited: 0, lists: 0 };
const fault = (what, document, answer) => { if (wrong.length < 20) wrong.push(`${what}\n  ${JSON.stringify(document.slice(0, 600))}\n  ${answer?.text?.slice(0, 400)}`); };
const before = new Set(['GRAPHQL_PARSE_FAILED', 'GRAPHQL_VALIDATION_FAILED', 'BAD_VARIABLES']), bounded = new Set(['TOO_COMPLEX', 'OPERATION_NOT_FOUND']);
function isValid(document) {
  try { return validate(schema, parse(document)).length === 0; } catch { return false; }
}

async function one(document) {
  const answer = await ask(document), codes = (answer.body.errors ?? []).map(({ extensions }) => extensions?.code);
  if (answer.status >= 500 || codes.includes('INTERNAL_ERROR')) return fault(`answered ${answer.status}`, document, answer);
  if (/Exception|^\s+at /m.test(answer.text)) fault('an exception is shown', document, answer);
  if (answer.status !== 200 && !answer.body.code) fault('a refusal without a code', document, answer);
  if (answer.status === 200 && (codes.length > 20 || codes.some((code) => !code))) fault('errors without codes, or too many', document, answer);
  // The server takes the characters of the specification of October 2021; graphql-js takes control characters, too.
  if (answer.status !== 200 || codes.some((code) => bounded.has(code)) || /[\0-\x08\v\f\x0e-\x1f]/.test(document)) { seen.limited++; return; }
  const accepted = 'data' in answer.body || !codes.some((code) => before.has(code)), expected = isValid(document);
  seen[expected ? 'valid' : 'invalid']++;
  if (accepted !== expected) fault(`graphql-js finds it ${expected ? 'valid' : 'invalid'}`, document, answer);
}

/** A list by REST and by GraphQL. */
async function list() {
  const filters = [`metadata.price >= ${below(100)}`, `metadata.price < ${below(100)} OR name = "n${below(9)}"`, `NOT metadata.genre = "poem"`, `metadata.author:*`, `version > ${below(3)}`];
  const filter = chance(0.7) ? oneOf(filters) : null, [sort, named] = oneOf([[null], ['createdAt', 'CREATED_AT_ASC'], ['-name', 'NAME_DESC'], ['metadata.price', 'METADATA_PRICE_ASC'], ['-metadata.price', 'METADATA_PRICE_DESC']]);
  const first = oneOf([1, 3, 20, 200]), parameters = new URLSearchParams({ type, limit: first, ...(filter && { filter }), ...(sort && { sort }) });
  const document = `{ list: ${type}s(first: ${first}${filter ? `, filter: ${text(filter)}` : ''}${named ? `, sort: [${named}]` : ''}) { nodes { id version name metadata { price authorId } } pageInfo { hasNextPage endCursor } } }`;
  const [answer, plain] = await Promise.all([ask(document), rest(`/resources?${parameters}`)]);
  const rows = (all, author) => JSON.stringify(all.map((row) => [row.id, row.version, row.name, row.metadata.price ?? null, row.metadata[author] ?? null]));
  seen.lists++;
  if (rows(answer.body.data?.list.nodes ?? [], 'authorId') !== rows(plain.data, 'author') || answer.body.data?.list.pageInfo.hasNextPage !== !!plain.meta.page.next) fault('another list than that of REST', document, answer);
}

const run = async () => { for (; done < count;) { done++; const kind = random(); await (kind < 0.45 ? one(query()) : kind < 0.55 ? one(mutation()) : kind < 0.8 ? one(mutated(query())) : list()); } };
let done = 0;
await Promise.all(Array.from({ length: 4 }, run));
for (const each of wrong) console.log(each);
console.error(`seed ${seedText}: ${JSON.stringify(seen)}`);
console.log(`${wrong.length} of ${count} are wrong`);
if (!(seen.valid > count / 10 && seen.invalid > count / 20 && seen.lists > count / 10)) console.log(`too few of a kind: ${JSON.stringify(seen)}`);
process.exit(0);
