// What types.mjs knows of types: a fold of the whole log and the judgement of every answer, by this file alone. It shares no code with the
// server. Schemas are ajv's affair. Positions are numbers here: a run does not come near 2^53.
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';

/** What can be wrong, by the name that reports have. */
export const kinds = {
  gap: 'versions of a stream or positions have a gap, or come twice',
  schema: 'a write contradicts the definition in force',
  proposal: 'a write contradicts the proposed definition',
  change: 'a definition came into force, or ended, against what is stored',
  lifecycle: 'a status followed that may not follow',
  rules: 'a write names another version of its type than that in force',
  unique: 'two live resources have one value',
  reference: 'a live resource refers to one that is deleted, missing or of another type',
  unit: 'the events of one request are apart, or in the wrong order',
  twice: 'a write took effect twice',
  lost: 'an acknowledged write is not in the log',
  content: 'an acknowledged write has other content in the log',
  stale: 'a read showed what was over before it was asked for',
  refusal: 'a refusal has no reason between request and answer',
  offender: 'a refused change blames a resource that fits',
  error: 'an answer of 5xx other than 503',
  slow: 'a request took over 10 s',
  dropped: 'a node that was up did not answer',
  claims: 'unique_claims differ from the log',
  references: 'resource_references differ from the log',
  leftover: 'guards of former rules are left after a minute',
  goal: 'a count is not what it has to be',
};

/** Who had what, from a position on and before another one. */
class Spans {
  all = new Map();

  open(key, who, from) {
    const list = this.all.get(key) ?? [];
    this.all.set(key, list);
    list.push({ who, from, to: Infinity });
  }

  close(key, who, to) { const span = this.all.get(key)?.findLast((each) => each.who === who && each.to === Infinity); if (span) span.to = to; }

  /** Those of some moment after the events up to <c>low</c> and before the event at <c>high</c>. */
  during = (key, low, high) => (this.all.get(key) ?? []).filter(({ from, to }) => from < high && to > low);
  cover = (key, who, low, high) => this.during(key, low, high).some((span) => span.who === who && span.from <= low && span.to >= high);
}

/** What is wrong with an answer, or with its absence, whatever was asked; undefined where nothing is. */
export function faultOf({ status, took, isUp, isCut }) {
  if (took > 10_000) return 'slow';
  if (status >= 500 && status !== 503) return 'error';
  return status === undefined && isUp && !isCut ? 'dropped' : undefined;
}

// ---- What resources have ----

const steps = (pointer) => pointer.split('/').slice(1).map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
const items = (value) => (Array.isArray(value) ? value : []);

/** The values at a pointer; a step * is every item of a list. */
const at = (resource, pointer) => steps(pointer).reduce(
  (found, step) => (step === '*' ? found.flatMap(items) : found.flatMap((value) => (value?.[step] === undefined ? [] : [value[step]]))), [resource]);

const id = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
export const targetsAt = (resource, pointer) =>
  [...new Set(at(resource, pointer).flatMap((value) => (Array.isArray(value) ? value : [value])).filter((value) => id.test(value)).map((value) => value.toLowerCase()))];

/** A number as unique values are compared, its digits and the power of the first; texts of these runs need no more than lower case. */
const plain = (number) => (number === 0 ? '0' : number.toExponential().replace('.', '').replace('+', ''));
function canonical(value, ignoreCase) {
  if (typeof value === 'string') return ['s', ignoreCase ? value.normalize('NFC').toLowerCase() : value.normalize('NFC')];
  if (typeof value === 'number') return ['n', plain(value)];
  return typeof value === 'boolean' ? ['b', String(value)] : null;
}

/** The value of a resource under a unique rule; null where it has none. */
export function valueOf({ members, ignoreCase }, resource) {
  const parts = members.map((member) => canonical(at(resource, member)[0], ignoreCase));
  return parts.includes(null) ? null : parts.map(([kind, text]) => `${kind}${Buffer.byteLength(text)}:${text}`).join('');
}
const nameOf = ({ members, ignoreCase }) => `${members} ${ignoreCase === true}`;

export function merge(target, patch) {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch;
  const result = target && typeof target === 'object' && !Array.isArray(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) if (value === null) delete result[name]; else result[name] = merge(result[name], value);
  return result;
}

class Definition {
  constructor({ definition, fields }, validator) {
    this.text = definition;
    this.validate = validator(definition.schema);
    this.lifecycle = definition.lifecycle;
    this.states = Object.fromEntries(Object.entries(definition.lifecycle?.states ?? {}).map(([name, { schema }]) => [name, schema && validator(schema)]));
    this.unique = Object.entries(definition.unique ?? {}).map(([name, rule]) => ({ ...rule, number: fields[name] }));
    this.references = Object.entries(definition.references ?? {}).map(([pointer, { type }]) => ({ pointer, type, number: fields[pointer] }));
  }

