/** What the control thread remembers of a cluster, and what of a report it calls news. */

import test from 'ava';
import fc from 'fast-check';

import { fieldsOf, listOf } from '../../../zones/kubernetes/api-values.ts';
import { ClusterMemory } from '../../../zones/kubernetes/cluster-memory.ts';
import { Listing } from '../../../zones/kubernetes/listing.ts';
import { keyOf, objectFrom, placeOf, textOf } from '../../../zones/kubernetes/object-text.ts';
import type { ClusterObject, Kind } from '../../../zones/kubernetes/objects.ts';
import type { SourceChange } from '../../../zones/kubernetes/source.ts';
import { trim } from '../../../zones/kubernetes/trim.ts';
import { namespace, port, puts, service } from '../../support/example-cluster.ts';
import { rawNamespace, rawPod, rawService, rawSlice, type RawObject } from '../../support/raw-objects.ts';

const label = fc.constantFrom('a', 'b', 'constructor');
const anyService = fc
  .tuple(label, label, fc.constantFrom('192.0.2.1', '192.0.2.2', 'None'))
  .map(([space, name, ip]) => service(`${space}/${name}`, [ip], [port('http/TCP 80')]));
const anyObject: fc.Arbitrary<ClusterObject> = fc.oneof(label.map(namespace), { arbitrary: anyService, weight: 3 });
const anyChange: fc.Arbitrary<SourceChange> = fc.oneof(
  anyObject.map((object): SourceChange => ({ verb: 'put', object })),
  anyObject.map(({ kind, namespace: space, name }): SourceChange => ({ verb: 'remove', kind, namespace: space, name })),
  fc
    .array(anyService, { maxLength: 4 })
    .map((objects): SourceChange => ({ verb: 'replace', listing: new Listing('Service', objects) })),
);

test('it is what the changes lead to, and news is exactly what differs', (t) => {
  fc.assert(
    fc.property(fc.array(anyChange, { maxLength: 30 }), (changes) => {
      const memory = new ClusterMemory();
      const state = new Map<string, ClusterObject>();
      let isWhole = false;
      for (const change of changes) {
        const before = new Map(state);
        switch (change.verb) {
          case 'put':
            state.set(`${change.object.kind} ${keyOf(change.object)}`, change.object);
            break;
          case 'remove':
            state.delete(`${change.kind} ${keyOf(change)}`);
            break;
          case 'replace':
            isWhole = true;
            for (const [key, { kind }] of state) if (kind === 'Service') state.delete(key);
            for (const object of change.listing.objects()) state.set(`Service ${keyOf(object)}`, object);
        }
        const news: string[] = [];
        memory.apply([change], (kind, key) => void news.push(`${kind} ${key}`));
        const differing = [...new Set([...before.keys(), ...state.keys()])].filter(
          (key) => JSON.stringify(before.get(key)) !== JSON.stringify(state.get(key)),
        );
        t.deepEqual(news.toSorted(), differing.toSorted());
      }
      const known = memory.kinds().flatMap((kind) => [...memory.texts(kind).values()]);
      t.deepEqual(known.toSorted(), [...state.values()].map(textOf).toSorted());
      t.deepEqual(known.map(objectFrom).map(textOf), known);
      t.is(memory.isWhole('Service'), isWhole);
      t.false(memory.isWhole('Namespace'));
    }),
  );
});

test('a key leads back to its place', (t) => {
  for (const place of [
    { namespace: 'a', name: 'b' },
    { namespace: '', name: 'b' },
  ]) {
    t.deepEqual(placeOf(keyOf(place)), place);
  }
});

test('objects that come again with nothing new that an answer depends on are no news', (t) => {
  const raws = [
    rawNamespace('prod'),
    rawService('prod', 'web', { clusterIP: '192.0.2.1', clusterIPs: ['192.0.2.1'] }),
    rawSlice('prod', 'web', 'a', [{ address: '192.0.2.9', hostname: 'h', podName: 'p' }]),
    rawPod('prod', 'p', '192.0.2.9'),
  ];
  const anyNoise = fc.record({
    metadata: fc.record({
      resourceVersion: fc.nat().map(String),
      generation: fc.nat(),
      annotations: fc.dictionary(fc.constantFrom('a', 'endpoints.kubernetes.io/last-change-trigger-time'), fc.string()),
      managedFields: fc.array(fc.object(), { maxLength: 2 }),
      finalizers: fc.array(fc.string(), { maxLength: 2 }),
    }),
    spec: fc.record({ selector: fc.object(), sessionAffinity: fc.string(), externalIPs: fc.array(fc.ipV4()) }),
    status: fc.record({ conditions: fc.array(fc.object()), loadBalancer: fc.object(), hostIP: fc.ipV4() }),
    endpoint: fc.record({ nodeName: fc.string(), conditions: fc.constantFrom({}, { ready: true, serving: false }) }),
  });
  fc.assert(
    fc.property(anyNoise, fc.boolean(), (noise, isRelist) => {
      const memory = new ClusterMemory();
      const trimmed = (objects: readonly RawObject[]): readonly ClusterObject[] =>
        objects.flatMap((raw) => trim(raw.kind as Kind, raw, ALL_OF_IT) ?? []); // the kinds of the four above
      memory.apply(lists(trimmed(raws)), () => {});
      const noisy = raws.map((raw) => ({
        ...raw,
        metadata: { ...raw.metadata, ...noise.metadata },
        spec: { ...fieldsOf(raw['spec']), ...noise.spec },
        status: { ...noise.status, ...fieldsOf(raw['status']) },
        endpoints: listOf(raw['endpoints']).map((each) => ({ ...fieldsOf(each), ...noise.endpoint })),
      }));
      const changes = isRelist ? lists(trimmed(noisy)) : puts(...trimmed(noisy));
      const news: string[] = [];
      memory.apply(changes, (kind, key) => void news.push(`${kind} ${key}`));
      t.deepEqual(news, []);
    }),
  );
});

test('a Namespace that only changes whether it refuses search completion is news, in a list as in a watch', (t) => {
  const raw = rawNamespace('prod');
  const refusing = { ...raw, metadata: { ...raw.metadata, annotations: { 'fivedots.dev/search-completion': 'off' } } };
  for (const changesOf of [lists, (objects: readonly ClusterObject[]): readonly SourceChange[] => puts(...objects)]) {
    const memory = new ClusterMemory();
    const news: string[] = [];
    for (const each of [raw, refusing, refusing, raw]) {
      memory.apply(changesOf([trim('Namespace', each, ALL_OF_IT) ?? []].flat()), (kind, key) => {
        news.push(`${kind} ${key} ${memory.texts(kind).get(key)?.includes('refusesCompletion')}`);
      });
    }
    t.deepEqual(news, ['Namespace /prod false', 'Namespace /prod true', 'Namespace /prod false']);
  }
});

const ALL_OF_IT = { endpointSlices: true, imports: true, topologyZones: true, podNames: true };

function lists(objects: readonly ClusterObject[]): readonly SourceChange[] {
  return Array.from(
    Map.groupBy(objects, ({ kind }) => kind),
    ([kind, same]) => ({ verb: 'replace', listing: new Listing(kind, same) }),
  );
}
