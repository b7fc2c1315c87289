// Makes the two files that the node serves: node build.mjs [folder]
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { build } from 'esbuild';

const folder = process.argv[2] ?? '.';
const { outputFiles } = await build({
  entryPoints: ['explorer.jsx'], outdir: 'out', write: false, bundle: true, minify: true, jsx: 'automatic', format: 'iife', target: 'es2022',
  legalComments: 'inline', loader: { '.ttf': 'dataurl', '.woff': 'dataurl', '.woff2': 'dataurl' }, define: { 'process.env.NODE_ENV': '"production"' },
});
for (const { path, contents } of outputFiles) {
  const name = path.endsWith('.css') ? 'explorer.css.br' : 'explorer.js.br';
  writeFileSync(join(folder, name), brotliCompressSync(contents, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 22 } }));
  console.log(name, contents.length);
}
