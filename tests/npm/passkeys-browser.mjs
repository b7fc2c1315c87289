// Chromium with an authenticator of its own on a page of the server: registers and logs in.
// Usage: node passkeys-browser.mjs <address> <email> <password> <chromium>; prints what was answered, as JSON.
import { chromium } from 'playwright-core';

const [address, email, password, executablePath] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  // Stands for a page of an application; those of the server itself may connect nowhere.
  const page = await browser.newPage({ bypassCSP: true });
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  const add = (isUserVerified) => session.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified, automaticPresenceSimulation: true },
  });
  const { authenticatorId } = await add(true);
  await page.goto(`http://localhost:${new URL(address).port}/problems`);
  const run = (body, argument) => page.evaluate(body, argument);
  await run(() => {
    globalThis.call = async (method, path, token, body) => {
      const answer = await fetch('/api/v1' + path, { method, headers: { ...(token && { authorization: `Bearer ${token}` }), ...(body && { 'content-type': 'application/json' }) }, body: body && JSON.stringify(body) });
      const text = await answer.text();
      return { status: answer.status, ...(text && JSON.parse(text)) };
    };
    globalThis.register = async (token) => {
      const { state, options } = (await call('POST', '/me/passkeys/options', token)).data;
      const credential = await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
      return (await call('POST', '/me/passkeys', token, { state, name: 'browser', credential: credential.toJSON() })).status;
    };
    globalThis.login = async (cookie) => {
      const { state, options } = (await call('POST', '/auth/passkey/options')).data;
      const credential = await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
      return call('POST', '/auth/passkey', null, { state, credential: credential.toJSON(), cookie });
    };
  });
  const output = {};
  const token = await run(async ({ email, password }) => (await call('POST', '/auth/login', null, { email, password })).data.accessToken, { email, password });
  output.registered = await run((token) => register(token), token);
  const byToken = await run(() => login(false));
  output.login = byToken.status;
  output.me = (await run((token) => call('GET', '/me', token), byToken.data.accessToken)).data.email;
  const byCookie = await run(() => login(true));
  output.cookieLogin = byCookie.status;
  output.meByCookie = (await run(() => call('GET', '/me'))).data.credential;
  output.writeWithoutCsrf = (await run(() => call('DELETE', '/sessions'))).code;
  output.writeWithCsrf = await run(async (csrf) => (await fetch('/api/v1/sessions', { method: 'DELETE', headers: { 'x-csrf-token': csrf } })).status, byCookie.data.csrfToken);
  await session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
  output.notVerified = await run(() => login(false).then((answer) => answer.status, (error) => error.name));
  console.log(JSON.stringify(output));
} finally {
  await browser.close();
}
