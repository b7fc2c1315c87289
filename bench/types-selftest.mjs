// Whether types-checker.mjs sees what it is there for: a small log without a fault, and then the same with one fault of each kind.
import { faultOf } from './types-checker.mjs';

const definition = {
  name: 't', schema: { type: 'object', required: ['a'], properties: { a: { type: 'integer' }, k: { type: 'string' }, r: { type: 'string', format: 'uuid' }, w: { type: 'integer' } } },
  lifecycle: { initial: 'draft', states: { draft: {}, out: { require: ['/metadata/k'] } }, transitions: [{ from: 'draft', to: 'out' }] },
  unique: { k: { members: ['/metadata/k'], ignoreCase: true } }, references: { '/metadata/r': { type: 't', onDelete: 'cascade' } },
};
const other = { ...definition, schema: { ...definition.schema, required: ['a', 'k'] } }, fields = { k: 1, '/metadata/r': 2 };
const [x, y, z] = ['a', 'b', 'c'].map((letter) => `${letter.repeat(8)}-0000-7000-8000-000000000000`), nowhere = x.replaceAll('a', 'd');

const event = (source, position, type, subject, resourceversion, data, correlationid = `request ${position}`) =>
  ({ source, position: String(position), type, subject, resourceversion, data, correlationid, resourcetype: 't' });
const ofType = (position, version, type, data) => event('/types', position, type, 'stream', version, data);
const of = (position, type, subject, version, data, request) => event('/resources', position, `resource.${type}`, subject, version, data, request);
const made = (metadata) => ({ type: 't', name: 'n', status: 'draft', owner: 'o', metadata, typeVersion: 2 });

/** Three resources, of which z refers to y; y is deleted with z and restored, and a change of the type is refused and then accepted. */
const log = () => [
  ofType(1, 1, 'type.change_proposed', { name: 't', definition, fields }),
  ofType(2, 2, 'type.changed', { name: 't', definition, fields }),
  of(3, 'created', x, 1, made({ a: 1, k: 'one', w: 1 })),
  of(4, 'created', y, 1, made({ a: 2, w: 2 })),
  of(5, 'created', z, 1, made({ a: 3, k: 'three', r: y, w: 3 })),
  of(6, 'deleted', z, 2, {}, 'cascade'),
  of(7, 'deleted', y, 2, {}, 'cascade'),
  of(8, 'restored', y, 3, { typeVersion: 2 }),
  ofType(9, 3, 'type.change_proposed', { name: 't', definition: other, fields }),
  of(10, 'metadata_changed', x, 2, { metadata: { a: 1, k: 'two', w: 4 }, typeVersion: 2 }),
  ofType(11, 4, 'type.change_abandoned', { change: 'c' }),
  of(12, 'status_changed', x, 3, { status: 'out', typeVersion: 2 }),
  of(13, 'metadata_changed', y, 4, { metadata: { a: 2, k: 'three', w: 5 }, typeVersion: 2 }),
  ofType(14, 5, 'type.change_proposed', { name: 't', definition: other, fields }),
  ofType(15, 6, 'type.changed', { name: 't', definition: other, fields }),
];

