// Third-party clients of GraphQL: the audit of graphql-http, graphql-ws and graphql-sse.
//   node graphql.mjs audit|socket|sse|changes <address> <token> [type]
import { auditServer } from 'graphql-http';
import { createClient as createSse } from 'graphql-sse';
import { createClient as createSocket } from 'graphql-ws';
import WebSocket from 'ws';

const [what, address, token, type] = process.argv.slice(2), url = address + '/api/v1/graphql', authorization = 'Bearer ' + token;
const rest = async (method, path, body) => {
  const answer = await fetch(address + '/api/v1' + path, { method, headers: { authorization, 'content-type': 'application/json' }, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.status === 204 ? null : (await answer.json()).data;
};

/** Creates resources while a client is subscribed, and gives the events that it saw in the end. */
async function subscribed(iterate, count) {
  const made = [], seen = [];
  const reading = (async () => {
    for await (const { data, errors, extensions } of iterate) {
      if (errors) throw new Error(JSON.stringify(errors));
      seen.push({ ...data.events, at: extensions.position });
      if (seen.length === count) return;
    }
  })();
  for (let i = 0; i < count; i++) made.push((await rest('POST', '/resources', { name: `n${i}`, type })).id);
  await Promise.race([reading, new Promise((_, reject) => setTimeout(() => reject(new Error(`saw ${seen.length} of ${count}`)), 20_000))]);
  return { made, seen };
}

const query = `subscription($type: String, $after: Position) { events(type: $type, after: $after) { position type resource } }`;
const head = async () => (await (await fetch(address + '/api/v1/events?after=now&limit=1', { headers: { authorization } })).json()).meta.position;
const isRight = ({ made, seen }) => made.join() === seen.map(({ resource }) => resource).join() && seen.every(({ position, at }) => position === at);

if (what === 'audit') {
  const results = await auditServer({ url, fetchFn: (to, init) => fetch(to, { ...init, headers: { authorization, ...init?.headers } }) });
  for (const { status, id, name, reason } of results) if (status !== 'ok') console.log(`${status} ${id} ${name}: ${reason}`);
  console.log(`${results.filter(({ status }) => status === 'ok').length} of ${results.length}`);
} else if (what === 'socket') {
  const client = createSocket({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket, connectionParams: { authorization }, retryAttempts: 0 });
  console.log(isRight(await subscribed(client.iterate({ query, variables: { type, after: await head() } }), 20)) ? 'all events in order' : 'other events');
  for await (const { data } of client.iterate({ query: `{ resources(type: "${type}") { totalCount } }` })) console.log(`counted ${data.resources.totalCount}`);
  await client.dispose();
} else if (what === 'changes') {
  const client = createSocket({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket, connectionParams: { authorization }, retryAttempts: 0 });
  const held = new Map(), name = (document) => document.replaceAll('#type', type), price = () => Math.floor(Math.random() * 100);
  const listed = async () => {
    const answer = await fetch(`${address}/api/v1/resources?type=${type}&limit=200&filter=${encodeURIComponent('metadata.price >= 50')}`, { headers: { authorization } });
    const { data, meta } = await answer.json();
    return { position: BigInt(meta.position), text: data.map(({ id, version }) => `${id} ${version}`).sort().join() };
  };
  const create = async () => (await rest('POST', '/resources', { name: 'n', type, metadata: { price: price() } })).id;
  const ids = [];
  for (let i = 0; i < 10; i++) ids.push(await create());
  let caughtUp = false, reached = 0n;
  const query = name(`subscription { step: #typeChanges(where: {metadata: {price: {gte: 50}}}) { kind position id #type { id version metadata { price } } } }`);
  const following = (async () => {
    for await (const { data, errors } of client.iterate({ query })) {
      if (errors) throw new Error(JSON.stringify(errors));
      const { kind, position, id, [type]: row } = data.step;
      if (kind === 'RESET') held.clear();
      else if (kind === 'REMOVED') held.delete(id);
      else if (row) held.set(id, `${id} ${row.version}`);
      if (kind === 'CAUGHT_UP') caughtUp = true;
      if (kind === 'CAUGHT_UP' || kind === 'POSITION') reached = BigInt(position);
    }
  })();
  following.catch((error) => { console.log(String(error)); process.exit(1); });
  const until = async (holds) => { for (let i = 0; !await holds(); i++) { if (i > 400) throw new Error('nothing came'); await new Promise((resolve) => setTimeout(resolve, 50)); } };
  await until(() => caughtUp);
  for (let i = 0; i < 60; i++) {
    const id = ids[Math.floor(Math.random() * ids.length)];
    if (i % 6 === 0) ids.push(await create());
    else if (i % 10 === 9) { ids.splice(ids.indexOf(id), 1); await rest('DELETE', `/resources/${id}`); }
    else await rest('PATCH', `/resources/${id}`, { metadata: { price: price() } });
  }
  const list = await listed();
  await until(() => reached >= list.position);
  console.log([...held.values()].sort().join() === list.text && list.text ? 'as the list' : `${[...held.values()].sort()}\n${list.text}`);
  await client.dispose();
} else {
  const client = createSse({ url, headers: { authorization }, singleConnection: false, retryAttempts: 0 });
  console.log(isRight(await subscribed(client.iterate({ query, variables: { type, after: await head() } }), 20)) ? 'all events in order' : 'other events');
  for await (const { data } of client.iterate({ query: `{ resources(type: "${type}") { totalCount } }` })) console.log(`counted ${data.resources.totalCount}`);
  client.dispose();
}
process.exit(0);
