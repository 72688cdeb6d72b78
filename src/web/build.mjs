// Builds the page into dist/: bundles the scripts, minifies the style, writes index.html (with the top of every view, so
// that something is painted before the scripts are read), the licences and the hash of the sources. Refuses catalogues
// that differ in their keys, and bundles that are over their budget.
// `npm ci && npm run build`; the same sources give the same bytes. `--watch` builds again whenever a source changes.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, mkdirSync, writeFileSync, watch } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import * as esbuild from 'esbuild';

const ROOT = dirname(fileURLToPath(import.meta.url));
const DIST = join(ROOT, 'dist');
const FIRST_VIEW = 60_000;
const EVERYTHING = 130_000;
const BASE = '/ui/';
const ICON = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><rect width="24" height="24" rx="6" fill="#3550c8"/><path d="M4 12h8M8.5 7.5l4.5 4.5-4.5 4.5" fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"/><circle cx="17.5" cy="12" r="2.5" fill="#fff"/></svg>\n';

const sha256 = (data) => createHash('sha256').update(data).digest('hex');
/** The bytes that a browser gets: the server compresses nothing that fits into one packet (`api.compress_min_bytes`). */
const COMPRESS_MIN_BYTES = 1_400;
const sent = (data) => (Buffer.byteLength(data) < COMPRESS_MIN_BYTES ? Buffer.byteLength(data) : gzipSync(data, { level: 9 }).length);

function* files(folder) {
  const entries = readdirSync(folder, { withFileTypes: true });
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (path === DIST || entry.name === 'node_modules') continue;
    if (entry.isDirectory()) yield* files(path);
    else yield relative(ROOT, path).replaceAll('\\', '/');
  }
}

/** The hash over the hashes of all sources, in the order of their paths' bytes. */
function hashOfSources() {
  const paths = [...files(ROOT)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return sha256(paths.map((path) => `${sha256(readFileSync(join(ROOT, path)))}  ${path}\n`).join(''));
}

/** Every catalogue has the keys of the English one, with the same placeholders and the plural forms of its language. */
function checkCatalogues() {
  const read = (name) => JSON.parse(readFileSync(join(ROOT, 'lang', name), 'utf8'));
  const english = read('en.json');
  const holes = (entry) => [...new Set((typeof entry === 'string' ? entry : entry.other).match(/\{\w+\}/g) ?? [])].sort().join();
  const source = [...files(join(ROOT, 'app'))].map((path) => readFileSync(join(ROOT, path), 'utf8')).join('\n');
  for (const name of readdirSync(join(ROOT, 'lang'))) {
    const catalogue = read(name);
    const faults = [...new Set([...Object.keys(english), ...Object.keys(catalogue)])].filter((key) => !(key in english) || !(key in catalogue) || holes(english[key]) !== holes(catalogue[key]));
    const forms = new Intl.PluralRules(name.slice(0, -5)).resolvedOptions().pluralCategories;
    for (const [key, entry] of Object.entries(catalogue)) if (typeof entry !== 'string' && forms.some((form) => !(form in entry))) faults.push(key);
    if (faults.length) throw new Error(`lang/${name}: these keys differ from en.json: ${faults.join(', ')}`);
  }
  const used = [...source.matchAll(/\bt\('([\w.-]+)'/g)].map((match) => match[1]);
  const missing = [...new Set(used)].filter((key) => !(key in english));
  if (missing.length) throw new Error(`lang/en.json has no ${missing.join(', ')}`);
}

function licences(metafile) {
  const names = new Set(Object.keys(metafile.inputs).map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]).filter(Boolean));
  return [...names].sort().map((name) => {
    const folder = join(ROOT, 'node_modules', name);
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
    return `${name} ${version} (${license})\n\n${file ? readFileSync(join(folder, file), 'utf8').trim() : ''}\n`;
  }).join(`\n${'-'.repeat(72)}\n\n`);
}

