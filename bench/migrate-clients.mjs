// Who uses a type while its stored data is migrated, for migrate.mjs: writers of the old form and of the new one, and followers.
// And the log, read with code of its own, against what they have seen.
import { createServer, get } from 'node:http';
import { jsonRows, sleep } from './common.mjs';

const below = (n) => Math.floor(Math.random() * n), pick = (list) => list[below(list.length)];
/** What the migration has to make of metadata of the old form. */
function migrated({ price, stock, ...others }, maps) {
  const now = { ...others, unitPrice: price, stock: `${stock}`, currency: 'EUR', category: maps[others.category] ?? others.category };
  return { ...now, ...(typeof now.note === 'string' ? { note: Number(now.note) } : {}) };
}

/** Writes at a fixed rate. A write has a number, which is its name and its key, and is sent until it has an outcome. */
export class Writers {
  forms = ['old']; writes = []; failures = []; late = 0; isOver = false;

  /** `known` are the ids of what is there. */
  constructor(nodes, type, rate, known) { Object.assign(this, { nodes, type, rate, known: [...known] }); }

  async run() {
    const flying = new Set(), began = performance.now();
    for (let sent = 0; !this.isOver; await sleep(2))
      for (const due = Math.floor((performance.now() - began) * this.rate / 1000); sent < due; sent++) {
        const at = began + 1000 * (sent + 1) / this.rate, one = this.write(sent, at).finally(() => flying.delete(one));
        this.late = Math.max(this.late, performance.now() - at);
        flying.add(one);
      }
    await Promise.all(flying);
  }

  /** Half are creates, three of ten patch a title, which both forms have, and the others replace. Its time begins when it is due. */
  async write(n, due) {
    const dice = Math.random(), method = dice < 0.5 ? 'POST' : dice < 0.8 ? 'PATCH' : 'PUT';
    const form = method === 'PATCH' ? 'either' : pick(this.forms), id = method === 'POST' ? undefined : pick(this.known);
    const whole = form === 'old' ? { price: n, stock: n % 500 } : { unitPrice: n, stock: `${n % 500}`, currency: 'USD' };
    const name = `w${n}`, title = `title ${n}`;
    const metadata = method === 'PATCH' ? { title } : { ...whole, category: `c${n % 5}`, title, tags: [] };
    const body = { ...(id ? {} : { type: this.type }), name, metadata };
    const headers = {
      'idempotency-key': name, ...(method === 'PUT' ? { 'if-match': '*' } : {}),
      ...(method === 'PATCH' ? { 'content-type': 'application/merge-patch+json' } : {}),
    };
    const write = { n, method, form, id, sent: Date.now(), attempts: 0 };
    for (this.writes.push(write); ;) {
      const up = this.nodes.filter((node) => node.up), node = up[(n + write.attempts++) % up.length], sent = Date.now();
      let answer, why;
      try {
        answer = await node.send(method, id ? `/resources/${id}` : '/resources', body, headers);
      } catch (error) { why = error.code ?? error.name; }
      if (answer && answer.status < 500 && answer.status !== 429) {
        const { status, code, data } = answer, ms = performance.now() - due;
        Object.assign(write, { status, code, version: data?.version, id: data?.id ?? id, answered: Date.now(), ms });
        if (status === 201) this.known.push(data.id);
        return;
      }
      this.failures.push({ node: node.index, sent, at: Date.now(), why: why ?? `${answer.status} ${answer.code}` });
      if (write.attempts > 300) return;
      await sleep(100);
    }
  }
}

/** A stream of events from a position on. Where it is cut it goes on at another node. */
export function follow(nodes, first, after) {
  const got = { positions: [], cuts: 0 };
  (async () => {
    for (let node = first, last = after; ; got.cuts++) {
      const ask = { accept: 'text/event-stream', authorization: `Bearer ${node.token}`, 'last-event-id': String(last) };
      await new Promise((resolve) => {
        let rest = '';
        get(`${node.base}/api/v1/events`, { headers: ask }, (answer) => answer.setEncoding('latin1').on('data', (data) => {
          const items = (rest + data).split('\n\n');
          rest = items.pop();
          for (const item of items) {
            const position = Number(item.match(/^id: (\d+)/m)?.[1]);
            if (position) last = position;
            if (/^event: resource\./m.test(item)) got.positions.push(position);
          }
        }).on('close', resolve).on('error', () => {})).on('error', resolve);
      });
      await sleep(200);
      node = pick(nodes.filter(({ up }) => up));
    }
  })();
  return got;
}

