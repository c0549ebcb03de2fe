import test from 'ava';
import fc from 'fast-check';

import { fieldsOf, type Fields } from '../../../../zones/kubernetes/api-values.ts';
import {
  ALIASES_MAX,
  foundText,
  KEY_COMPARISONS_MAX,
  manifestObjectsFrom,
  VALUES_MAX,
} from '../../../../zones/kubernetes/manifests/manifest-file.ts';

const OBJECTS: readonly { readonly name: string; readonly text: string; readonly raws: readonly Fields[] }[] = [
  { name: 'nothing', text: '', raws: [] },
  { name: 'comments only', text: '# a\n---\n# b\n', raws: [] },
  { name: 'one document', text: 'kind: Service\n', raws: [{ kind: 'Service' }] },
  {
    name: 'several documents, empty ones left out',
    text: '---\nkind: A\n---\n---\nkind: B\n',
    raws: [{ kind: 'A' }, { kind: 'B' }],
  },
  { name: 'JSON with tabs', text: '{\n\t"kind": "A",\n\t"n": [\n\t\t1\n\t]\n}\n', raws: [{ kind: 'A', n: [1] }] },
  { name: 'a List', text: 'kind: List\nitems:\n- kind: A\n- kind: B\n', raws: [{ kind: 'A' }, { kind: 'B' }] },
  {
    name: 'a list of one kind says it once',
    text: 'apiVersion: v1\nkind: PodList\nitems: [{ x: 1 }]\n',
    raws: [{ apiVersion: 'v1', kind: 'Pod', x: 1 }],
  },
  { name: 'a kind that ends in List without items', text: 'kind: AccessList\n', raws: [{ kind: 'AccessList' }] },
  {
    name: 'anchors, aliases and merged keys',
    text: 'a: &a { x: 1 }\nb: *a\nc: { <<: *a, y: 2 }\n',
    raws: [{ a: { x: 1 }, b: { x: 1 }, c: { x: 1, y: 2 } }],
  },
];
for (const { name, text, raws } of OBJECTS) {
  test(`objects: ${name}`, (t) => {
    const { objects, complaints } = manifestObjectsFrom('f.yaml', text);
    t.deepEqual(complaints, []);
    t.deepEqual(
      objects.map(({ raw }) => raw),
      raws,
    );
  });
}

const COMPLAINTS: readonly { readonly text: string; readonly at: string; readonly says: RegExp }[] = [
  { text: 'kind: A\nkind: B\n', at: '2:1', says: /not YAML: .*unique.*found "kind: B"/ },
  { text: 'kind: A\n\tspec: 1\n', at: '2:1', says: /Tabs are not allowed/ },
  { text: 'kind: A\n---\nspec: {\n', at: '4:1', says: /not YAML/ },
  { text: '- 1\n', at: '1:1', says: /expected a Kubernetes object, found a list/ },
  { text: 'kind: A\n---\ntext\n', at: '3:1', says: /expected a Kubernetes object, found "text"/ },
  { text: 'kind: List\nitems: 7\n', at: '2:8', says: /items must be a list, found 7/ },
  { text: 'a: 1\nb: *x\n', at: '2:4', says: /\*x must come behind an anchor &x/ },
  { text: '['.repeat(50_000), at: '', says: /YAML/ },
  { text: `a: &a 1\nb: [${'*a,'.repeat(ALIASES_MAX + 1)}]\n`, at: '', says: /may have 1000 aliases/ },
];
for (const { text, at, says } of COMPLAINTS) {
  test(`complaint: ${JSON.stringify(text).slice(0, 40)}`, (t) => {
    const { complaints } = manifestObjectsFrom('f.yaml', text);
    t.regex(complaints[0]?.text ?? '', says);
    const { file, line, column } = complaints[0]?.place ?? { file: '', line: 0, column: 0 };
    t.is(file, 'f.yaml');
    if (at !== '') t.is(`${line}:${column}`, at);
  });
}

test('a bad document does not hide the good ones of its file', (t) => {
  const { objects, complaints } = manifestObjectsFrom('f.yaml', 'kind: A\n---\n- 1\n---\nkind: B\n');
  t.is(objects.length, 2);
  t.is(complaints.length, 1);
});

