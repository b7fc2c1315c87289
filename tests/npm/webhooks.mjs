// A receiver of webhooks: verifies each request with every secret and reads it as a CloudEvent; refuses the first attempt of every third event. Prints what it saw.
//   node webhooks.mjs <port> <how many events to take> <secret> …
import { createServer } from 'node:http';
import { HTTP, ValidationError } from 'cloudevents';
import { Webhook } from 'standardwebhooks';

const [port, count, ...secrets] = process.argv.slice(2);
const seen = new Set(), refused = new Set(), taken = new Set(), faults = [];

function check(headers, body) {
  for (const secret of secrets) {
    new Webhook(secret).verify(body, headers);
    const changed = body.replace('"specversion"', '"Specversion"');
    try {
      new Webhook(secret).verify(changed, headers);
      faults.push('a changed body was verified');
    } catch { /* as it should be */ }
  }
  const event = HTTP.toEvent({ headers, body });
  event.validate();
  if (event.id !== headers['webhook-id']) faults.push(`event ${event.id} came as ${headers['webhook-id']}`);
  return event;
}

const server = createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part)).on('end', () => {
    let status = 200;
    try {
      const { id } = check(request.headers, Buffer.concat(parts).toString('utf8'));
      if (!seen.has(id) && seen.size % 3 === 0) { refused.add(id); status = 500; } else taken.add(id);
      seen.add(id);
    } catch (fault) {
      faults.push(fault instanceof ValidationError ? `${fault.message} ${JSON.stringify(fault.errors)}` : String(fault));
    }
    response.writeHead(status).end();
    if (taken.size < Number(count) && faults.length < 10) return;
    console.log(JSON.stringify({ taken: taken.size, refused: refused.size, faults }));
    server.close();
    server.closeAllConnections();
  });
});
server.listen(Number(port), '127.0.0.1');
