// Forged tokens, each wrong in one way, and a listener that nobody may call; and jose as a stranger's verifier.
// Usage: node forge.mjs <address> <token> <refresh token> <API key> <private key, PKCS#8 in base64>; prints what was answered, as JSON.
import { createHmac, createPublicKey, createPrivateKey, generateKeyPairSync, sign as signWith } from 'node:crypto';
import { createServer } from 'node:http';
import { deflateRawSync } from 'node:zlib';
import { CompactEncrypt, SignJWT, UnsecuredJWT, createRemoteJWKSet, exportJWK, jwtVerify } from 'jose';

const [address, token, refreshToken, apiKey, pkcs8] = process.argv.slice(2);
const base = address.replace(/\/$/, '');
const own = createPrivateKey({ key: Buffer.from(pkcs8, 'base64'), format: 'der', type: 'pkcs8' });
const ownPublic = createPublicKey(own);
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const part = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const [header, payload] = token.split('.').slice(0, 2).map((text) => JSON.parse(Buffer.from(text, 'base64url')));
const kid = header.kid;

let calls = 0;
const listener = createServer((request, response) => { calls++; response.end(JSON.stringify({ keys: [strangerJwk] })); });
await new Promise((ready) => listener.listen(0, '127.0.0.1', ready));
const trap = `http://127.0.0.1:${listener.address().port}/keys`;
const strangerJwk = { ...await exportJWK(stranger.publicKey), kid, alg: 'ES256', use: 'sig' };

/** Header and payload as texts, signed as ES256 by a key. */
function es256(head, body, key = own) {
  const signed = `${part(head)}.${part(body)}`;
  return `${signed}.${signWith('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}
const hs256 = (secret) => { const signed = `${part({ ...header, alg: 'HS256' })}.${part(payload)}`; return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`; };
const withClaims = (change) => es256(header, { ...payload, ...change });
const without = (name) => { const { [name]: gone, ...rest } = payload; return es256(header, rest); };
const withHeader = (change, key) => es256({ ...header, ...change }, payload, key);
const raw = (body) => es256(header, body);
const now = Math.floor(Date.now() / 1000);
const spki = ownPublic.export({ format: 'der', type: 'spki' });
const signed = token.slice(0, token.lastIndexOf('.'));

