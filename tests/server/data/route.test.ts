import test from 'ava';
import fc from 'fast-check';

import { route } from '../../../server/data/route.ts';
import { labelsOf, nameFrom, present, type Name } from '../../../zones/name.ts';
import { RRType } from '../../../zones/rr.ts';

const zones = new Map<Name, string>(
  ['.', 'cluster.local', 'svc.cluster.local', 'example.org'].map((zone) => [nameFrom(zone), zone]),
);

const cases: readonly { name: string; type?: number; expect: string | undefined }[] = [
  { name: 'web.shop.svc.cluster.local', expect: 'svc.cluster.local' },
  { name: 'cluster.local', expect: 'cluster.local' },
  { name: 'mycluster.local', expect: '.' },
  { name: 'example.org', expect: 'example.org' },
  { name: 'org', expect: '.' },
  { name: '.', expect: '.' },
  { name: 'example.org', type: RRType.DS, expect: '.' },
  { name: 'svc.cluster.local', type: RRType.DS, expect: 'cluster.local' },
  { name: 'www.example.org', type: RRType.DS, expect: 'example.org' },
];

for (const { name, type = RRType.A, expect } of cases) {
  test(`${name} type ${type} belongs to ${expect}`, (t) => {
    t.is(route(zones, nameFrom(name), type), expect);
  });
}

test('a DS question at the only zone stays there', (t) => {
  t.is(route(new Map([[nameFrom('a.'), 'a']]), nameFrom('a.'), RRType.DS), 'a');
});

test('a label that contains a dot is one label', (t) => {
  t.is(route(zones, nameFrom('x\\.example.org'), RRType.A), '.');
});

const label = fc.constantFrom('a', 'b', 'aa', 'b.a');
const name = fc
  .array(label, { maxLength: 5 })
  .map((labels) => nameFrom(labels.map((text) => text.replace('.', '\\.')).join('.')));

test('the longest zone by labels wins, whatever the names', (t) => {
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 6 }), name, (served, asked) => {
      const found = route(new Map(served.map((zone) => [zone, zone])), asked, RRType.A);
      const holding = served.filter((zone) => endsWithLabels(labelsOf(asked), labelsOf(zone)));
      const longest = holding.toSorted((a, b) => labelsOf(b).length - labelsOf(a).length)[0];
      t.is(found && present(found), longest && present(longest));
    }),
  );
});

function endsWithLabels(labels: readonly string[], suffix: readonly string[]): boolean {
  const start = labels.length - suffix.length;
  return start >= 0 && suffix.every((text, i) => labels[start + i] === text);
}