// Every answer came at once: the moments are the positions that were known. The creates tell what stands behind.
const answer = (what, id, low, rest) => ({ what, id, type: 't', low, first: low, answered: low + 0.5, position: low + 1, ...rest });
const shown = (id, version, metadata, status = 'draft') => ({ id, version, name: 'n', status, metadata });
const create = (low, id, metadata) => answer('create', undefined, low, { status: 201, sent: { type: 't', name: 'n', metadata }, data: shown(id, 1, metadata) });
const answers = () => [
  create(2, x, { a: 1, k: 'one', w: 1 }), create(3, y, { a: 2, w: 2 }), create(4, z, { a: 3, k: 'three', r: y, w: 3 }),
  answer('create', undefined, 3, { status: 409, code: 'NOT_UNIQUE', errors: [{ pointer: '/metadata/k' }], sent: { type: 't', metadata: { a: 1, k: 'ONE' } } }),
  answer('create', undefined, 3, { status: 409, code: 'REFERENCE_NOT_FOUND', errors: [{ pointer: '/metadata/r' }], sent: { type: 't', metadata: { a: 1, r: nowhere } } }),
  answer('create', undefined, 3, { status: 400, errors: [{ pointer: '/metadata/a' }], sent: { type: 't', metadata: {} } }),
  answer('delete', y, 5, { status: 409, code: 'STILL_REFERENCED' }), answer('delete', y, 6, { status: 204 }), answer('get', y, 7, { status: 410 }),
  answer('patch', x, 9, { status: 200, sent: { metadata: { k: 'two', w: 4 } }, data: shown(x, 2, { a: 1, k: 'two', w: 4 }) }),
  answer('get', x, 12, { status: 200, data: shown(x, 3, { a: 1, k: 'two', w: 4 }, 'out') }),
  answer('type', undefined, 9, { status: 409, code: 'TYPE_CHANGE_BREAKS_DATA', sent: other, offending: 1, examples: [{ id: y, version: 3, errors: [{ code: 'REQUIRED' }] }] }),
  answer('type', undefined, 14, { status: 200, sent: other, data: { version: 6 } }),
];

/** The kind that must be reported, what is done, and what else it must show. */
const faults = [
  ['gap', 'a version is left out', ({ log }) => { log[11].resourceversion = 5; }, 'lost'],
  ['gap', 'a position comes twice', ({ log }) => { log[4].position = '4'; }],
  ['gap', 'a version of the type is left out', ({ log }) => { log[13].resourceversion = 7; log[14].resourceversion = 8; }, 'lost'],
  ['schema', 'a write contradicts the definition', ({ log }) => { log[3].data.metadata.a = 'text'; }, 'change', 'content'],
  ['schema', 'a status lacks what it requires', ({ log }) => { log[9].data.metadata = { a: 1, w: 4 }; }, 'proposal', 'change', 'content'],
  ['proposal', 'a write contradicts the proposal', ({ log }) => { log.splice(10, 0, of(10.5, 'metadata_changed', z, 3, { metadata: { a: 9 }, typeVersion: 2 })); log[10].type = 'resource.restored'; }, 'change'],
  ['change', 'a definition comes into force against stored data', ({ log }) => { log[12].data.metadata = { a: 2, w: 5 }; }],
  ['lifecycle', 'a status follows that may not', ({ log }) => { log[2].data.status = 'out'; }, 'content'],
  ['rules', 'a write was checked by another version', ({ log }) => { log[4].data.typeVersion = 1; }],
  ['unique', 'two have a value, spelt otherwise', ({ log }) => { log[12].data.metadata.k = 'TWO'; }],
  ['unique', 'a restore takes a value that another one has', ({ log }) => { log[12].data.metadata = { a: 2, k: 'three', w: 5 }; log.splice(13, 0, of(13.5, 'restored', z, 3, { typeVersion: 2 })); }],
  ['reference', 'a target is missing', ({ log }) => { log[12].data.metadata.r = nowhere; }],
  ['reference', 'a target is of another type', ({ log }) => { log.push(of(16, 'created', nowhere, 1, { ...made({}), type: 'free', typeVersion: undefined })); log.push(of(17, 'metadata_changed', y, 5, { metadata: { a: 2, k: 'three', r: nowhere, w: 5 }, typeVersion: 6 })); }],
  ['reference', 'a target is deleted beneath', ({ log, answers }) => { log.splice(5, 1); answers.splice(7, 1); }, 'unique'],
  ['unit', 'the events of a request are apart', ({ log }) => { log[7].correlationid = 'request 3'; }],
  ['unit', 'a target goes before what refers to it', ({ log }) => { [log[5].subject, log[6].subject] = [y, z]; }],
  ['twice', 'one write has two events', ({ log }) => { log[9].data.metadata.w = 1; log[12].data.metadata.w = 4; log.push(of(16, 'metadata_changed', x, 4, { metadata: { a: 1, k: 'two', w: 4 }, typeVersion: 6 })); }, 'content'],
  ['twice', 'one version answers two flips', ({ answers }) => { answers.push({ ...answers.at(-1) }); }],
  ['lost', 'a create is not there', ({ answers }) => { answers.push(create(5, nowhere, { a: 1 })); }],
  ['lost', 'a deletion is not there', ({ answers }) => { answers.push(answer('delete', x, 5, { status: 204 })); }],
  ['lost', 'a flip is not there', ({ answers }) => { answers.at(-1).data.version = 9; }],
  ['content', 'a patch has other content', ({ log }) => { log[9].data.metadata.k = 'else'; }],
  ['content', 'an answer shows what was not sent', ({ answers }) => { answers[9].sent.metadata.k = 'else'; }],
  ['stale', 'a read shows what was over', ({ answers }) => { answers[10].data = shown(x, 1, { a: 1, k: 'one', w: 1 }); }],
  ['refusal', 'nobody had the value', ({ answers }) => { answers[3].sent.metadata.k = 'free'; }],
  ['refusal', 'the value came later', ({ answers }) => { Object.assign(answers[3], { low: 2, first: 2, answered: 1.5 }); }],
  ['refusal', 'no member is named', ({ answers }) => { answers[3].errors = undefined; }],
  ['refusal', 'the target was there', ({ answers }) => { answers[4].sent.metadata.r = x; }],
  ['refusal', 'nothing referred to it', ({ answers }) => { answers[6].id = x; }],
  ['refusal', 'the document fitted', ({ answers }) => { answers[5].sent.metadata.a = 1; }],
  ['refusal', 'it was refused by what was not proposed then', ({ answers }) => { answers[5].change = 'c'; }],
  ['refusal', 'it was never deleted', ({ answers }) => { answers[8].id = x; }],
  ['refusal', 'it is there', ({ answers }) => { answers[8].status = 404; }],
  ['offender', 'a change blames what fits', ({ answers }) => { answers[11].examples[0].id = x; answers[11].examples[0].version = 2; }],
  ['claims', 'a row is too many', ({ rows }) => { rows.claims.add('stream|1|00|x'); }],
  ['claims', 'a row is missing', ({ rows }) => { rows.claims.delete([...rows.claims][0]); }],
  ['references', 'a row is too many', ({ rows }) => { rows.references.add(`${x}|2|${y}`); }],
  ['references', 'a row is missing', ({ rows, wanted }) => { rows.references.clear(); wanted.references.add(`${x}|2|${y}`); }],
];