async function build() {
  checkCatalogues();
  rmSync(DIST, { recursive: true, force: true });
  mkdirSync(DIST, { recursive: true });
  const usual = { absWorkingDir: ROOT, outdir: 'dist', bundle: true, target: ['es2022', 'chrome111', 'firefox115', 'safari16.4'], minify: true, charset: 'utf8', legalComments: 'none', entryNames: '[name]-[hash]', metafile: true, logLevel: 'warning' };
  // The help loads its style by its name.
  const help = await esbuild.build({ ...usual, entryPoints: ['docs.css'] });
  const [helpStyle] = Object.keys(help.metafile.outputs);
  const result = await esbuild.build({
    ...usual,
    entryPoints: { main: 'app/main.tsx', style: 'style.css' },
    define: { HELP_STYLE: JSON.stringify(BASE + helpStyle.slice('dist/'.length)) },
    splitting: true,
    format: 'esm',
    chunkNames: '[name]-[hash]',
    jsx: 'automatic',
    jsxImportSource: 'preact',
  });
  const outputs = [...Object.entries(result.metafile.outputs), ...Object.entries(help.metafile.outputs)];
  const named = (entry) => outputs.find(([, output]) => output.entryPoint === entry)[0];
  const main = named('app/main.tsx');
  const style = named('style.css');
  const icon = `icon-${sha256(ICON).slice(0, 8).toUpperCase()}.svg`;
  const needed = new Set([main, style]);
  for (const path of needed) for (const { path: other, kind } of result.metafile.outputs[path].imports) if (kind === 'import-statement') needed.add(other);
  const address = (path) => BASE + path.slice('dist/'.length);
  const preload = [...needed].filter((path) => path.endsWith('.js') && path !== main).sort();
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>backlinkd</title>
<link rel="icon" href="${BASE}${icon}" type="image/svg+xml">
<link rel="stylesheet" href="${address(style)}">
${preload.map((path) => `<link rel="modulepreload" href="${address(path)}">\n`).join('')}<script type="module" src="${address(main)}"></script>
</head>
<body>
<div id="page"><header class="top"><a class="logo" href="/"><svg class="mark" viewBox="0 0 24 24" aria-hidden="true"><path d="M4 12h9M9 7l5 5-5 5"/><circle cx="18.5" cy="12" r="3"/></svg>backlinkd</a></header><noscript><p>This page needs scripts. The API answers without: <a href="/openapi.json">/openapi.json</a>.</p></noscript></div>
</body>
</html>
`;
  writeFileSync(join(DIST, 'index.html'), html);
  writeFileSync(join(DIST, icon), ICON);
  writeFileSync(join(DIST, 'LICENSES.txt'), licences(result.metafile));
  writeFileSync(join(DIST, 'sources.sha256'), `${hashOfSources()}\n`);

  const sizes = outputs.map(([path]) => ({ path, size: sent(readFileSync(join(ROOT, path))), first: needed.has(path) })).sort((a, b) => b.size - a.size);
  const first = sizes.filter((one) => one.first).reduce((sum, one) => sum + one.size, sent(html) + sent(ICON));
  const all = sizes.reduce((sum, one) => sum + one.size, sent(html) + sent(ICON));
  for (const { path, size, first: early } of sizes) console.log(`${String(size).padStart(7)} B  ${path}${early ? '  (first view)' : ''}`);
  console.log(`${String(first).padStart(7)} B  first view, of ${FIRST_VIEW}`);
  console.log(`${String(all).padStart(7)} B  everything, of ${EVERYTHING}`);
  if (first > FIRST_VIEW || all > EVERYTHING) throw new Error('the page is over its budget');
}

await build();
if (process.argv.includes('--watch')) {
  let timer;
  for (const part of ['app', 'lang', 'style.css', 'docs.css']) {
    watch(join(ROOT, part), { recursive: true }, () => {
      clearTimeout(timer);
      timer = setTimeout(() => build().catch((error) => console.error(error.message)), 150);
    });
  }
}
