import test from 'ava';

import { endpointFrom } from '../../../server/upstream/endpoint.ts';
import { nameserversFrom, readSearchDomains, searchDomainsFrom } from '../../../server/upstream/resolv-conf.ts';
import { present } from '../../../zones/name.ts';

// resolv.conf(5)
for (const { text, expected } of [
  { text: 'nameserver 192.0.2.1\n', expected: ['192.0.2.1:53'] },
  {
    text: '  nameserver\t192.0.2.1   # comment\nnameserver 2001:DB8::1',
    expected: ['192.0.2.1:53', '[2001:db8::1]:53'],
  },
  { text: 'search example.org\noptions ndots:5\n; nameserver 192.0.2.9\n#nameserver 192.0.2.9\n', expected: [] },
  { text: 'nameserver fe80::1%eth0\r\nnameserver 192.0.2.2\r\n', expected: ['[fe80::1]:53', '192.0.2.2:53'] },
  { text: 'nameserver\nnameserver dns.example.org\nnameservers 192.0.2.3\n', expected: [] },
]) {
  test(`${JSON.stringify(text)} names ${expected.length === 0 ? 'nobody' : expected.join(' and ')}`, (t) => {
    t.deepEqual(
      nameserversFrom(text).map(({ label }) => label),
      expected,
    );
  });
}

const LABEL_TOO_LONG = 'a'.repeat(64);
const MANY = Array.from({ length: 40 }, (_, i) => `d${i}.example`);

// resolv.conf(5); the limit is the kubelet's.
for (const { text, expected } of [
  { text: '', expected: [] },
  { text: 'nameserver 192.0.2.1\noptions ndots:5\n', expected: [] },
  { text: 'search corp.example example\n', expected: ['corp.example.', 'example.'] },
  { text: '  search\tCorp.Example. \t eu.corp.example\r\n', expected: ['corp.example.', 'eu.corp.example.'] },
  { text: 'domain corp.example\n', expected: ['corp.example.'] },
  { text: 'domain corp.example example\n', expected: ['corp.example.'] },
  { text: 'search a.example\ndomain b.example\n', expected: ['b.example.'] },
  { text: 'domain b.example\nsearch a.example c.example\n', expected: ['a.example.', 'c.example.'] },
  { text: 'search a.example\nsearch\ndomain\n', expected: ['a.example.'] },
  { text: 'search .\n', expected: [] },
  { text: 'search a.example\nsearch .\n', expected: [] },
  { text: 'search a.example A.EXAMPLE. a.example b.example\n', expected: ['a.example.', 'b.example.'] },
  {
    text: `search a..example ${LABEL_TOO_LONG}.example .example \u20ac.example b.example`,
    expected: ['b.example.'],
  },
  { text: '# search a.example\n;search b.example\nsearching c.example\n', expected: [] },
  { text: `search ${MANY.join(' ')}`, expected: MANY.slice(0, 32).map((domain) => `${domain}.`) },
  {
    text: `search ${[...MANY.slice(0, 2), ...MANY].join(' ')}`,
    expected: MANY.slice(0, 32).map((domain) => `${domain}.`),
  },
]) {
  test(`${JSON.stringify(text)} searches ${expected.length === 0 ? 'nowhere' : expected.join(' and ')}`, (t) => {
    t.deepEqual(searchDomainsFrom(text).map(present), expected);
  });
}

test('search domains of a file that is not there: the system says why', (t) => {
  t.throws(() => readSearchDomains('/nowhere/resolv.conf'), { code: 'ENOENT' });
});

for (const { text, expected } of [
  { text: '192.0.2.1', expected: '192.0.2.1:53' },
  { text: '192.0.2.1:5353', expected: '192.0.2.1:5353' },
  { text: '2001:db8:0:0::1', expected: '[2001:db8::1]:53' },
  { text: '[2001:db8::1]', expected: '[2001:db8::1]:53' },
  { text: '[2001:db8::1]:5353', expected: '[2001:db8::1]:5353' },
  { text: 'fe80::1%eth0', expected: '[fe80::1%eth0]:53' },
  { text: '[fe80::1%eth0]:5353', expected: '[fe80::1%eth0]:5353' },
  { text: '192.0.2.1%eth0', expected: undefined },
  { text: '192.0.2.1:0', expected: undefined },
  { text: '192.0.2.1:65536', expected: undefined },
  { text: '192.0.2.256', expected: undefined },
  { text: 'dns.example.org', expected: undefined },
  { text: '', expected: undefined },
]) {
  test(`"${text}" is ${expected ?? 'no endpoint'}`, (t) => {
    t.is(endpointFrom(text)?.label, expected);
  });
}
