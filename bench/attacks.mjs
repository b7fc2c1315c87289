// What one caller can do to a node, for neighbours.mjs: each attack goes on until its process is ended.
// Started as a process of its own; what to do comes as a message. Loopback only.
import { Agent, request } from 'node:http';
import { connect, createServer } from 'node:net';
import { sleep } from './common.mjs';

// The ordinary account has another address, in another network.
const address = '127.0.5.1';
let node, token;
const statuses = {};
const count = (status) => { statuses[status] = (statuses[status] ?? 0) + 1; };

/** One request; the answer is read and its status counted. */
function send(agent, method, path, { body, from = address, authorised = true } = {}) {
  return new Promise((resolve) => {
    const text = body && JSON.stringify(body), headers = { ...(authorised ? { authorization: 'Bearer ' + token } : {}), ...(text ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } : {}) };
    const done = (status) => { count(status); resolve(status); };
    request({ agent, host: node.hostname, port: node.port, localAddress: from, method, path, headers, timeout: 60_000 }, (answer) => answer.on('end', () => done(answer.statusCode)).on('error', () => done('cut')).resume())
      .on('timeout', function () { this.destroy(); }).on('error', () => done('error')).end(text);
  });
}

/** Requests at a fixed rate, whatever becomes of them. */
async function offer(rate, one) {
  for (let sent = 0, started = performance.now(); ; await sleep(5))
    for (const due = (performance.now() - started) * rate / 1000; sent < due; sent++) one(sent);
}

/** Requests one after the other, by so many at a time. */
const loop = (width, one) => Promise.all(Array.from({ length: width }, async (_, i) => { for (let round = 0; ; round++) if (await one(i, round) === 'error' || round % 100 === 99) await sleep(50); }));

/** Connections that send a head and then what `go` does; one that ends is followed by another. */
function hold(number, head, go = () => {}, from = () => address) {
  const open = (i) => {
    const socket = connect({ host: node.hostname, port: node.port, localAddress: from(i) });
    socket.pause();
    socket.on('error', () => {}).on('connect', () => { socket.write(head); go(socket); }).on('close', () => { count('closed'); setTimeout(() => open(i), 500); });
  };
  for (let i = 0; i < number; i++) open(i);
  return new Promise(() => {});
}

const head = (method, path, ...headers) => [`${method} ${path} HTTP/1.1`, `Host: ${node.host}`, ...headers, '', ''].join('\r\n');
const authorised = () => 'Authorization: Bearer ' + token;
const agent = () => new Agent({ keepAlive: true, maxSockets: 1000 });

const attacks = {
  /** Bodies of 16 KB, the most that is taken there, at 260 B/s. */
  bodies: () => hold(1020, head('POST', '/api/v1/auth/refresh', 'Content-Type: application/json', 'Content-Length: 16000'), (socket) => {
    const timer = setInterval(() => { if (socket.destroyed) clearInterval(timer); else socket.write(' '.repeat(260)); }, 1000);
  }, (i) => `127.0.2.${1 + i % 20}`),

  /** Pages of resources of 1 MiB, and nobody who reads them. */
  pages: () => hold(60, head('GET', '/api/v1/resources?type=large&limit=200', authorised())),

  /** Patches that change nothing of a resource of 1 MB, and nobody who reads the answers. */
  async patches() {
    const response = await fetch(new URL('/api/v1/resources', node), { method: 'POST', headers: { authorization: 'Bearer ' + token, 'content-type': 'application/json' }, body: JSON.stringify({ type: 'large', name: 'large', metadata: { text: 'x'.repeat(1_000_000) } }) });
    const { data } = await response.json(), body = '{"name":"large"}';
    return hold(500, head('PATCH', '/api/v1/resources/' + data.id, authorised(), 'Content-Type: application/merge-patch+json', 'Content-Length: ' + body.length) + body);
  },

  /** Webhooks from the beginning of the log to a target that takes connections and says nothing. */
  async webhooks() {
    await new Promise((resolve) => createServer((socket) => socket.on('error', () => {}).pause()).listen(8443, '127.0.3.1', resolve));
    for (let i = 0; i < 100; i++) await send(agent(), 'POST', '/api/v1/subscriptions', { body: { name: `webhook ${Date.now()} ${i}`, after: '0', delivery: { kind: 'webhook', url: 'https://127.0.3.1:8443/' } } });
    return new Promise(() => {});
  },

  /** Streams over the whole log, of which none has anything to send. */
  streams: () => hold(100, head('GET', '/api/v1/events?after=0&type=nothing-has-it', authorised(), 'Accept: text/event-stream'), (socket) => socket.resume()),

  /** The dearest search, filter and count. */
  searches() {
    const wildcards = Array.from({ length: 50 }, (_, i) => `metadata.title = "*q${i}x*"`).join(' OR ');
    const paths = ['?q=b%20c', `?filter=${encodeURIComponent(wildcards)}`, `?count=exact&filter=${encodeURIComponent('NOT name = "*zzz*"')}`].map((query) => '/api/v1/resources' + query);
    const connections = agent();
    return loop(16, (i, round) => send(connections, 'GET', paths[(i + round) % paths.length]));
  },

  /** The API description, fifteen times a second. */
  documents() { const connections = agent(); return offer(15, () => send(connections, 'GET', '/openapi/v1.json', { authorised: false })); },

  /** Wrong logins from many addresses. */
  logins() {
    const connections = agent();
    return offer(200, (i) => send(connections, 'POST', '/api/v1/auth/login', { from: `127.0.1.${1 + i % 150}`, authorised: false, body: { email: `nobody${i % 500}@example.org`, password: `a wrong password ${i}` } }));
  },

  /** Names for which no name server answers. */
  names() { const connections = agent(); return offer(15, (i) => send(connections, 'POST', '/api/v1/subscriptions', { body: { name: `name ${i}`, delivery: { kind: 'webhook', url: `https://n${i}.silent.example/` } } })); },
};

export const names = Object.keys(attacks);

if (process.send) {
  process.once('message', async ({ attack, base, account }) => {
    [node, token] = [new URL(base), account];
    setInterval(() => process.send(statuses), 500);
    await attacks[attack]();
  });
  process.on('disconnect', () => process.exit(0));
}
