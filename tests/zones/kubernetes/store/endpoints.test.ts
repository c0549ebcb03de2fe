/** What endpoints are called. */

import test from 'ava';
import fc from 'fast-check';

import { addressOfKey, presentAddress } from '../../../../zones/ip.ts';
import { isLabel } from '../../../../zones/kubernetes/api-values.ts';
import { endpointLabel, readySliceFrom, type ReadyAddress } from '../../../../zones/kubernetes/store/endpoints.ts';
import { endpoint, port, slice } from '../../../support/example-cluster.ts';

const cases: readonly [string, { hostname?: string; pod?: string }, string, boolean, string][] = [
  ['the address with dashes', {}, '10.244.3.4', false, '10-244-3-4'],
  ['IPv6 as the API wrote it', {}, 'fd00:0244::7', false, 'fd00-0244--7'],
  ['IPv6 in lower case', {}, 'FD00::7', false, 'fd00--7'],
  ['a last dash gets a zero', {}, 'fd00:244:3::', false, 'fd00-244-3--0'],
  ['a first dash stays', {}, '::1', false, '--1'],
  ['a host name', { hostname: 'db-0', pod: 'p' }, '10.0.0.1', true, 'db-0'],
  ['a pod name where pods give names', { pod: 'web-1' }, '10.0.0.1', true, 'web-1'],
  ['no pod name where they do not', { pod: 'web-1' }, '10.0.0.1', false, '10-0-0-1'],
  ['no pod name of several labels', { pod: 'web.1' }, '10.0.0.1', true, '10-0-0-1'],
  ['no pod name of 64 characters', { pod: 'a'.repeat(64) }, '10.0.0.1', true, '10-0-0-1'],
  ['no host name of several labels', { hostname: 'a.b', pod: 'p' }, '10.0.0.1', false, '10-0-0-1'],
];

for (const [title, names, text, usesPodNames, expected] of cases) {
  test(title, (t) => t.is(endpointLabel(addressOf(text, names), usesPodNames), expected));
}

function addressOf(text: string, names: { hostname?: string; pod?: string } = {}): ReadyAddress {
  const [address] = readySliceFrom(slice('prod/db', 'a', [], [endpoint(text, names)]), undefined).addresses;
  if (address === undefined) throw new Error(`${text} is no address`);
  return address;
}

test('every address gives one label', (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const label = endpointLabel(addressOf(text), false);
      // A first dash is CoreDNS's; everything else is a label of Kubernetes.
      return isLabel(label.replace(/^-+/, ''));
    }),
  );
  t.pass();
});

test('texts that are no addresses are passed over, and the others keep their endpoints', (t) => {
  const ready = readySliceFrom(
    slice(
      'prod/db',
      'a',
      [],
      [
        { addresses: ['no', '192.0.2.1'], hostname: 'x', podName: '' },
        endpoint('', { hostname: 'y' }),
        endpoint('192.0.2.2', { hostname: 'z' }),
      ],
    ),
    undefined,
  );
  const found = ready.addresses.map(({ key, hostname }) => `${hostname} ${presentAddress(addressOfKey(key))}`);
  t.deepEqual(found, ['x 192.0.2.1', 'z 192.0.2.2']);
});

test('what a slice was before changes nothing of what it is, and what stays is the same object', (t) => {
  const names = fc.constantFrom({}, { hostname: 'a' }, { hostname: 'b' }, { pod: 'p' });
  const anyEndpoint = fc
    .tuple(fc.constantFrom('192.0.2.1', '192.0.2.2', '192.0.2.3', '2001:db8::1', '2001:db8::0:1', 'no'), names)
    .map(([text, given]) => endpoint(text, given));
  const anySlice = fc
    .tuple(fc.array(anyEndpoint, { maxLength: 6 }), fc.constantFrom([], [port('pg/TCP 5432')]))
    .map(([endpoints, ports]) => slice('prod/db', 'a', ports, endpoints));
  fc.assert(
    fc.property(anySlice, anySlice, (before, after) => {
      const old = readySliceFrom(before, undefined);
      t.deepEqual(readySliceFrom(after, old), readySliceFrom(after, undefined));
      const again = readySliceFrom(before, old);
      t.true(again.addresses.every((address, i) => address === old.addresses[i]));
    }),
  );
});
