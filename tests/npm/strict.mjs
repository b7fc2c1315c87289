// Compiles JSON Schemas as strictly as ajv can: what it does not know, or calls ambiguous, is an error. A member may be of several types.
// The keyword x-note is one that the author of a type has added. Usage: node strict.mjs <file>; each line is a schema. Prints how many were
// compiled.
import { readFileSync } from 'node:fs';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const lines = readFileSync(process.argv[2], 'utf8').split('\n').filter(Boolean);
for (const line of lines) addFormats(new Ajv({ strict: true, allowUnionTypes: true, allErrors: true }).addKeyword('x-note')).compile(JSON.parse(line));
console.log(lines.length);
