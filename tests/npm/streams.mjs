// Two EventSource clients read the events of one type while their connections are cut every few events; each prints what it saw.
//   node streams.mjs <server> <token> <path with query> <how many events>
import { createServer, request } from 'node:http';
import { CloudEvent } from 'cloudevents';
import { EventSource } from 'eventsource';
import { EventSource as UndiciEventSource } from 'undici';

const [server, token, path, count] = process.argv.slice(2);

/** Passes requests on, with the token, and cuts each answer somewhere within or behind its next few events. */
function cuttingProxy() {
  const proxy = createServer((incoming, outgoing) => {
    const { 'last-event-id': last, accept } = incoming.headers;
    const upstream = request(new URL(incoming.url, server), { headers: { accept, authorization: `Bearer ${token}`, ...(last ? { 'last-event-id': last } : {}) } }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      let left = 2_000 + Math.floor(Math.random() * 4_000);
      answer.on('data', (data) => {
        if (left > 0) outgoing.write(data.subarray(0, left));
        if (left > 0 && left <= data.length) { proxy.cuts++; outgoing.socket.destroySoon(); upstream.destroy(); }
        left -= data.length;
      }).on('error', () => {}).on('end', () => outgoing.end());
    }).on('error', () => outgoing.destroy()).end();
  });
  proxy.cuts = 0;
  return new Promise((resolve) => proxy.listen(0, '127.0.0.1', () => resolve(proxy)));
}

async function read(name, Source) {
  const proxy = await cuttingProxy(), ids = [];
  const source = new Source(`http://127.0.0.1:${proxy.address().port}${path}`);
  await new Promise((resolve, reject) => {
    const see = (event) => {
      try {
        const { id, position } = new CloudEvent(JSON.parse(event.data), true);
        if (!id || position !== event.lastEventId) throw new Error(`${event.lastEventId} has the position ${position}`);
      } catch (error) { reject(error); }
      if (ids.push(event.lastEventId) >= count) resolve();
    };
    for (const type of ['resource.created', 'resource.renamed']) source.addEventListener(type, see);
    source.onerror = () => { if (source.readyState === 2) reject(new Error(`${name} gave up`)); };
  });
  source.close();
  proxy.close();
  proxy.closeAllConnections();
  return { ids, cuts: proxy.cuts };
}

const limit = setTimeout(() => { console.error('not within 60 s'); process.exit(1); }, 60_000);
const [eventsource, undici] = await Promise.all([read('eventsource', EventSource), read('undici', UndiciEventSource)]);
clearTimeout(limit);
console.log(JSON.stringify({ eventsource, undici }));
