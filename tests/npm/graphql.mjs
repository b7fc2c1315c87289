// Third-party clients of GraphQL: the audit of graphql-http, graphql-ws and graphql-sse.
//   node graphql.mjs audit|socket|sse <address> <token> [type]
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
  await new Promise((resolve) => setTimeout(resolve, 300));
  for (let i = 0; i < count; i++) made.push((await rest('POST', '/resources', { name: `n${i}`, type })).id);
  await Promise.race([reading, new Promise((_, reject) => setTimeout(() => reject(new Error(`saw ${seen.length} of ${count}`)), 20_000))]);
  return { made, seen };
}

const query = `subscription($type: String) { events(type: $type) { position type resource } }`;
const isRight = ({ made, seen }) => made.join() === seen.map(({ resource }) => resource).join() && seen.every(({ position, at }) => position === at);

if (what === 'audit') {
  const results = await auditServer({ url, fetchFn: (to, init) => fetch(to, { ...init, headers: { authorization, ...init?.headers } }) });
  for (const { status, id, name, reason } of results) if (status !== 'ok') console.log(`${status} ${id} ${name}: ${reason}`);
  console.log(`${results.filter(({ status }) => status === 'ok').length} of ${results.length}`);
} else if (what === 'socket') {
  const client = createSocket({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket, connectionParams: { authorization }, retryAttempts: 0 });
  console.log(isRight(await subscribed(client.iterate({ query, variables: { type } }), 20)) ? 'all events in order' : 'other events');
  for await (const { data } of client.iterate({ query: `{ resources(type: "${type}") { totalCount } }` })) console.log(`counted ${data.resources.totalCount}`);
  await client.dispose();
} else {
  const client = createSse({ url, headers: { authorization }, singleConnection: false, retryAttempts: 0 });
  console.log(isRight(await subscribed(client.iterate({ query, variables: { type } }), 20)) ? 'all events in order' : 'other events');
  for await (const { data } of client.iterate({ query: `{ resources(type: "${type}") { totalCount } }` })) console.log(`counted ${data.resources.totalCount}`);
  client.dispose();
}
process.exit(0);