const prompt = [
  [undefined, { status: 503, took: 9_000 }], [undefined, { took: 1, isUp: true, isCut: true }], [undefined, { took: 1, isUp: false }],
  ['error', { status: 500, took: 1 }], ['slow', { status: 200, took: 10_001 }], ['dropped', { took: 1, isUp: true }],
];

/** Runs all; true where the checker reports what it must, and nothing where nothing is wrong. */
export function selfTest(fresh) {
  let failed = 0;
  for (const [kind, given] of prompt) if (faultOf(given) !== kind) { failed++; console.log(`FAILED ${kind}: ${JSON.stringify(given)} is ${faultOf(given)}`); }
  for (const [kind, what, harm, ...also] of [[undefined, 'nothing is wrong', () => {}], ...faults]) {
    const whole = fresh(), checker = fresh(), made = { log: log(), answers: answers() };
    whole.fold(log());
    const rows = whole.rows(), wanted = whole.rows();
    harm({ ...made, rows, wanted });
    checker.fold(made.log);
    checker.answers(made.answers);
    if (!kind || ['claims', 'references'].includes(kind)) for (const table of ['claims', 'references']) checker.compare(table, rows[table], wanted[table]);
    const reported = [...checker.violations].filter(([, texts]) => texts.length).map(([name]) => name);
    const isRight = kind ? reported.includes(kind) && reported.every((name) => name === kind || also.includes(name)) : reported.length === 0;
    if (!isRight) failed++;
    console.log(`${isRight ? 'ok    ' : 'FAILED'} ${(kind ?? 'none').padEnd(10)} ${what}: reported ${reported.join(', ') || 'nothing'}`);
    if (!isRight) for (const name of reported) console.log(`       ${checker.violations.get(name).join('\n       ')}`);
  }
  return failed === 0;
}
