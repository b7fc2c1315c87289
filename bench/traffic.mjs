// Writers and a reader for rebuild.mjs. They count what goes wrong, and what was cut off because the benchmark killed the node.
import { sleep } from './common.mjs';
import { statuses, types, word, words } from './seed.mjs';

const below = (n) => Math.floor(Math.random() * n), aWord = () => word(below(words)), aName = () => `${aWord()} ${aWord()}`;
/** Takes one out, whichever. */
function take(list) {
  const at = below(list.length), one = list[at], last = list.pop();
  if (at < list.length) list[at] = last;
  return one;
}

/** Closed while the node is away: nothing is sent then, and what fails that was sent before was cut off. */
export class Gate {
  epoch = 0;
  opened = Promise.resolve();

  close() { this.epoch++; this.opened = new Promise((resolve) => { this.open = resolve; }); }
}

/** What came of requests; of each that was answered, when it was sent and how long it took. */
class Account {
  done = 0; cut = 0; failures = []; answered = [];

  constructor(gate) { this.gate = gate; }

  /** Runs one request; gives what it gave, or undefined if it failed. */
  async run(what, request) {
    await this.gate.opened;
    const { epoch } = this.gate, at = Date.now(), started = performance.now();
    try {
      const answer = await request();
      this.done++;
      this.answered.push({ at, ms: performance.now() - started });
      return answer;
    } catch (error) {
      if (epoch !== this.gate.epoch) this.cut++; else this.failures.push(`${what}: ${error.code ?? error.message}`);
    }
  }
}

/** Writes at a fixed rate: creates, and changes of a bounded number of resources, one at a time for each. */
export class Writers extends Account {
  /** The highest position that an answer has given. */
  acknowledged = 0;

  constructor(node, gate, { rate, live, type, most = 5000 }) { Object.assign(super(gate), { node, rate, live, type, most, deleted: [] }); }

  async runUntil(stopped) {
    const flying = new Set();
    for (let [began, sent] = [performance.now(), 0]; !stopped();) {
      const { epoch } = this.gate;
      await this.gate.opened;
      if (epoch !== this.gate.epoch || this.reopened !== this.gate.opened) [this.reopened, began, sent] = [this.gate.opened, performance.now(), 0];
      for (const due = Math.floor((performance.now() - began) * this.rate / 1000); sent < due && flying.size < 256; sent++) {
        const one = this.write().finally(() => flying.delete(one));
        flying.add(one);
      }
      await sleep(2);
    }
    await Promise.all(flying);
  }

  /** One that fails is in doubt, and its resource not used again. */
  async write() {
    const chance = Math.random(), metadata = { stock: below(500), title: aName(), price: below(100_000) / 100, tags: ['t1'] };
    if (chance < 0.2 || !this.live.length) {
      const created = await this.expect(201, 'POST', '/resources', { type: this.type, name: aName(), status: statuses[below(2)], metadata });
      if (created && this.live.length < this.most) this.live.push(created.data.id);
    } else if (chance < 0.3 && this.deleted.length) {
      const id = take(this.deleted);
      if (await this.expect(200, 'POST', `/resources/${id}/restore`)) this.live.push(id);
    } else if (chance < 0.4) {
      const id = take(this.live);
      if (await this.expect(204, 'DELETE', `/resources/${id}`)) this.deleted.push(id);
    } else {
      const id = take(this.live), replacement = { name: aName(), metadata };
      const change = chance < 0.6 ? { name: aName() } : chance < 0.75 ? { metadata: { stock: metadata.stock, [`k${below(9)}`]: aWord(), title: null } } : { status: statuses[below(4)] };
      const done = chance < 0.95
        ? await this.expect(200, 'PATCH', `/resources/${id}`, change, { 'content-type': 'application/merge-patch+json' })
        : await this.expect(200, 'PUT', `/resources/${id}`, replacement, { 'if-match': '*' });
      if (done) this.live.push(id);
    }
  }

  expect = (status, method, path, body, headers) => this.run(`${method} ${path}`, async () => {
    const answer = await this.node.send(method, path, body, headers);
    if (answer.status !== status) throw new Error(`${answer.status} ${answer.code ?? answer.title ?? ''}`);
    if (answer.position > this.acknowledged) this.acknowledged = answer.position;
    return answer;
  });
}

const others = ['status=active', 'sort=name', 'sort=-updatedAt', 'includeDeleted=true', `type=${types[0]}`, 'consistency=linearizable'];
const faultOfFull = ({ data }) => data.length !== 20 && `has ${data.length} rows of 20`;
function faultOfSums({ data: { total, ...counts } }) {
  for (const [by, each] of Object.entries(counts)) {
    const sum = each.reduce((sum, { count }) => sum + count, 0);
    if (sum !== total) return `has ${total} in all and ${sum} ${by}`;
  }
}

/**
 * Reads without a pause: pages of a set that nobody changes, which must be exactly the known ones, lists that are full however the
 * log moves, and statistics that agree with themselves. No answer may be older than the one before, or than a write before it.
 */
export class Reader extends Account {
  partial = []; walks = 0; position = 0;

  constructor(node, gate, writers, { type, ids, page = 50 }) { Object.assign(super(gate), { node, writers, type, ids, page }); }

  async runUntil(stopped) {
    for (let [at, cursor, turn] = [0, '', 0]; !stopped(); turn++) {
      const page = await this.read(`/resources?type=${this.type}&limit=${this.page}&count=exact${cursor}`, (answer) => this.faultOfPage(at, answer));
      if (page?.meta.page.next) [at, cursor] = [at + this.page, `&cursor=${page.meta.page.next}`];
      else if (page) [at, cursor, this.walks] = [0, '', this.walks + 1];

      const list = `/resources?limit=20&${others[turn % others.length]}`, first = await this.read(list, faultOfFull);
      if (first) await this.read(`${list}&cursor=${first.meta.page.next}`, faultOfFull);
      await this.read('/statistics', faultOfSums);
      await this.read(`/statistics?type=${this.type}`, ({ data }) => data.total !== this.ids.length && `has ${data.total} of ${this.ids.length}`);
    }
  }

  faultOfPage(at, { data, meta }) {
    const isLast = at + this.page >= this.ids.length;
    if (meta.count !== this.ids.length) return `counts ${meta.count} of ${this.ids.length}`;
    if (data.map((each) => each.id).join() !== this.ids.slice(at, at + this.page).join()) return `has ${data.length} rows that are not those from ${at} on`;
    if (isLast !== (meta.page.next === null)) return `says ${meta.page.next ? 'there is more' : 'that is all'} after ${at + data.length} of ${this.ids.length}`;
  }

  /** One read; what is wrong with its answer makes it a partial one. */
  async read(path, fault) {
    const oldest = Math.max(this.position, this.writers.acknowledged), answer = await this.run(`GET ${path}`, () => this.node.get(path));
    if (!answer) return undefined;
    const wrong = fault(answer) || !(answer.position >= oldest) && `is of position ${answer.position}, ${oldest} was there before`;
    this.position = answer.position;
    if (wrong) { this.partial.push(`GET ${path} ${wrong}`); return undefined; }
    return answer;
  }
}
