/** The shape of the source as rules: who may import whom, which file may import which package. */

import { readdirSync, readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';

import test from 'ava';

type Import = { readonly from: string; readonly to: string; readonly isType: boolean };

const files = ['zones', 'server'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name)),
);
const imports: readonly Import[] = files.flatMap((file) => importsOf(file, readFileSync(file, 'utf8')));

/** Files that may import a package's values. */
const PACKAGES: ReadonlyMap<string, readonly string[]> = new Map([
  ['@kubernetes/client-node', ['zones/kubernetes/api/kubeconfig.ts']],
  ['yaml', ['zones/kubernetes/manifests/manifest-file.ts']],
  ['lru-cache', ['server/cache/answer-cache.ts']],
  ['pino', ['server/control/logger.ts']],
  [
    'prom-client',
    ['server/control/metrics.ts', 'server/control/cluster-metrics.ts', 'server/control/snapshot-metrics.ts'],
  ],
  ['koffi', ['server/data/batch/system-calls.ts']],
  ['commander', ['server/arguments.ts']],
]);

test('zones/ knows what is true and imports nothing from server/', (t) => {
  t.deepEqual(crossing('zones/', 'server/'), []);
});

/** Folders of server/, lowest first; those of one row know nothing of each other. */
const LAYERS: readonly (readonly string[])[] = [
  ['corefile', 'wire'],
  ['upstream', 'cache', 'completion'],
  ['plugins'],
  ['data', 'control'],
];

test('folders of server/ import what is below them, never what is above or beside', (t) => {
  for (const [height, layer] of LAYERS.entries()) {
    for (const lower of layer) {
      const closed = LAYERS.slice(height)
        .flat()
        .filter((folder) => folder !== lower);
      for (const folder of closed) t.deepEqual(crossing(`server/${lower}/`, `server/${folder}/`), []);
    }
  }
});

test('the reference model shares no code with what it judges', (t) => {
  const folder = 'tests/support/model';
  const model = readdirSync(folder).filter((name) => name.endsWith('.ts'));
  const seen = new Set(model.map((name) => join(folder, name)));
  for (const file of seen) {
    for (const { to } of importsOf(file, readFileSync(file, 'utf8'))) {
      t.false(/^(zones|server)\//.test(to), `${file} imports ${to}`);
      if (to.startsWith('tests/')) seen.add(to);
    }
  }
  t.true(seen.size > model.length);
});

test('values are never imported in a circle', (t) => {
  const next = new Map<string, string[]>();
  for (const { from, to, isType } of imports)
    if (!isType && files.includes(to)) next.set(from, [...(next.get(from) ?? []), to]);
  const finished = new Set<string>();
  const walk = (file: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (finished.has(file)) return undefined;
    for (const to of next.get(file) ?? []) {
      const circle = walk(to, [...path, file]);
      if (circle !== undefined) return circle;
    }
    finished.add(file);
    return undefined;
  };
  for (const file of files) t.is(walk(file, []), undefined);
});

test('each package is imported where the table says, and nowhere else', (t) => {
  const used = imports.filter(({ to, isType }) => !isType && !to.startsWith('node:') && !files.includes(to));
  for (const { from, to } of used) t.true(PACKAGES.get(to)?.includes(from) ?? false, `${from} imports ${to}`);
  for (const [name, allowed] of PACKAGES) {
    for (const file of allowed)
      t.true(
        used.some(({ from, to }) => from === file && to === name),
        `${file} does not import ${name}`,
      );
  }
});

test('a file begins with a sentence that says what it knows', (t) => {
  for (const file of files) t.true(readFileSync(file, 'utf8').startsWith('/**'), file);
});

function crossing(from: string, to: string): readonly Import[] {
  return imports.filter((found) => found.from.startsWith(from) && found.to.startsWith(to));
}

function importsOf(file: string, source: string): Import[] {
  const found = [
    ...source.matchAll(/^(?:import|export) (type )?[^;]*?from '([^']+)';/gms),
    ...source.matchAll(/(?:()await )import\('([^']+)'\)/g),
  ];
  return found.map(([, type, to = '']) => ({
    from: file,
    to: to.startsWith('.') ? normalize(join(file, '..', to)) : to,
    isType: type === 'type ',
  }));
}