  /** What is wrong with a resource by itself; undefined where nothing is. */
  fault({ name, status, metadata }) {
    const state = status ?? this.lifecycle?.initial;
    if (this.lifecycle && !this.lifecycle.states[state]) return `has the unknown status ${state}`;
    for (const validate of [this.validate, this.states[state]]) if (validate && !validate(metadata)) return `${validate.errors[0].instancePath} ${validate.errors[0].message}`;
    const missing = this.lifecycle?.states[state].require?.find((pointer) => at({ name, status: state, metadata }, pointer)[0] == null);
    return missing && `lacks ${missing}`;
  }

  values = (resource) => this.unique.flatMap((rule) => { const value = valueOf(rule, resource); return value === null ? [] : [[rule.number, value]]; });
  targets = (resource) => this.references.flatMap(({ pointer, type, number }) => targetsAt(resource, pointer).map((target) => ({ number, type, target })));
}

// ---- The log ----

export class Checker {
  violations = new Map(Object.keys(kinds).map((kind) => [kind, []]));
  resources = new Map(); types = new Map(); events = 0;
  // By rules that ever were: who had a value, who referred to whom, who was alive, and what was in force or proposed.
  held = new Spans(); incoming = new Spans(); alive = new Spans(); ruled = new Spans();
  ever = new Map(); holders = new Map(); referrers = new Map(); writes = new Map(); requests = new Set();

  constructor(ajv) {
    const known = new Map();
    this.validator = (schema) => {
      const text = JSON.stringify(schema);
      if (!known.has(text)) known.set(text, ajv.compile(schema));
      return known.get(text);
    };
  }

  report(kind, text) { this.violations.get(kind).push(text); }

  /** Folds the whole log, resources and types together. */
  fold(log) {
    const events = [...log].sort((a, b) => a.position - b.position);
    for (const { type, data } of events) if (type.startsWith('type.') && data.definition) this.noteRules(data.name, data.definition);
    for (let i = 0, last = 0; i < events.length;) {
      const unit = [events[i++]], { source, correlationid } = unit[0];
      while (source === '/resources' && correlationid && events[i]?.source === source && events[i].correlationid === correlationid) unit.push(events[i++]);
      for (const { position } of unit) {
        if (!(Number(position) > last)) this.report('gap', `position ${position} after ${last}`);
        last = Number(position);
      }
      this.events += unit.length;
      if (source === '/types') this.typeEvent(unit[0]); else this.unit(unit);
    }
  }

  noteRules(type, definition) {
    const { unique, references } = this.ever.get(type) ?? { unique: new Map(), references: new Set() };
    for (const rule of Object.values(definition.unique ?? {})) unique.set(nameOf(rule), rule);
    for (const pointer of Object.keys(definition.references ?? {})) references.add(pointer);
    this.ever.set(type, { unique, references });
  }

  /** The events that one request appended. All are there at once, so references are looked at behind the last one. */
  unit(events) {
    const request = events[0].correlationid;
    if (request && this.requests.has(request)) this.report('unit', `request ${request} goes on at ${events[0].position}`);
    this.requests.add(request);
    const before = new Map(events.map(({ subject }) => [subject, this.targets(subject)])), early = [], written = [];
    for (const [n, event] of events.entries()) {
      if (n && Number(event.position) !== Number(events[n - 1].position) + 1) this.report('unit', `position ${event.position} does not follow ${events[n - 1].position}`);
      const resource = this.resourceEvent(event);
      if (!resource) continue;
      written.push(resource);
      if (!resource.now.live) for (const source of this.referrers.get(resource.id)?.keys() ?? []) if (source !== resource.id) early.push([source, resource.id]);
    }
    // What refers to something is written before that, unless they refer to each other.
    const reaches = (from, to, seen = new Set()) => from === to || !seen.has(from) && seen.add(from) && (before.get(from) ?? []).some((next) => reaches(next, to, seen));
    for (const [source, target] of early)
      if (!this.referrers.get(target)?.has(source) && !reaches(target, source)) this.report('unit', `${target} is deleted before ${source}, which refers to it, at ${events[0].position}`);
    for (const resource of new Set(written)) this.checkReferences(resource, events.at(-1).position);
  }

  targets(subject) {
    const resource = this.resources.get(subject), form = this.types.get(resource?.type)?.form;
    return form && resource.now.live ? form.targets(resource.now).map(({ target }) => target) : [];
  }

