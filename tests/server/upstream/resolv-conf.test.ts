import test from 'ava';

import { endpointFrom } from '../../../server/upstream/endpoint.ts';
import { nameserversFrom } from '../../../server/upstream/resolv-conf.ts';

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
