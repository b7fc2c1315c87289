// What ajv says of values: an independent JSON Schema validator.
// Usage: node schemas.mjs <file>; each line is {"schema": …, "values": […]}. Prints for each line an array of true, false,
// and null where ajv throws.
import { readFileSync } from 'node:fs';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

// Its check of schemas refuses "required" and "type" with a name twice, which says nothing of values.
const ajv = addFormats(new Ajv({ strict: false, logger: false, validateSchema: false }));
const opinion = (check) => { try { return check(); } catch { return null; } };

for (const line of readFileSync(process.argv[2], 'utf8').split('\n').filter(Boolean)) {
  const { schema, values } = JSON.parse(line);
  const validate = opinion(() => ajv.compile(schema));
  console.log(JSON.stringify(values.map((value) => opinion(() => validate(value)))));
}