  resourceEvent({ subject, type: kind, position: text, resourceversion: version, data }) {
    const position = Number(text);
    let resource = this.resources.get(subject);
    if (version !== (resource?.states.length ?? 0) + 1) this.report('gap', `${subject} has version ${version} after ${resource?.states.length ?? 0}`);
    if (!resource) {
      if (kind !== 'resource.created') return undefined;
      this.resources.set(subject, resource = { id: subject, type: data.type, states: [] });
    }
    const before = resource.now, after = { position, live: kind !== 'resource.deleted' };
    for (const member of ['name', 'status', 'metadata', 'owner']) after[member] = data[member] ?? before?.[member];
    const type = this.types.get(resource.type), form = type?.form, where = `${subject} at ${position}`;
    this.leave(resource, form, position);
    resource.states[version - 1] = resource.now = after;
    this.enter(resource, form, position);
    if (after.live && !before?.live) this.alive.open(subject, resource.type, position);
    if (before?.live && !after.live) this.alive.close(subject, resource.type, position);
    if (after.metadata?.w !== undefined && after.metadata.w !== before?.metadata?.w) {
      if (this.writes.has(after.metadata.w)) this.report('twice', `write ${after.metadata.w} of ${where}, and at ${this.writes.get(after.metadata.w)}`);
      this.writes.set(after.metadata.w, position);
    }
    if (!after.live) return resource;
    if ((data.typeVersion ?? null) !== (form ? type.version : null)) this.report('rules', `${where} is of version ${data.typeVersion} of its type, in force is ${type?.version}`);
    for (const [rules, fault] of [['schema', form?.fault(after)], ['proposal', type?.proposed?.fault(after)]]) if (fault) this.report(rules, `${where}: ${fault}`);
    if (form) this.checkStep(form, before, after, where);
    this.checkValues(resource, form, where);
    return resource;
  }

  checkStep({ lifecycle }, before, after, where) {
    if (!lifecycle || before?.status === after.status) return;
    const allowed = before && lifecycle.states[before.status] ? lifecycle.transitions.some(({ from, to }) => from === before.status && to === after.status) : after.status === lifecycle.initial;
    if (!allowed) this.report('lifecycle', `${where} became ${after.status} and was ${before?.status ?? 'new'}`);
  }

  checkValues(resource, form, where) {
    for (const [number, value] of form?.values(resource.now) ?? [])
      if (this.holders.get(`${resource.type} ${number} ${value}`).size > 1) this.report('unique', `${where}: ${value} belongs to another one, too`);
  }

  checkReferences(resource, position) {
    const form = this.types.get(resource.type)?.form;
    for (const { target, type } of form && resource.now.live ? form.targets(resource.now) : []) {
      const found = this.resources.get(target);
      if (!found?.now.live || found.type !== type) this.report('reference', `${resource.id} refers at ${position} to ${target}, which is ${!found ? 'missing' : found.now.live ? `of the type ${found.type}` : 'deleted'}`);
    }
    if (!resource.now.live) for (const source of this.referrers.get(resource.id)?.keys() ?? []) this.report('reference', `${source} refers to ${resource.id}, which is deleted at ${position}`);
  }

  leave(resource, form, position) {
    if (!resource.now?.live) return;
    for (const [number, value] of form?.values(resource.now) ?? []) this.holders.get(`${resource.type} ${number} ${value}`)?.delete(resource.id);
    for (const { target } of form?.targets(resource.now) ?? []) this.referrers.get(target)?.delete(resource.id);
    if (position === undefined) return;
    this.noted(resource, (spans, key) => spans.close(key, resource.id, position));
  }

  enter(resource, form, position) {
    if (!resource.now.live) return;
    const into = (map, key, empty) => map.get(key) ?? (map.set(key, empty), empty);
    for (const [number, value] of form?.values(resource.now) ?? []) into(this.holders, `${resource.type} ${number} ${value}`, new Set()).add(resource.id);
    for (const { target } of form?.targets(resource.now) ?? []) into(this.referrers, target, new Map()).set(resource.id, true);
    if (position === undefined) return;
    this.noted(resource, (spans, key) => spans.open(key, resource.id, position));
  }

  noted({ type, now }, note) {
    const rules = this.ever.get(type);
    for (const [name, rule] of rules?.unique ?? []) { const value = valueOf(rule, now); if (value !== null) note(this.held, `${type} ${name} ${value}`); }
    for (const target of new Set([...rules?.references ?? []].flatMap((pointer) => targetsAt(now, pointer)))) note(this.incoming, target);
  }

