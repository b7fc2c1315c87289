// Clients and generators of GraphQL that applications use.
//   node graphql-clients.mjs apollo|urql|generators <address> <token> [type]
// "apollo" and "urql" list, page, create and subscribe. "generators" takes the schema as a whole: graphql-js reads it, as text and by
// introspection, and finds no difference; graphql-codegen makes types of it, which tsc takes; Relay compiles a list of the type.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';

const [what, address, token, type] = process.argv.slice(2), url = address + '/api/v1/graphql', headers = { authorization: 'Bearer ' + token };
const Type = type && type[0].toUpperCase() + type.slice(1);
const pageQuery = `query Page($after: String) { ${type}s(first: 2, sort: [NAME_ASC], after: $after) { nodes { id name } pageInfo { hasNextPage endCursor } } }`;
const createMutation = `mutation Create($input: ${Type}Input!) { create${Type}(input: $input) { ${type} { id name } position } }`;
const subscription = `subscription Follow($after: Position) { ${type}Events(after: $after) { type ${type} { name } } }`;
const wait = (promise) => Promise.race([promise, new Promise((_, reject) => setTimeout(() => reject(new Error('nothing came')), 20_000))]);

/** Lists, pages, creates and subscribes with whatever a client calls that. */
async function use({ query, mutate, subscribe }) {
  const names = ['a', 'b', 'c'], positions = [];
  for (const name of names) positions.push((await mutate(createMutation, { input: { name, metadata: {} } }))[`create${Type}`].position);
  const seen = [];
  for (let after = null; ;) {
    const page = (await query(pageQuery, { after }))[`${type}s`];
    seen.push(...page.nodes.map(({ name }) => name));
    if (!page.pageInfo.hasNextPage) break;
    after = page.pageInfo.endCursor;
  }
  if (seen.join() !== names.join()) throw new Error(`listed ${seen}`);
  const event = await wait(subscribe(subscription, { after: positions[1] }));
  if (event[`${type}Events`].type !== 'resource.created' || event[`${type}Events`][type].name !== 'c') throw new Error(JSON.stringify(event));
  console.log('listed, paged, created, subscribed');
}

if (what === 'apollo') {
  const { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } = await import('@apollo/client');
  const { GraphQLWsLink } = await import('@apollo/client/link/subscriptions');
  const { OperationTypeNode } = await import('graphql');
  const { createClient } = await import('graphql-ws');
  const { default: WebSocket } = await import('ws');
  const socket = createClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket, connectionParams: headers });
  const client = new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.split(({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION, new GraphQLWsLink(socket), new HttpLink({ uri: url, headers })),
  });
  await use({
    query: async (text, variables) => (await client.query({ query: gql(text), variables })).data,
    mutate: async (text, variables) => (await client.mutate({ mutation: gql(text), variables })).data,
    subscribe: (text, variables) => new Promise((resolve, reject) => client.subscribe({ query: gql(text), variables }).subscribe({ next: ({ data, error }) => error ? reject(error) : resolve(data), error: reject })),
  });
} else if (what === 'urql') {
  const { Client, cacheExchange, fetchExchange, subscriptionExchange } = await import('@urql/core');
  const { createClient } = await import('graphql-ws');
  const { default: WebSocket } = await import('ws');
  const socket = createClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket, connectionParams: headers });
  const client = new Client({
    url, fetchOptions: { headers }, preferGetMethod: false,
    exchanges: [cacheExchange, fetchExchange, subscriptionExchange({ forwardSubscription: (operation) => ({ subscribe: (sink) => ({ unsubscribe: socket.subscribe({ ...operation, query: operation.query ?? '' }, sink) }) }) })],
  });
  const data = ({ data, error }) => { if (error) throw error; return data; };
  await use({
    query: async (text, variables) => data(await client.query(text, variables).toPromise()),
    mutate: async (text, variables) => data(await client.mutation(text, variables).toPromise()),
    subscribe: (text, variables) => new Promise((resolve, reject) => client.subscription(text, variables).subscribe(({ data, error }) => error ? reject(error) : resolve(data))),
  });
} else {
  const { buildClientSchema, buildSchema, getIntrospectionQuery, parse } = await import('graphql');
  const text = await (await fetch(url + '/schema.graphql', { headers })).text(), schema = buildSchema(text);
  const introspected = await (await fetch(url, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify({ query: getIntrospectionQuery() }) })).json();
  if (introspected.errors) throw new Error(JSON.stringify(introspected.errors));
  const { diff } = await import('@graphql-inspector/core');
  const changes = (await diff(schema, buildClientSchema(introspected.data))).filter(({ type }) => !type.startsWith('DIRECTIVE'));
  if (changes.length) throw new Error(changes.slice(0, 5).map(({ message }) => message).join('\n'));
  console.log('no difference between text and introspection');

  const { codegen } = await import('@graphql-codegen/core');
  const [types, operations] = await Promise.all(['@graphql-codegen/typescript', '@graphql-codegen/typescript-operations'].map((name) => import(name)));
  const documents = [pageQuery, createMutation, subscription].map((each) => ({ document: parse(each) }));
  // The operations bring the types that they use.
  for (const [name, plugin] of Object.entries({ types, operations }))
    writeFileSync(name + '.ts', await codegen({ filename: name + '.ts', schema: parse(text), documents, config: {}, plugins: [{ [name]: {} }], pluginMap: { [name]: plugin } }));
  execFileSync('node', ['node_modules/typescript/bin/tsc', '--strict', '--noEmit', '--target', 'ES2022', '--typeRoots', 'none', 'types.ts', 'operations.ts'], { stdio: 'inherit' });
  console.log('types compile');

  mkdirSync('relay', { recursive: true });
  writeFileSync('relay.graphql', text);
  writeFileSync('relay/list.js', `import { graphql } from 'relay-runtime';
export const page = graphql\`fragment listPage on Query @argumentDefinitions(count: {type: "Int", defaultValue: 5}, cursor: {type: "String"}) @refetchable(queryName: "listPageQuery") {
  ${type}s(first: $count, after: $cursor) @connection(key: "listPage_${type}s") { edges { node { id name } } } }\`;
export const query = graphql\`query listQuery { ...listPage }\`;
`);
  writeFileSync('relay.config.json', JSON.stringify({ src: './relay', schema: './relay.graphql', language: 'javascript' }));
  execFileSync('node', ['node_modules/relay-compiler/cli.js', 'relay.config.json'], { stdio: 'inherit' });
  console.log('Relay compiles');
}
process.exit(0);
