// Bundles src/ into webapp/static with content-hashed names and writes manifest.json (logical name -> file name).
// Called by build.py with the output folder as its only argument.
import * as esbuild from 'esbuild';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.resolve(process.argv[2]);

fs.rmSync(out, { recursive: true, force: true });
fs.mkdirSync(out, { recursive: true });

/** "dark.css?auto" is dark.css for pages whose theme is "auto": the colours are written once. */
const autoTheme = {
  name: 'auto-theme',
  setup(build) {
    build.onResolve({ filter: /\?auto$/ }, ({ path: name, resolveDir }) => ({ path: path.resolve(resolveDir, name.replace('?auto', '')), namespace: 'auto-theme' }));
    build.onLoad({ filter: /./, namespace: 'auto-theme' }, ({ path: file }) => ({ contents: fs.readFileSync(file, 'utf8').replace('[data-theme=dark]', '[data-theme=auto]'), loader: 'css' }));
  },
};

/** The form editor brings a preact of its own; its viewer must use the same one, or hooks find no component. */
const onePreact = {
  name: 'one-preact',
  setup(build) {
    build.onResolve({ filter: /^preact(\/|$)/ }, ({ path: name, importer, kind, pluginData }) => {
      if (pluginData === 'one-preact' || !importer.includes(path.join('@bpmn-io', 'form-js-viewer'))) return undefined;
      return build.resolve(name, { kind, pluginData: 'one-preact', resolveDir: path.join(here, 'node_modules', '@bpmn-io', 'form-js-editor') });
    });
  },
};

const result = await esbuild.build({
  absWorkingDir: here,
  entryPoints: ['page.js', 'page.css', 'viewer.js', 'designer.js', 'compare.js', 'migrate.js', 'decision.js', 'formeditor.js', 'charts.js'].map((name) => `src/${name}`),
  bundle: true,
  plugins: [autoTheme, onePreact],
  minify: true,
  // 'iife', so that one plain <script defer> each is enough and old intranet browsers need no module support.
  format: 'iife',
  target: ['chrome105', 'firefox110', 'safari16'],
  outdir: out,
  entryNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  legalComments: 'linked',
  loader: { '.woff': 'empty', '.woff2': 'file', '.ttf': 'empty', '.eot': 'empty', '.svg': 'empty' },
  metafile: true,
  logLevel: 'warning',
});

const manifest = {};
for (const [file, { entryPoint, cssBundle }] of Object.entries(result.metafile.outputs)) {
  if (!entryPoint) continue;
  const name = path.basename(entryPoint);
  manifest[name] = path.basename(file);
  if (cssBundle) manifest[name.replace(/\.js$/, '.css')] = path.basename(cssBundle);
}

for (const name of ['icons.svg', 'favicon.svg']) {
  const content = fs.readFileSync(path.join(here, 'src', name));
  const digest = createHash('sha256').update(content).digest('hex').slice(0, 8).toUpperCase();
  manifest[name] = name.replace('.', `-${digest}.`);
  fs.writeFileSync(path.join(out, manifest[name]), content);
}

fs.writeFileSync(path.join(out, 'manifest.json'), JSON.stringify(manifest, null, 1) + '\n');
