/** The state at one instant says what the store said then, whatever was done to the store since. */

import test from 'ava';

import { reverseDigitsOf, addressKeyFrom } from '../../../../zones/ip.ts';
import type { ClusterView } from '../../../../zones/kubernetes/store/cluster-view.ts';
import { nameFrom } from '../../../../zones/name.ts';
import { storeOf } from '../../../support/cluster-zone.ts';
import {
  endpoint,
  EXAMPLE_OBJECTS,
  listed,
  namespace,
  puts,
  service,
  slice,
} from '../../../support/example-cluster.ts';

const ADDRESSES = ['10.96.0.1', '10.96.1.1', 'fd00:96::1', '10.244.1.5', '10.244.2.10', 'fd00:244::6', '192.0.2.1'];
const NETWORKS = ['96.10.in-addr.arpa', '2.0.192.in-addr.arpa', '6.9.0.0.0.0.d.f.ip6.arpa', 'e.f.ip6.arpa'];

/** What a zone can learn, in values that can be compared. */
function said(view: ClusterView): unknown {
  const names = EXAMPLE_OBJECTS.map(({ namespace, name }) => [namespace, name] as const);
  return [
    view.serial,
    names.map(([, name]) => view.hasNamespace(name)),
    names.map(([namespace, name]) => view.service(namespace, name)?.service),
    [true, false].map((usesPodNames) =>
      names.map(([namespace, name]) => {
        return [view.records, view.importRecords].map((recordsOf) => {
          const records = recordsOf.call(view, namespace, name, usesPodNames);
          return [records?.own?.members, records?.alias, records?.isEmptyService];
        });
      }),
    ),
    ADDRESSES.map((text) => view.servicesByClusterIP(addressKeyFrom(text) ?? '').map(({ name }) => name)),
    ADDRESSES.map((text) => slicesAt(view, text)),
    NETWORKS.map((name) =>
      view.hasAddressUnder(reverseDigitsOf(nameFrom(name)) ?? { family: 4, digits: '' }, () => true),
    ),
    ['prod', 'default', 'nowhere'].map((namespace) => ADDRESSES.map((address) => view.hasPod(namespace, address))),
  ];
}

/** They come in no order. */
function slicesAt(view: ClusterView, text: string): readonly string[] {
  return view
    .readyAddresses(addressKeyFrom(text) ?? '')
    .map(({ head }) => head.name)
    .toSorted();
}

test('it says what the store says', (t) => {
  const store = storeOf(EXAMPLE_OBJECTS);
  t.deepEqual(said(store.snapshot()), said(store));
});

test('it goes on saying so when the store says something else', (t) => {
  const store = storeOf(EXAMPLE_OBJECTS);
  const expected = said(store);
  const snapshot = store.snapshot();
  store.apply(listed([namespace('prod'), service('prod/db', ['10.96.1.1'])]));
  t.notDeepEqual(said(store), expected);
  t.deepEqual(said(snapshot), expected);
});

test('who reads the same state shares it, and nobody a state that has passed', (t) => {
  const store = storeOf(EXAMPLE_OBJECTS);
  const snapshot = store.snapshot();
  t.is(store.snapshot(), snapshot);
  store.apply(puts(namespace('default')));
  t.is(store.snapshot(), snapshot, 'nothing has changed');
  store.apply(puts(namespace('new')));
  t.not(store.snapshot(), snapshot);
  t.true(store.snapshot().hasNamespace('new'));
});

test('all addresses are there in order, each once, also for the second who asks, and for one who broke off', (t) => {
  const endpoints = Array.from({ length: 5_000 }, (_, i) => endpoint(`10.244.${i >> 8}.${i & 255}`));
  const slices = ['x', 'y', 'z'].map((suffix) => slice('a/big', suffix, [], endpoints));
  const snapshot = storeOf([namespace('a'), service('a/big', ['10.244.0.0']), ...slices]).snapshot();
  const [first] = snapshot.addresses();
  t.is(first, undefined, 'so many are not put in order in one go');
  for (let time = 0; time < 2; time++) {
    const keys = [...snapshot.addresses()].filter((key) => key !== undefined);
    t.is(keys.length, 5_000);
    t.deepEqual(keys, keys.toSorted());
    t.is(new Set(keys).size, keys.length);
  }
});