  typeEvent({ subject, type: kind, position: text, resourceversion: version, data, resourcetype }) {
    const name = data.name ?? resourcetype, position = Number(text), type = this.types.get(name) ?? { name, stream: subject, head: 0, past: [] };
    this.types.set(name, type);
    if (version !== type.head + 1) this.report('gap', `the type ${name} has version ${version} after ${type.head}`);
    type.head = version;
    type.past[version] = { kind, position, data };
    const move = (form) => {
      const live = [...this.resources.values()].filter((resource) => resource.type === name && resource.now.live);
      for (const resource of live) this.leave(resource, type.form);
      this.ruled.close(name, type.form, position);
      [type.form, type.version] = [form, version];
      if (form) this.ruled.open(name, form, position);
      for (const resource of live) this.enter(resource, form);
      for (const resource of live) {
        const where = `${resource.id} under version ${version} of ${name}`, fault = form ? form.fault(resource.now) : 'is there, though its type is deleted';
        if (fault) this.report('change', `${where}: ${fault}`);
        this.checkValues(resource, form, where);
        this.checkReferences(resource, position);
      }
    };
    const decided = () => { this.ruled.close(name, type.proposed, position); type.proposed = undefined; };
    switch (kind) {
      case 'type.change_proposed':
        if (!data.definition) break;
        type.proposed = Object.assign(new Definition(data, this.validator), { isProposed: true });
        this.ruled.open(name, type.proposed, position);
        break;
      case 'type.changed': decided(); move(new Definition(data, this.validator)); break;
      case 'type.change_abandoned': decided(); break;
      case 'type.deleted': decided(); move(undefined); break;
      default: throw new Error(`The log has a ${kind}, which this fold does not know.`);
    }
  }

  // ---- The answers ----

  /** Judges what clients were told. What was created by a request that was sent after an answer stands behind that answer. */
  answers(records) {
    const later = records.filter(({ what, status, data }) => what === 'create' && status === 201 && this.resources.has(data.id))
      .map(({ first, data }) => ({ first, position: this.resources.get(data.id).states[0]?.position ?? Infinity })).sort((a, b) => a.first - b.first);
    for (let i = later.length - 2; i >= 0; i--) later[i].position = Math.min(later[i].position, later[i + 1].position);
    const behind = (moment) => {
      let [low, high] = [0, later.length];
      while (low < high) { const middle = (low + high) >> 1; if (later[middle].first < moment) low = middle + 1; else high = middle; }
      return later[low]?.position ?? Infinity;
    };
    const versions = new Map();
    for (const record of records) {
      const high = behind(record.answered), { status, what } = record;
      if (what === 'type') this.typeAnswer(record, versions);
      else if (status === 204) this.deleted(record);
      else if (status < 300) this.written(record);
      else if (status >= 400 && status < 500) this.refused(record, record.low, high);
    }
  }

  deleted({ id: subject, position }) {
    const state = this.resources.get(subject)?.states.findLast((each) => each?.position <= position);
    if (!state || state.live) this.report('lost', `the deletion of ${subject}, acknowledged at ${position}`);
  }

  written({ what, low, sent, data, position }) {
    const { states = [] } = this.resources.get(data.id) ?? {}, state = states[data.version - 1], where = `${what} of ${data.id}, version ${data.version}`;
    if (!state) { this.report('lost', where); return; }
    if (!state.live || ['name', 'status', 'metadata'].some((member) => !isDeepStrictEqual(state[member], data[member]))) this.report('content', `${where}: answered ${JSON.stringify(data.metadata)}, the log has ${JSON.stringify(state.metadata)}`);
    if (what === 'get') { if (states[data.version]?.position <= low) this.report('stale', `${where}, and ${low} was known`); return; }
    if (!(state.position <= position)) this.report('lost', `${where} stands at ${state.position}, answered was ${position}`);
    const kept = what === 'patch' ? merge(state.metadata, sent?.metadata ?? {}) : sent?.metadata;
    if (kept && !isDeepStrictEqual(kept, state.metadata)) this.report('content', `${where}: sent ${JSON.stringify(sent.metadata)}, the log has ${JSON.stringify(state.metadata)}`);
  }

  /** What a refused write would have made of the resource, as it was at each moment from the request to the answer. */
  candidates({ what, id: subject, sent }, low, high) {
    if (what === 'create' || what === 'put') return [sent];
    const { states = [] } = this.resources.get(subject) ?? {};
    const seen = states.filter((state, n) => state.position < high && !(states[n + 1]?.position <= low));
    return what === 'patch' && sent ? seen.map((state) => ({ ...state, ...sent, metadata: merge(state.metadata, sent.metadata ?? {}) })) : seen;
  }