test('aliases of aliases do not grow without bound', (t) => {
  const lines = ['a0: &a0 [x,x,x,x,x,x,x,x,x,x]'];
  for (let i = 1; i < 10; i++) lines.push(`a${i}: &a${i} [${`*a${i - 1},`.repeat(10)}]`);
  const { objects, complaints } = manifestObjectsFrom('f.yaml', lines.join('\n'));
  t.is(objects.length, 0);
  t.regex(complaints[0]?.text ?? '', /alias/);
});

test('one long list named often is counted as often', (t) => {
  const text = `a: &a [${'1,'.repeat(20_000)}]\nb: [${'*a,'.repeat(900)}]\n`;
  t.regex(manifestObjectsFrom('f.yaml', text).complaints[0]?.text ?? '', new RegExp(`may hold ${VALUES_MAX} values`));
});

test('a value that holds itself is refused', (t) => {
  const { objects, complaints } = manifestObjectsFrom('f.yaml', 'a: &a\n  b: *a\n');
  t.is(objects.length, 0);
  t.is(complaints.length, 1);
});

test('a mapping of very many keys is refused before it takes long', (t) => {
  const keys = Math.ceil(Math.sqrt(2 * KEY_COMPARISONS_MAX)) + 10;
  const text = Array.from({ length: keys }, (_, i) => `k${i}: 1`).join('\n');
  t.regex(manifestObjectsFrom('f.yaml', text).complaints[0]?.text ?? '', /too many keys/);
});

test('a key named __proto__ reaches no prototype', (t) => {
  const { objects } = manifestObjectsFrom('f.yaml', '__proto__: { polluted: true }\nkind: A\n');
  t.is(fieldsOf(objects[0]?.raw)['kind'], 'A');
  t.is(fieldsOf({})['polluted'], undefined);
});

const PLACED = `apiVersion: v1
kind: List
items:
  - kind: Service
    spec:
      ports:
        - name: http
          port: x
  - spec: &spec { ports: [{ port: 1 }] }
  - spec: *spec
`;
const PLACES: readonly (readonly [item: number, path: readonly (string | number)[], at: string])[] = [
  [0, [], '4:5'],
  [0, ['spec', 'ports', 0, 'port'], '8:17'],
  [0, ['spec', 'ports', 0, 'nosuch'], '7:11'],
  [0, ['spec', 'ports', 5, 'port'], '7:9'],
  [0, ['nosuch', 'ports'], '4:5'],
  [1, ['spec', 'ports', 0, 'port'], '9:35'],
  [2, ['spec', 'ports', 0, 'port'], '9:35'],
];
for (const [item, path, at] of PLACES) {
  test(`place: item ${item}, ${JSON.stringify(path)} is at ${at}`, (t) => {
    const place = manifestObjectsFrom('f.yaml', PLACED).objects[item]?.place(path);
    t.is(`${place?.line}:${place?.column}`, at);
  });
}

test('found: values in a few words', (t) => {
  const values = [undefined, 7, true, 'a"b', [], [1], {}, 'x'.repeat(100)];
  t.deepEqual(values.map(foundText), [
    'nothing',
    '7',
    'true',
    '"a\\"b"',
    'an empty list',
    'a list',
    'a mapping',
    `"${'x'.repeat(59)}… (102 characters)`,
  ]);
});

test('any text is read or complained of, never thrown at', (t) => {
  const words = fc.constantFrom(
    'kind: A',
    'items:',
    '- ',
    '  ',
    '\n',
    ': ',
    '{',
    '}',
    '[',
    ']',
    '&a ',
    '*a',
    '<<: *a',
    '"',
    "'",
    '|',
    '>',
    '---\n',
    '!!map ',
    '%YAML 1.1\n',
    '#',
    '\t',
    '?',
    '\0',
    'é',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(words).map((parts) => parts.join('')),
      ),
      (text) => {
        const { objects, complaints } = manifestObjectsFrom('f.yaml', text);
        for (const { place } of objects) t.true(place(['spec', 'ports', 0]).line >= 1);
        for (const { place } of complaints) t.true(place.line >= 1 && place.column >= 1);
      },
    ),
    { numRuns: 1000 },
  );
});
