// Offers creates at a fixed rate, whatever becomes of them: a request is sent when the schedule says so, and its time counts from then.
// Started by lag.mjs as a process of its own; the work comes as a message, and so does the account of it.
import { Agent, request } from 'node:http';

process.once('message', async ({ base, token, body, rate, seconds }) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 512 }), { hostname, port } = new URL(base);
  const headers = { authorization: 'Bearer ' + token, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const planned = Math.floor(rate * seconds), times = [];
  let sent = 0, answered = 0, bad = 0, latest = 0, most = 0;
  const started = performance.now();

  function create(due) {
    latest = Math.max(latest, performance.now() - due);
    const done = (isGood) => { answered++; if (isGood) times.push(performance.now() - due); else bad++; };
    const one = request({ agent, hostname, port, method: 'POST', path: '/api/v1/resources', headers, timeout: 15_000 },
      (answer) => answer.on('end', () => done(answer.statusCode === 201)).on('error', () => done(false)).resume());
    one.on('timeout', () => one.destroy(new Error('no answer'))).on('error', () => done(false)).end(body);
  }
  while (sent < planned) {
    for (const due = Math.min(planned, Math.floor((performance.now() - started) * rate / 1000)); sent < due;) create(started + 1000 * ++sent / rate);
    most = Math.max(most, sent - answered);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const offered = sent / (performance.now() - started) * 1000;
  for (const end = Date.now() + 20_000; answered < sent && Date.now() < end;) await new Promise((resolve) => setTimeout(resolve, 5));
  const seen = times.sort((a, b) => a - b), at = (q) => seen[Math.floor(q * seen.length)] ?? NaN;
  const achieved = times.length / (performance.now() - started) * 1000;
  process.send({ offered, achieved, sent, bad: bad + sent - answered, most, latest, p50: at(0.5), p99: at(0.99) }, () => process.exit(0));
});
process.on('disconnect', () => process.exit(1));
