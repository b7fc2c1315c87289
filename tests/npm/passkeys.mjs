// A software authenticator against the server: registers, logs in, and is tampered with, each answer signed as it should be.
// Usage: node passkeys.mjs <address> <email> <password>; prints what was answered to what, as JSON.
import { createHash, createPrivateKey, sign } from 'node:crypto';
import emulators from 'nid-webauthn-emulator';

const { WebAuthnEmulator = emulators.default ?? emulators, AuthenticatorEmulator, PasskeysCredentialsMemoryRepository } = await import('nid-webauthn-emulator');
const [address, email, password] = process.argv.slice(2);
const origin = `http://localhost:${new URL(address).port}`;
const api = `${address.replace(/\/$/, '')}/api/v1`;

async function call(method, path, token, body) {
  const answer = await fetch(api + path, { method, headers: { ...(token && { authorization: `Bearer ${token}` }), ...(body && { 'content-type': 'application/json' }) }, body: body && JSON.stringify(body) });
  const text = await answer.text();
  return { status: answer.status, ...(text && JSON.parse(text)) };
}

const login = await call('POST', '/auth/login', null, { email, password });
let token = login.data.accessToken;
const keys = new PasskeysCredentialsMemoryRepository();
const device = (parameters) => new WebAuthnEmulator(new AuthenticatorEmulator({ algorithmIdentifiers: ['ES256'], credentialsRepository: keys, ...parameters }));
const emulator = device({});

const bytes = (text) => Buffer.from(text, 'base64url');
const text = (data) => Buffer.from(data).toString('base64url');

/** A signed answer that is other than it should be in one thing, and signed again. */
function altered(credential, { client = (data) => data, authenticator = (data) => data, signature = (data) => data }) {
  const clientData = Buffer.from(JSON.stringify(client(JSON.parse(bytes(credential.response.clientDataJSON)))));
  const data = authenticator(Buffer.from(bytes(credential.response.authenticatorData)));
  const source = keys.loadCredentials().at(-1).publicKeyCredentialSource;
  const key = createPrivateKey({ key: Buffer.from(source.privateKey), format: 'der', type: 'pkcs8' });
  const signed = sign('sha256', Buffer.concat([data, createHash('sha256').update(clientData).digest()]), key);
  return { ...credential, response: { ...credential.response, clientDataJSON: text(clientData), authenticatorData: text(data), signature: text(signature(signed)) } };
}

const begin = () => call('POST', '/auth/passkey/options').then((answer) => answer.data);
const finish = (state, credential) => call('POST', '/auth/passkey', null, { state, credential });
async function attempt(alter, at = origin, by = emulator) {
  const { state, options } = await begin();
  return (await finish(state, alter(by.getJSON(at, options), state))).status;
}

const output = {};
const registration = (await call('POST', '/me/passkeys/options', token)).data;
output.options = registration.options;
const made = emulator.createJSON(origin, registration.options);
const registered = await call('POST', '/me/passkeys', token, { state: registration.state, name: 'first', credential: made });
output.registered = registered.status;
output.registeredTwice = (await call('POST', '/me/passkeys', token, { state: registration.state, name: 'again', credential: made })).status;

const other = (await call('POST', '/me/passkeys/options', token)).data;
const evil = device({ credentialsRepository: new PasskeysCredentialsMemoryRepository() });
output.registeredElsewhere = (await call('POST', '/me/passkeys', token, { state: other.state, name: 'evil', credential: evil.createJSON('http://localhost.evil.example', { ...other.options, rp: { ...other.options.rp, id: 'localhost.evil.example' } }) })).status;

const first = await begin();
output.requestOptions = first.options;
const answer = emulator.getJSON(origin, first.options);
const loggedIn = await finish(first.state, answer);
output.login = loggedIn.status;
output.methods = JSON.parse(bytes(loggedIn.data.accessToken.split('.')[1])).amr;
output.replayed = (await finish(first.state, answer)).status;
output.replayedToAnother = (await finish((await begin()).state, answer)).status;
output.passwordAlone = (await call('POST', '/auth/login', null, { email, password })).data.mfaRequired;

output.tampered = {
  challenge: await attempt((credential) => altered(credential, { client: (data) => ({ ...data, challenge: text(Buffer.alloc(32, 7)) }) })),
  origin: await attempt((credential) => altered(credential, { client: (data) => ({ ...data, origin: 'https://evil.example' }) })),
  type: await attempt((credential) => altered(credential, { client: (data) => ({ ...data, type: 'webauthn.create' }) })),
  crossOrigin: await attempt((credential) => altered(credential, { client: (data) => ({ ...data, crossOrigin: true }) })),
  rpIdHash: await attempt((credential) => altered(credential, { authenticator: (data) => { createHash('sha256').update('evil.example').digest().copy(data); return data; } })),
  notPresent: await attempt((credential) => altered(credential, { authenticator: (data) => { data[32] &= ~1; return data; } })),
  notVerified: await attempt((credential) => altered(credential, { authenticator: (data) => { data[32] &= ~4; return data; } })),
  counter: await attempt((credential) => altered(credential, { authenticator: (data) => { data.writeUInt32BE(0, 33); return data; } })),
  signature: await attempt((credential) => altered(credential, { signature: (data) => { data[data.length - 1] ^= 1; return data; } })),
  noSignature: await attempt((credential) => ({ ...credential, response: { ...credential.response, signature: '' } })),
  otherUser: await attempt((credential) => ({ ...credential, response: { ...credential.response, userHandle: text('019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10') } })),
  unknownCredential: await attempt((credential) => ({ ...credential, id: text(Buffer.alloc(32, 9)), rawId: text(Buffer.alloc(32, 9)) })),
  noCredential: await attempt(() => ({})),
};
output.unaltered = await attempt((credential) => altered(credential, {}));

const id = registered.data.id;
token = loggedIn.data.accessToken;
output.removed = (await call('DELETE', `/me/passkeys/${id}`, token)).status;
output.afterRemoval = await attempt((credential) => credential);
console.log(JSON.stringify(output));