const forged = {
  'alg none': new UnsecuredJWT(payload).encode(),
  'alg None': `${part({ ...header, alg: 'None' })}.${part(payload)}.`,
  'alg NONE with the signature': `${part({ ...header, alg: 'NONE' })}.${part(payload)}.${token.split('.')[2]}`,
  'empty signature': `${signed}.`,
  'HS256 by the public key as PEM': hs256(ownPublic.export({ format: 'pem', type: 'spki' })),
  'HS256 by the public key as DER': hs256(spki),
  'HS256 by the public key as JWK': hs256(JSON.stringify(await exportJWK(ownPublic))),
  'RS256 by a key of one\'s own': await new SignJWT(payload).setProtectedHeader({ ...header, alg: 'RS256' }).sign(rsa.privateKey),
  'wrong key, same algorithm': withHeader({}, stranger.privateKey),
  'unknown kid': withHeader({ kid: 'unknown' }),
  'no kid': es256({ alg: 'ES256', typ: 'at+jwt' }, payload),
  'kid that walks': withHeader({ kid: '../../../../dev/null' }),
  'kid with SQL': withHeader({ kid: "x' or '1'='1" }),
  'kid of 10 kB': withHeader({ kid: 'k'.repeat(10_000) }),
  'kid that is a number': withHeader({ kid: 1 }),
  jku: withHeader({ jku: trap }, stranger.privateKey),
  x5u: withHeader({ x5u: trap }, stranger.privateKey),
  jwk: withHeader({ jwk: strangerJwk }, stranger.privateKey),
  x5c: withHeader({ x5c: [spki.toString('base64')] }, stranger.privateKey),
  'iss that points to a trap': es256(header, { ...payload, iss: trap }, stranger.privateKey),
  'crit unknown': withHeader({ crit: ['unknown'], unknown: true }),
  'b64 false': withHeader({ crit: ['b64'], b64: false }),
  expired: withClaims({ exp: now - 60, nbf: now - 120, iat: now - 120 }),
  'exp as text': withClaims({ exp: `${now + 600}` }),
  'exp 1e999': raw(JSON.stringify(payload).replace(/"exp":\d+/, '"exp":1e999')),
  'exp negative': withClaims({ exp: -1 }),
  'no exp': without('exp'),
  'nbf to come': withClaims({ nbf: now + 300, exp: now + 600 }),
  'no iss': without('iss'),
  'wrong iss': withClaims({ iss: 'others' }),
  'no aud': without('aud'),
  'wrong aud': withClaims({ aud: 'others' }),
  'aud list without us': withClaims({ aud: ['others', 'more'] }),
  'no sub': without('sub'),
  'sub that is no account': withClaims({ sub: 'admin' }),
  'no sid': without('sid'),
  'wrong typ': withHeader({ typ: 'JWT' }),
  'no typ': es256({ alg: 'ES256', kid }, payload),
  'refresh token': refreshToken,
  'API key with another end': apiKey.slice(0, -1) + (apiKey.at(-1) === '0' ? '1' : '0'),
  'r = s = 0': `${signed}.${Buffer.alloc(64).toString('base64url')}`,
  'signature as DER': `${signed}.${signWith('sha256', Buffer.from(signed), own).toString('base64url')}`,
  'encrypted, five parts': await new CompactEncrypt(Buffer.from(token)).setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', kid }).encrypt(ownPublic),
  'PBES2 with many rounds': `${part({ alg: 'PBES2-HS256+A128KW', enc: 'A128CBC-HS256', p2c: 1_000_000_000, p2s: 'c2FsdHNhbHQ', kid })}.AAAA.AAAA.AAAA.AAAA`,
  'compressed bomb': `${part({ alg: 'dir', enc: 'A128GCM', zip: 'DEF', kid })}..AAAA.${deflateRawSync(Buffer.alloc(4_000_000)).toString('base64url').slice(0, 4_000)}.AAAA`,
  'over 8 kB': withClaims({ more: 'x'.repeat(9_000) }),
  'claim twice': raw(JSON.stringify(payload).replace('"sub"', '"sub":"019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10","sub"')),
  'end twice': raw(JSON.stringify(payload).replace('"exp"', '"exp":0,"exp"')),
  'algorithm twice': es256(JSON.stringify(header).replace('"alg"', '"alg":"none","alg"'), payload),
  'payload that is no JSON': raw('{"sub":'),
  'payload that is a list': raw('[]'),
  'header that is no JSON': `${Buffer.from('{').toString('base64url')}.${part(payload)}.AAAA`,
  'dot before': '.' + token,
  'dot behind': token + '.',
  'two dots': '..',
  'not base64url': token.replace('.', '.%'),
};

const output = { forged: {}, slowest: 0 };
for (const [name, text] of Object.entries(forged)) {
  const started = performance.now();
  const answer = await fetch(`${base}/api/v1/me`, { headers: { authorization: `Bearer ${text}` } });
  const body = await answer.json().catch(() => null);
  output.slowest = Math.max(output.slowest, performance.now() - started);
  output.forged[name] = { status: answer.status, challenge: answer.headers.get('www-authenticate'), code: body?.code };
}
const stream = await fetch(`${base}/api/v1/events`, { headers: { authorization: `Bearer ${forged['wrong key, same algorithm']}`, accept: 'text/event-stream' } });
output.stream = stream.status;
output.calls = calls;
output.good = (await fetch(`${base}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } })).status;
output.signedAgain = (await fetch(`${base}/api/v1/me`, { headers: { authorization: `Bearer ${withClaims({})}` } })).status;

const keys = await fetch(`${base}/.well-known/jwks.json`);
output.jwks = { cache: keys.headers.get('cache-control'), members: [...new Set((await keys.json()).keys.flatMap(Object.keys))].sort() };
const verified = await jwtVerify(token, createRemoteJWKSet(new URL(`${base}/.well-known/jwks.json`)), { issuer: 'resources', audience: 'resources', typ: 'at+jwt', algorithms: ['ES256'], clockTolerance: 0 });
output.verified = verified.payload.sub === payload.sub;
listener.close();
console.log(JSON.stringify(output));