/** A receiver of webhooks: the positions that it has got, and which of a resource came before an earlier one. */
export async function receiver() {
  const positions = new Set(), newest = new Map(), got = { positions, calls: 0, disordered: 0 };
  const server = createServer((request, answer) => {
    const parts = [];
    request.on('data', (part) => parts.push(part)).on('end', () => {
      const event = JSON.parse(Buffer.concat(parts)), position = Number(event.position);
      got.calls++;
      if (!positions.has(position) && position < (newest.get(event.subject) ?? 0)) got.disordered++;
      newest.set(event.subject, Math.max(position, newest.get(event.subject) ?? 0));
      positions.add(position);
      answer.end();
    });
  }).listen(0, '127.0.0.1').unref();
  await new Promise((resolve) => server.on('listening', resolve));
  return Object.assign(got, { url: `http://127.0.0.1:${server.address().port}/hook` });
}

/** Reads the whole log of a type whose data was migrated, and gives counts and every fault. */
export async function checkLog(database, type, writes, maps) {
  const faults = [], resources = new Map(), seen = new Map(), fault = (text) => { faults.push(text); };
  const counts = { lived: 0, byNodes: 0, byWriters: 0, createdOld: 0, createdNew: 0, oldAfter: 0 };
  let [begun, closing, over] = [0, false, false];
  for await (const { id, v, t, type: of, name, tv, m } of jsonRows(database, `
      select json_build_object('id', stream_id, 'v', version, 't', type, 'type', data ->> 'type', 'name', data ->> 'name',
        'tv', data -> 'typeVersion', 'm', data -> 'metadata')
      from mt_events where not is_skipped and (type like 'resource.%' or type like 'type.%') order by seq_id`)) {
    if (t === 'type.migration_begun') { begun = v; counts.lived = resources.size; }
    closing ||= t === 'type.migration_closing';
    if (t === 'type.changed' && begun) {
      over = true;
      for (const [key, { isNew }] of resources) if (!isNew) fault(`${key} has the old form when the change is in force`);
    }
    const before = resources.get(id), isCreated = t === 'resource.created';
    if (isCreated ? of !== type : !before) continue;
    if (v !== (before?.version ?? 0) + 1) fault(`${id} has version ${v} after ${before?.version}`);
    const isNew = 'unitPrice' in m;
    if ('price' in m === isNew || typeof m.stock !== (isNew ? 'string' : 'number'))
      fault(`${id} has neither form at ${v}: ${JSON.stringify(m)}`);
    if (isNew !== (begun > 0 && tv >= begun))
      fault(`${id} says typeVersion ${tv} at ${v}, and its form is ${isNew ? 'new' : 'old'}`);
    if (before?.isNew && !isNew) fault(`${id} has the old form again at ${v}`);
    if (!isNew && closing) { counts.oldAfter++; fault(`${id} has the old form at ${v}, after the closing`); }
    if (isCreated && begun) counts[isNew ? 'createdNew' : 'createdOld']++;
    if (t === 'resource.migrated') {
      const wanted = migrated(before.m, maps), keys = Object.keys(wanted);
      counts.byNodes++;
      if (before.isNew || !begun || over) fault(`${id} is migrated at ${v}, which has the new form`);
      if (keys.length !== Object.keys(m).length || keys.some((key) => JSON.stringify(m[key]) !== JSON.stringify(wanted[key])))
        fault(`${id} became ${JSON.stringify(m)} of ${JSON.stringify(before.m)}`);
    } else {
      if (isNew && before && !before.isNew) counts.byWriters++;
      if (/^w\d+$/.test(name)) seen.set(name, [...seen.get(name) ?? [], `${id} ${v}`]);
    }
    resources.set(id, { version: v, isNew, m });
  }
  if (!over) fault('the change did not come into force');
  if (counts.lived + counts.createdOld !== counts.byNodes + counts.byWriters)
    fault(`not every resource has got the new form once: ${JSON.stringify(counts)}`);
  let [lost, twice] = [0, 0];
  for (const { n, method, status, id, version } of writes) {
    const places = seen.get(`w${n}`) ?? [], isTaken = status < 300;
    if (isTaken && !places.includes(`${id} ${version}`)) {
      lost++;
      fault(`${method} ${n} was answered ${status}, and is not version ${version} of ${id}: ${places}`);
    }
    if (places.length > 1) { twice++; fault(`${method} ${n} is in the log ${places.length} times: ${places}`); }
    if (status >= 400 && places.length) fault(`${method} ${n} was answered ${status}, and is in the log: ${places}`);
    if (status === undefined) fault(`${method} ${n} has no outcome`);
  }
  return { ...counts, inLog: seen.size, taken: writes.filter(({ status }) => status < 300).length, lost, twice, faults };
}