  refused(record, low, high) {
    const { what, id: subject, type, status, code, errors, change } = record, would = this.candidates(record, low, high), rules = this.ever.get(type);
    const fail = (text) => this.report('refusal', `${what} of ${subject ?? type} was refused with ${code ?? status}, ${text} (positions ${low} to ${high})`);
    if (status === 404 && this.resources.get(subject)?.states[0]?.position <= low) fail('it is there');
    if (status === 410 && this.alive.cover(subject, type, low, high)) fail('it was never deleted');
    if ((status === 400 || code === 'RESTORE_INVALID') && sentTo(record)) {
      const forms = this.ruled.during(type, low, high).filter(({ who }) => change ? who.isProposed : !who.isProposed);
      if (!forms.some(({ who }) => would.some((one) => who.fault(one)))) fail(`it fitted: ${JSON.stringify(errors)}`);
    }
    if (['NOT_UNIQUE', 'REFERENCE_NOT_FOUND'].includes(code) && !errors?.[0]?.pointer) fail('no member is named');
    if (code === 'NOT_UNIQUE' && !would.some((one) => [...rules.unique].some(([name, rule]) => this.held.during(`${type} ${name} ${valueOf(rule, one)}`, low, high).some(({ who }) => who !== subject))))
      fail('nobody else had the value');
    if (code === 'REFERENCE_NOT_FOUND') {
      const asked = [...this.ruled.during(type, low, high)].flatMap(({ who }) => would.flatMap((one) => who.targets(one)));
      if (asked.every(({ target, type: wanted }) => target === subject || this.alive.cover(target, wanted, low, high))) fail('all targets were there');
    }
    if (code === 'STILL_REFERENCED' && !this.incoming.during(subject, low, high).some(({ who }) => who !== subject)) fail('nothing referred to it');
  }

  typeAnswer({ type: name, status, code, sent, data, offending, examples }, versions) {
    const type = this.types.get(name);
    if (status < 300 && data?.version) {
      const { kind, data: stored } = type?.past[data.version] ?? {};
      if (kind !== 'type.changed' || !['schema', 'unique', 'references'].every((member) => isDeepStrictEqual(stored.definition[member], sent[member]))) this.report('lost', `version ${data.version} of the type ${name}`);
      if (versions.has(`${name} ${data.version}`)) this.report('twice', `version ${data.version} of the type ${name} answers two requests`);
      versions.set(`${name} ${data.version}`, true);
    }
    if (code !== 'TYPE_CHANGE_BREAKS_DATA') return;
    if (!(offending > 0)) this.report('offender', `${name}: the refused change names nothing`);
    const form = new Definition({ definition: sent, fields: {} }, this.validator);
    for (const { id: subject, version, errors } of examples ?? []) {
      const state = this.resources.get(subject)?.states[version - 1];
      const isOfOthers = errors.some((error) => ['NOT_UNIQUE', 'REFERENCE_NOT_FOUND'].includes(error.code));
      if (!state?.live || !isOfOthers && !form.fault(state)) this.report('offender', `${subject}, version ${version}: ${JSON.stringify(errors)}`);
    }
  }

  // ---- The tables ----

  /** The rows that the rules in force ask for, as the tables have them, and the numbers of these rules. */
  rows() {
    const claims = new Set(), references = new Set(), inForce = { claims: new Set(), references: new Set() };
    for (const { stream, name, form } of this.types.values()) {
      for (const { number } of form?.unique ?? []) inForce.claims.add(`${stream}|${number}`);
      for (const { number } of form?.references ?? []) inForce.references.add(`${name}|${number}`);
    }
    for (const { id: source, type, now } of this.resources.values()) {
      const { form, stream } = this.types.get(type) ?? {};
      if (!form || !now.live) continue;
      for (const [number, value] of form.values(now)) claims.add(`${stream}|${number}|${createHash('sha256').update(value).digest('hex')}|${source}`);
      for (const { number, target } of form.targets(now)) references.add(`${source}|${number}|${target}`);
    }
    return { claims, references, inForce };
  }

  compare(kind, found, wanted) {
    for (const row of found) if (!wanted.has(row)) this.report(kind, `${row} is too many`);
    for (const row of wanted) if (!found.has(row)) this.report(kind, `${row} is missing`);
  }
}

/** Whether a 400 can only come from the rules of the type: operations of our own may fail for what they are. */
const sentTo = ({ what, sent }) => what === 'create' || what === 'put' || what === 'restore' || what === 'patch' && sent !== undefined;
