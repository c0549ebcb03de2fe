/** Domain names in wire form: reading, writing, comparing. */

import test from 'ava';
import fc from 'fast-check';

import {
  isWithin,
  labelCount,
  labelsOf,
  lowerCase,
  NameError,
  nameFrom,
  nameUnder,
  parentOf,
  present,
  ROOT,
  spellingFrom,
  suffixStart,
  under,
  wireLabel,
  type Name,
} from '../../zones/name.ts';

/** Labels of any octets, now and then the same ones again, so that names share endings. */
const anyLabel = fc.oneof(
  fc.constantFrom('a', 'b', 'aa', 'svc', '\x01a', 'a\x01', '\0', '.', '\\', 'a.b'),
  fc
    .array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 63 })
    .map((octets) => String.fromCharCode(...octets)),
);
const anyName = fc
  .array(anyLabel, { maxLength: 6 })
  .filter((labels) => labels.reduce((sum, label) => sum + 1 + label.length, 1) <= 255)
  .map((labels) => under(labels, ROOT));

const written: readonly [string, string][] = [
  ['', '\0'],
  ['.', '\0'],
  ['org', '\x03org\0'],
  ['example.org', '\x07example\x03org\0'],
  ['example.org.', '\x07example\x03org\0'],
  ['EXAMPLE.Org', '\x07example\x03org\0'],
  ['a\\.b.org', '\x03a.b\x03org\0'],
  ['a\\046b.org', '\x03a.b\x03org\0'],
  ['\\000\\255.org', '\x02\0\xff\x03org\0'],
  ['a\\\\b', '\x03a\\b\0'],
  ['\\a\\b', '\x02ab\0'],
  ['_dns._udp', '\x04_dns\x04_udp\0'],
];

for (const [text, name] of written) {
  test(`read: "${text}"`, (t) => t.is(nameFrom(text), name as Name));
}

const presented: readonly [string, string][] = [
  ['.', '.'],
  ['Example.ORG', 'Example.ORG.'],
  ['*._a-b/1', '*._a-b/1.'],
  ['a\\.b', 'a\\.b.'],
  ['\\000\\032\\255\\127', '\\000\\032\\255\\127.'],
  ['\\"\\;\\$\\@\\(', '\\"\\;\\$\\@\\(.'],
];

for (const [text, expected] of presented) {
  test(`written: "${text}" as "${expected}"`, (t) => t.is(present(spellingFrom(text)), expected));
}

const refused: readonly [string, RegExp][] = [
  ['a..b', /empty label/],
  ['.a', /empty label/],
  ['..', /empty label/],
  [`${'a'.repeat(64)}.org`, /64 octets long, at most 63/],
  [`${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(62)}`, /256 octets long, at most 255/],
  ['a\\', /lone backslash/],
  ['a\\256', /\\256 is more than 255/],
  ['münchen\u0100', /xn--/],
];

for (const [text, message] of refused) {
  test(`refused: "${text.slice(0, 20)}", for ${message.source}`, (t) => {
    const error = t.throws(() => nameFrom(text), { instanceOf: NameError });
    t.regex(error.reason, message);
    t.is(error.code, 'NAME');
  });
}

test('a name of 255 octets is the longest', (t) => {
  const longest = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`;
  t.is(nameFrom(longest).length, 255);
  t.throws(() => under(['e'], nameFrom(longest)), { instanceOf: NameError });
  t.is(nameUnder(wireLabel('e'), nameFrom(longest)), undefined);
});

test('what was written is read as the same name', (t) => {
  fc.assert(fc.property(anyName, (name) => spellingFrom(present(name)) === name));
  t.pass();
});

test('any text is read as a name or refused, nothing else', (t) => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom('\\', '.', 'a', '0', '2') })),
      (text) => {
        try {
          const name = spellingFrom(text);
          return spellingFrom(present(name)) === name;
        } catch (error) {
          return error instanceof NameError;
        }
      },
    ),
  );
  t.pass();
});

test('labels, their number and the parent agree', (t) => {
  fc.assert(
    fc.property(anyName, (name) => {
      const labels = labelsOf(name);
      return (
        under(labels, ROOT) === name &&
        labelCount(name) === labels.length &&
        parentOf(name) === under(labels.slice(1), ROOT) &&
        nameUnder(labels.map(wireLabel).join(''), ROOT) === name
      );
    }),
  );
  t.pass();
});

test('lower case changes ASCII letters and nothing else (RFC 4343 section 3)', (t) => {
  fc.assert(
    fc.property(anyName, (name) => {
      const expected = under(
        labelsOf(name).map((label) => label.replace(/[A-Z]/g, (letter) => letter.toLowerCase())),
        ROOT,
      );
      return lowerCase(name) === expected;
    }),
  );
  t.is(lowerCase(spellingFrom('\\192\\222')), spellingFrom('\\192\\222') as Name);
});

test('an ancestor is found label by label, never in the middle of one', (t) => {
  fc.assert(
    fc.property(anyName, anyName, (front, ancestor) => {
      if (front.length + ancestor.length - 1 > 255) return true;
      const name = under(labelsOf(front), ancestor);
      return suffixStart(name, ancestor) === front.length - 1 && isWithin(name, ancestor);
    }),
  );
  fc.assert(
    fc.property(anyName, anyName, (a, b) => {
      const [name, ancestor] = [lowerCase(a), lowerCase(b)];
      const labels = labelsOf(name);
      const wanted = labelsOf(ancestor);
      const cut = labels.length - wanted.length;
      const isAncestor = cut >= 0 && wanted.every((label, i) => label === labels[cut + i]);
      const start = labels.slice(0, Math.max(0, cut)).reduce((sum, label) => sum + 1 + label.length, 0);
      return suffixStart(name, ancestor) === (isAncestor ? start : -1);
    }),
    { numRuns: 1000 },
  );
  t.is(suffixStart(nameFrom('a\\003org'), nameFrom('org')), -1, 'octets that look like a length');
});
