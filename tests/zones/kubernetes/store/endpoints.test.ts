/** What endpoints are called. */

import test from 'ava';
import fc from 'fast-check';

import { isLabel } from '../../../../zones/kubernetes/api-values.ts';
import type { EndpointSlice } from '../../../../zones/kubernetes/objects.ts';
import { endpointLabel, readySliceFrom, type ReadySlice } from '../../../../zones/kubernetes/store/endpoints.ts';
import { endpoint, slice } from '../../../support/example-cluster.ts';

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
  test(title, (t) =>
    t.is(endpointLabel({ text, hostname: names.hostname, podName: names.pod }, usesPodNames), expected),
  );
}

test('every address gives one label', (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const label = endpointLabel({ text, hostname: undefined, podName: undefined }, false);
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
  const found = ready.addresses.map(({ key, text, hostname }) => `${hostname} ${text} ${key.length}`);
  t.deepEqual(found, ['x 192.0.2.1 4', 'z 192.0.2.2 4']);
});

test('what a slice was before changes nothing of what it is', (t) => {
  const addresses = fc.array(fc.constantFrom('192.0.2.1', '192.0.2.2', '192.0.2.3', '2001:db8::1', 'no'), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(addresses, addresses, (before, after) => {
      const of = (texts: readonly string[]): EndpointSlice =>
        slice(
          'prod/db',
          'a',
          [],
          texts.map((text) => endpoint(text)),
        );
      const old = readySliceFrom(of(before), undefined);
      const keys = (ready: ReadySlice): unknown => ready.addresses.map(({ key, text }) => [text, key]);
      t.deepEqual(keys(readySliceFrom(of(after), old)), keys(readySliceFrom(of(after), undefined)));
    }),
  );
});
