// A software authenticator that lies: registrations that are other than they should be in one thing, other people's credentials, ceremonies
// that were begun for something else, and answers with every single byte changed.
// Usage: node passkeys-attacks.mjs <address> <email> <other email> <password>; prints what was answered to what, as JSON.
import { createHash } from 'node:crypto';
import emulators from 'nid-webauthn-emulator';

const { WebAuthnEmulator = emulators.default ?? emulators, AuthenticatorEmulator, PasskeysCredentialsMemoryRepository } = await import('nid-webauthn-emulator');
const [address, email, otherEmail, password] = process.argv.slice(2);
const origin = `http://localhost:${new URL(address).port}`;
const api = `${address.replace(/\/$/, '')}/api/v1`;

async function call(method, path, token, body) {
  const answer = await fetch(api + path, { method, headers: { ...(token && { authorization: `Bearer ${token}` }), ...(body && { 'content-type': 'application/json' }) }, body: body && JSON.stringify(body) });
  const text = await answer.text();
  return { status: answer.status, ...(text && JSON.parse(text)) };
}

const login = async (address) => (await call('POST', '/auth/login', null, { email: address, password })).data.accessToken;
const [mine, theirs, again] = [await login(email), await login(otherEmail), await login(email)];
const device = () => new WebAuthnEmulator(new AuthenticatorEmulator({ algorithmIdentifiers: ['ES256'], credentialsRepository: new PasskeysCredentialsMemoryRepository() }));
const emulator = device();

const bytes = (text) => Buffer.from(text, 'base64url');
const text = (data) => Buffer.from(data).toString('base64url');
const hash = (data) => createHash('sha256').update(data).digest();
const withResponse = (credential, response) => ({ ...credential, response: { ...credential.response, ...response } });

/** The same with other client data; nothing signs those of a registration without attestation. */
const client = (credential, change) => withResponse(credential, { clientDataJSON: text(JSON.stringify(change(JSON.parse(bytes(credential.response.clientDataJSON))))) });

/** The same with other authenticator data: these begin with the hash of the domain. */
function authenticator(credential, change) {
  const object = Buffer.from(bytes(credential.response.attestationObject));
  change(object.subarray(object.indexOf(hash('localhost'))));
  return withResponse(credential, { attestationObject: text(object) });
}

const begin = async (token) => (await call('POST', '/me/passkeys/options', token)).data;
const finish = async (token, state, credential) => (await call('POST', '/me/passkeys', token, { state, name: 'x', credential })).status;
async function attempt(alter, token = mine) {
  const { state, options } = await begin(token);
  return finish(token, state, alter(device().createJSON(origin, options), options));
}

const output = {};
output.registration = {
  challenge: await attempt((made) => client(made, (data) => ({ ...data, challenge: text(Buffer.alloc(32, 7)) }))),
  origin: await attempt((made) => client(made, (data) => ({ ...data, origin: 'https://evil.example' }))),
  originOfOtherScheme: await attempt((made) => client(made, (data) => ({ ...data, origin: 'ftp://localhost' }))),
  originBelow: await attempt((made) => client(made, (data) => ({ ...data, origin: 'https://evil.localhost' }))),
  originLikeIt: await attempt((made) => client(made, (data) => ({ ...data, origin: 'https://localhost.evil.example' }))),
  originWithUser: await attempt((made) => client(made, (data) => ({ ...data, origin: 'https://localhost@evil.example' }))),
  originNull: await attempt((made) => client(made, (data) => ({ ...data, origin: 'null' }))),
  type: await attempt((made) => client(made, (data) => ({ ...data, type: 'webauthn.get' }))),
  crossOrigin: await attempt((made) => client(made, (data) => ({ ...data, crossOrigin: true }))),
  rpIdHash: await attempt((made) => authenticator(made, (data) => hash('evil.example').copy(data))),
  notPresent: await attempt((made) => authenticator(made, (data) => { data[32] &= ~1; })),
  notVerified: await attempt((made) => authenticator(made, (data) => { data[32] &= ~4; })),
  backedUpButNotEligible: await attempt((made) => authenticator(made, (data) => { data[32] = (data[32] & ~8) | 16; })),
  noCredentialData: await attempt((made) => authenticator(made, (data) => { data[32] &= ~64; })),
  otherId: await attempt((made) => ({ ...made, id: text(Buffer.alloc(32, 9)), rawId: text(Buffer.alloc(32, 9)) })),
  cutOff: await attempt((made) => withResponse(made, { attestationObject: text(bytes(made.response.attestationObject).subarray(0, 80)) })),
  noCredential: await attempt(() => ({})),
};

