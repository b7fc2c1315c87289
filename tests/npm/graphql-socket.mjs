// What breaks the protocol of graphql-ws closes the socket with the code that the protocol has for it.
//   node graphql-socket.mjs <address> <token>
import WebSocket from 'ws';

const [address, token] = process.argv.slice(2), url = address.replace('http', 'ws') + '/api/v1/graphql', authorization = 'Bearer ' + token;
const init = { type: 'connection_init', payload: { authorization } }, endless = (id) => ({ id, type: 'subscribe', payload: { query: 'subscription { events { position } }' } });
const asked = (id, query) => ({ id, type: 'subscribe', payload: { query } });
const cases = {
  'no message': [[], 4408],
  'two initialisations': [[init, init], 4429],
  'no initialisation': [[endless('1')], 4401],
  'no token': [[{ type: 'connection_init' }], 4403],
  'a wrong token': [[{ type: 'connection_init', payload: { authorization: 'Bearer x' } }], 4403],
  'an id twice': [[init, endless('1'), endless('1')], 4409],
  'no JSON': [[init, '{'], 4400],
  'a message of no type': [[init, {}], 4400],
  'an unknown message': [[init, { type: 'next' }], 4400],
  'a list': [[init, []], 4400],
  'no payload': [[init, { id: '1', type: 'subscribe' }], 4400],
  'no query': [[init, { id: '1', type: 'subscribe', payload: {} }], 4400],
  'no id': [[init, { type: 'subscribe', payload: { query: '{ __typename }' } }], 4400],
  'a binary message': [[init, Buffer.from('{}')], 4400],
  'a long message': [[init, JSON.stringify(asked('1', '#' + 'x'.repeat(70_000)))], 4400],
  'too many operations': [[init, ...Array.from({ length: 21 }, (_, i) => endless('i' + i))], 4429],
  'an id again behind its end': [[init, asked('1', '{ __typename }'), 'wait', asked('1', '{ __typename }')], 'complete complete'],
  'an id that was completed, and then twice': [[init, endless('1'), { type: 'complete', id: '1' }, endless('1'), 'wait', endless('1')], 4409],
  'an invalid document': [[init, asked('1', '{ nothing }')], 'error'],
  'a ping': [[init, { type: 'ping' }], 'pong'],
};

const run = ([messages, expected]) => new Promise((resolve) => {
  const socket = new WebSocket(url, 'graphql-transport-ws'), got = [];
  const done = (result) => { clearTimeout(patience); socket.terminate(); resolve(result); };
  const patience = setTimeout(() => done(`nothing after ${got.join(' ')}`), 15_000);
  socket.on('open', async () => {
    for (const message of messages) {
      if (message === 'wait') { await new Promise((go) => setTimeout(go, 1500)); continue; }
      socket.send(Buffer.isBuffer(message) || typeof message === 'string' ? message : JSON.stringify(message));
    }
  });
  socket.on('message', (data) => {
    const { type } = JSON.parse(data);
    if (['complete', 'error', 'pong'].includes(type)) got.push(type);
    if (got.join(' ') === expected) done(expected);
  });
  socket.on('close', (code) => done(code));
  socket.on('error', (error) => done(error.message));
});

const results = await Promise.all(Object.entries(cases).map(async ([name, one]) => [name, one[1], await run(one)]));
for (const [name, expected, result] of results) if (result !== expected) console.log(`${name}: ${result} in place of ${expected}`);
console.log(`${results.filter(([, expected, result]) => result === expected).length} of ${results.length}`);
process.exit(0);
