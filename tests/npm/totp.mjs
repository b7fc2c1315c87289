// The one-time codes that another implementation makes of a secret: of this moment, of a minute ago and of one to come.
// Usage: node totp.mjs <secret in base32>; prints them as JSON.
import { generate } from 'otplib';

const [secret] = process.argv.slice(2);
const now = Math.floor(Date.now() / 1000);
const code = (seconds) => generate({ secret, epoch: now + seconds });
console.log(JSON.stringify({ now: await code(0), old: await code(-60), future: await code(60) }));