const registration = await begin(mine);
const made = emulator.createJSON(origin, registration.options);
output.registered = await finish(mine, registration.state, made);
// What was answered before, to a new challenge.
const repeated = (credential, options) => client(made, (data) => ({ ...data, challenge: options.challenge }));
output.taken = { again: await attempt(repeated), byAnother: await attempt(repeated, theirs) };
const passkey = (await call('GET', '/me/passkeys', mine)).data[0].id;
output.removedByAnother = (await call('DELETE', `/me/passkeys/${passkey}`, theirs)).status;

// A ceremony belongs to the session that has begun it, and to what it was begun for.
const use = async (token) => (await call('POST', '/auth/passkey/options', token)).data;
const finishUse = async (token, state, credential) => (await call('POST', '/auth/passkey', token, { state, credential })).status;
const [strange, other, guests, ours, creation] = [await begin(theirs), await begin(again), await use(), await use(mine), await begin(mine)];
const register = (options) => device().createJSON(origin, { ...registration.options, challenge: options.challenge });
output.elsewhere = {
  ofAnother: await finish(mine, strange.state, register(strange.options)),
  ofAnotherSession: await finish(mine, other.state, register(other.options)),
  ofAGuest: await finish(mine, guests.state, register(guests.options)),
  ofAUse: await finish(mine, ours.state, register(ours.options)),
  useOfARegistration: await finishUse(mine, creation.state, emulator.getJSON(origin, { ...ours.options, challenge: creation.options.challenge })),
};
const step = await use(again);
const stepped = await call('POST', '/auth/passkey', again, { state: step.state, credential: emulator.getJSON(origin, step.options) });
const claims = (token) => JSON.parse(bytes(token.split('.')[1]));
output.stepUp = { status: stepped.status, sameSession: claims(stepped.data.accessToken).sid === claims(again).sid, methods: claims(stepped.data.accessToken).amr };
const theirUse = await use(theirs);
output.stepUpOfAnother = await finishUse(theirs, theirUse.state, emulator.getJSON(origin, theirUse.options));

const shapes = [
  { id: 5 }, { id: '' }, { id: '!' }, { rawId: null }, { type: 'password' }, { response: {} }, { response: null }, { clientExtensionResults: 'x' },
  { response: { ...made.response, clientDataJSON: '' } }, { response: { ...made.response, clientDataJSON: text('{"type":5}') } }, { response: { ...made.response, clientDataJSON: text(Buffer.from([0xff, 0xfe])) } },
  { response: { ...made.response, attestationObject: text(Buffer.from([0xbf])) } }, { response: { ...made.response, attestationObject: text(Buffer.alloc(40_000, 0x81)) } },
  { response: { ...made.response, transports: ['x'.repeat(10_000)] } }, { response: { ...made.response, transports: 5 } },
  { response: { authenticatorData: '', signature: '', clientDataJSON: '' } }, { response: { authenticatorData: text(Buffer.alloc(37)), signature: 'AA', clientDataJSON: text('{}'), userHandle: text('no id') } },
];
output.malformed = [];
for (const shape of shapes) {
  output.malformed.push(await attempt((fresh) => ({ ...fresh, ...shape })));
  const { state } = await use();
  output.malformed.push(await finishUse(undefined, state, { ...made, ...shape }));
}

/** Every byte of a member changed, one at a time, each in a ceremony of its own. */
async function flipped(member, prepare) {
  const answers = {};
  for (let i = 0; ; i++) {
    const [credential, send] = await prepare();
    const data = Buffer.from(bytes(credential.response[member]));
    if (i >= data.length) return answers;
    data[i] ^= 0x41;
    const status = await send(withResponse(credential, { [member]: text(data) }));
    answers[status] = (answers[status] ?? 0) + 1;
  }
}

const assertion = async () => {
  const { state, options } = await use();
  return [emulator.getJSON(origin, options), (credential) => finishUse(undefined, state, credential)];
};
output.flipped = {};
for (const member of ['authenticatorData', 'clientDataJSON', 'signature']) output.flipped[member] = await flipped(member, assertion);
output.flippedRegistration = await flipped('attestationObject', async () => {
  const { state, options } = await begin(theirs);
  return [device().createJSON(origin, options), (credential) => finish(theirs, state, credential)];
});
const [credential, send] = await assertion();
output.unaltered = await send(credential);
console.log(JSON.stringify(output));
