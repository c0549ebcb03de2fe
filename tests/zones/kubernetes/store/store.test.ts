/** One state of a cluster, whatever the events were that led to it. */

import test from 'ava';
import fc from 'fast-check';

import type { ClusterChange, ClusterObject, Namespace, Port, Service } from '../../../../zones/kubernetes/objects.ts';
import { KINDS } from '../../../../zones/kubernetes/objects.ts';
import { clusterZones, zoneHolding, type ClusterZonesOptions } from '../../../../zones/kubernetes/cluster-zones.ts';
import { ClusterStore } from '../../../../zones/kubernetes/store/store.ts';
import type { Answer } from '../../../../zones/answer.ts';
import { addressFrom, addressKey, IN_ADDR_ARPA, IP6_ARPA, reverseNameOf } from '../../../../zones/ip.ts';
import { lowerCase, nameFrom, nameUnder, present, spellingFrom, wireLabel, type Name } from '../../../../zones/name.ts';
import { RRType, typeName } from '../../../../zones/rr.ts';
import { TEST_TIME } from '../../../support/cluster-zone.ts';
import {
  endpoint,
  EXAMPLE_OBJECTS,
  externalName,
  importedSlice,
  inZones,
  listed,
  namespace,
  pod,
  port,
  puts,
  removal,
  service,
  serviceImport,
  slice,
} from '../../../support/example-cluster.ts';
import { presentSets } from '../../../support/present-sets.ts';

function emptyStore(): ClusterStore {
  return new ClusterStore(() => TEST_TIME);
}

/** Every answer that a cluster could give about the names of `objects`, serials left out. */
function answersOf(store: ClusterStore, objects: readonly ClusterObject[]): readonly string[] {
  return allAnswers(store, objects).map(({ question, answer }) => `${question}: ${sectionsOf(answer)}`);
}

function sectionsOf({ outcome, answer, authority, additional }: Answer): string {
  const sections = [answer, authority, additional].map((sets) => presentSets(sets).join('; '));
  return `${outcome} ${sections.join(' | ')}`;
}

function allAnswers(
  store: ClusterStore,
  objects: readonly ClusterObject[],
): readonly { question: string; answer: Answer }[] {
  const names = [...namesOf(objects)].map(spellingFrom);
  return [false, true].flatMap((endpointPodNames) => {
    const zones = clusterZones(store, [CLUSTER, CLUSTERSET, IN_ADDR_ARPA, IP6_ARPA], {
      ...OPTIONS,
      pods: 'verified',
      endpointPodNames,
      pointsToHostnamesOnly: endpointPodNames,
      ignoreEmptyService: endpointPodNames,
    });
    return names.flatMap((spelling) => {
      const name = lowerCase(spelling);
      const zone = zoneHolding(zones, name, RRType.A);
      if (zone === undefined) throw new Error(`no zone holds ${present(name)}`);
      return [RRType.A, RRType.AAAA, RRType.SRV, RRType.PTR, RRType.CNAME, RRType.NS].map((type) => ({
        question: `${present(name)} ${typeName(type)}`,
        answer: zone.find(name, spelling, type),
      }));
    });
  });
}

const CLUSTER = nameFrom('cluster.local');
const CLUSTERSET = nameFrom('clusterset.local');
const OPTIONS: ClusterZonesOptions = {
  kinds: KINDS,
  primary: CLUSTER,
  multicluster: [CLUSTERSET],
  ttl: 5,
  namespaces: undefined,
  pods: 'insecure',
  endpointPodNames: true,
  zonal: true,
  pointsToHostnamesOnly: false,
  ignoreEmptyService: false,
  localAddresses: [Uint8Array.of(192, 0, 2, 1)],
  passesOn: () => false,
};

/** Names that one of the objects could be behind, and their parents. */
function namesOf(objects: readonly ClusterObject[]): ReadonlySet<string> {
  const names = new Set(['cluster.local', 'ns.dns.cluster.local']);
  const addAddress = (text: string): void => {
    const address = addressFrom(text);
    if (address === undefined) return;
    const name = present(reverseNameOf(address));
    for (const cut of [0, 1, 2, 3]) names.add(name.split('.').slice(cut).join('.'));
  };
  for (const object of objects) {
    if (object.kind === 'Namespace') names.add(`${object.name}.svc.cluster.local`);
    if (object.kind === 'Service') object.clusterIPs.forEach(addAddress);
    if (object.kind === 'Pod') {
      for (const text of object.addresses) {
        names.add(`${text.replace(/[.:]/g, '-')}.${object.namespace}.pod.cluster.local`);
      }
    }
    const own = object.kind === 'EndpointSlice' ? object.service : object.name;
    const name = `${own === '' ? 'none' : own}.${object.namespace}.svc.cluster.local`;
    if (object.kind === 'ServiceImport') addPorts(names, object.ports, importName(object.namespace, object.name));
    if (object.kind === 'Service' || object.kind === 'EndpointSlice') addPorts(names, object.ports, name);
    if (object.kind !== 'EndpointSlice') continue;
    for (const zone of object.topologyZones ?? [])
      for (const word of ['pin', 'prefer']) names.add(`${zone}.${word}._zone.${name}`);
    const { imported } = object;
    const owners = [name];
    if (imported !== undefined) {
      const importedAs = importName(object.namespace, imported.service);
      names.add(importedAs);
      owners.push(importedAs, `${imported.cluster === '' ? 'none' : imported.cluster}.${importedAs}`);
    }
    for (const { addresses, hostname, podName } of object.endpoints) {
      const labels = [hostname, podName, ...addresses.map((text) => text.replace(/[.:]/g, '-'))];
      for (const owner of owners) for (const label of labels) if (label !== '') names.add(`${label}.${owner}`);
      addresses.forEach(addAddress);
    }
  }
  return names;
}

function importName(namespace: string, service: string): string {
  return `${service}.${namespace}.svc.clusterset.local`;
}

function addPorts(names: Set<string>, ports: readonly Port[], service: string): void {
  names.add(service);
  for (const { name, protocol } of ports) {
    names.add(`_${protocol}.${service}`);
    if (name !== '') names.add(`_${name}._${protocol}.${service}`);
  }
}

/** Few names and addresses, so that objects meet, move and share. */
const anyName = fc.constantFrom('a', 'a', 'b', 'constructor');
const anyNamespace = fc.constantFrom('x', 'x', 'x', 'then');
const anyAddress = fc.constantFrom(
  '192.0.2.1',
  '192.0.2.2',
  '198.51.100.1',
  '2001:db8::1',
  '2001:DB8:0::1',
  'no address',
);
const anyPorts = fc.subarray([port('http/TCP 80'), port('dns/UDP 53'), port('/TCP 8080'), port('any/TCP')]);
const anyPath = fc.tuple(anyNamespace, anyName).map((parts) => parts.join('/'));

const anyService: fc.Arbitrary<Service> = fc.oneof(
  fc
    .record({ path: anyPath, ips: fc.array(anyAddress, { maxLength: 2 }), ports: anyPorts })
    .map(({ path, ips, ports }) => service(path, ips, ports)),
  fc.record({ path: anyPath, ports: anyPorts }).map(({ path, ports }) => service(path, ['None'], ports)),
  fc
    .record({ path: anyPath, target: fc.constantFrom('www.example.org', 'a.x.svc.cluster.local', '') })
    .map(({ path, target }) => externalName(path, target)),
);
const anySlice = fc
  .record({
    path: anyPath,
    owner: fc.constantFrom('a', 'a', 'a', 'b', ''),
    imported: fc.option(
      fc.record({ service: fc.constantFrom('a', 'a', 'b'), cluster: fc.constantFrom('c', 'c', 'd', '') }),
      { nil: undefined },
    ),
    zones: fc.array(fc.constantFrom('z1', 'z1', 'z2.y', ''), { maxLength: 3 }),
    ports: anyPorts,
    endpoints: fc.array(
      fc
        .record({ address: anyAddress, hostname: fc.constantFrom('', 'h'), pod: fc.constantFrom('', 'p') })
        .map(({ address, ...names }) => endpoint(address, names)),
      { maxLength: 3 },
    ),
  })
  // One slice name may come with different services: a slice that moves.
  .map(({ path, owner, imported, zones, ports, endpoints }) => ({
    ...inZones(slice(path, 'z', ports, endpoints), ...zones),
    service: owner,
    ...(imported === undefined ? undefined : { imported }),
  }));
const anyImport = fc
  .record({
    path: anyPath,
    ips: fc.oneof(fc.array(anyAddress, { maxLength: 2 }), fc.constant(['None'])),
    ports: anyPorts,
  })
  .map(({ path, ips, ports }) => serviceImport(path, ips, ports));
const anyObject: fc.Arbitrary<ClusterObject> = fc.oneof(
  anyNamespace.map(namespace),
  { arbitrary: anyService, weight: 2 },
  { arbitrary: anySlice, weight: 4 },
  anyImport,
  fc.record({ path: anyPath, ips: fc.array(anyAddress, { maxLength: 2 }) }).map(({ path, ips }) => pod(path, ...ips)),
);
const anyChange: fc.Arbitrary<ClusterChange> = fc.oneof(
  { arbitrary: anyObject.map((object): ClusterChange => ({ verb: 'put', object })), weight: 6 },
  { arbitrary: anyObject.map(removal), weight: 3 },
  { arbitrary: fc.constantFrom(...KINDS).map((kind): ClusterChange => ({ verb: 'whole', kind })), weight: 1 },
);

/** The objects that meet most. */
const OFTEN: readonly ClusterObject[] = [
  service('x/a', ['192.0.2.1'], [port('http/TCP 80')]),
  serviceImport('x/a', ['None'], [port('http/TCP 80')]),
  importedSlice('x/a', 'c', 'z', [], [endpoint('192.0.2.1', { hostname: 'h' })]),
  slice('x/a', 'z', [], [endpoint('192.0.2.1', { hostname: 'h', pod: 'p' }), endpoint('2001:db8::1')]),
];

/** What is there after these changes: the plainest way to say it. */
function stateAfter(changes: readonly ClusterChange[]): readonly ClusterObject[] {
  const state = new Map<string, ClusterObject>();
  const keyOf = (kind: string, namespace: string, name: string): string => JSON.stringify([kind, namespace, name]);
  for (const change of changes) {
    if (change.verb === 'remove') state.delete(keyOf(change.kind, change.namespace, change.name));
    if (change.verb !== 'put') continue;
    const { kind, namespace, name } = change.object;
    state.set(keyOf(kind, namespace, name), change.object);
  }
  return [...state.values()];
}

test('any events that end in the same objects give the same answers as those objects in a fresh store', (t) => {
  fc.assert(
    fc.property(fc.array(anyChange, { minLength: 4, maxLength: 30 }), (changes) => {
      const objects = stateAfter([...puts(namespace('x')), ...changes]);
      const touched = changes.flatMap((change) => (change.verb === 'put' ? [change.object] : []));
      const lived = emptyStore();
      lived.apply(puts(namespace('x')));
      for (const change of changes) {
        lived.apply([change]);
        // Questions between events leave records behind, which must go when they are wrong.
        allAnswers(lived, OFTEN);
      }
      const fresh = emptyStore();
      fresh.apply(listed(objects.toReversed()));
      t.deepEqual(answersOf(lived, [...objects, ...touched]), answersOf(fresh, [...objects, ...touched]));
    }),
    { numRuns: 400 },
  );
  t.pass();
});

/** After a slice the same with fewer endpoints: most of what happens to slices. */
const anyShrinking: fc.Arbitrary<readonly ClusterChange[]> = fc.tuple(anyChange, fc.nat(3)).map(([change, count]) => {
  if (change.verb !== 'put' || change.object.kind !== 'EndpointSlice') return [change];
  const { object } = change;
  return [change, { verb: 'put', object: { ...object, endpoints: object.endpoints.slice(0, count) } }];
});

test('an answer is what would be said now for as long as all of its lives last, whatever happens', (t) => {
  fc.assert(
    fc.property(fc.array(anyShrinking, { minLength: 4, maxLength: 20 }), (steps) => {
      const store = emptyStore();
      store.apply(puts(namespace('x'), ...OFTEN));
      let said: readonly Answer[] = [];
      for (const change of steps.flat()) {
        store.apply([change]);
        const now = allAnswers(store, OFTEN);
        for (const [i, { question, answer }] of now.entries()) {
          const before = said[i];
          if (before?.lives === undefined || before.lives.own.isOver || before.lives.whole.isOver) continue;
          t.deepEqual(sectionsOf(before), sectionsOf(answer), question);
        }
        said = now.map(({ answer }) => answer);
      }
    }),
    { numRuns: 400 },
  );
  t.pass();
});

test('the names of an address end when one of those that a slice has for it goes', (t) => {
  const store = emptyStore();
  const both = slice(
    'x/a',
    'z',
    [],
    [endpoint('192.0.2.1', { hostname: 'a-0' }), endpoint('192.0.2.1', { hostname: 'a-1' })],
  );
  store.apply(puts(namespace('x'), service('x/a', ['None']), both));
  const life = store.lifeOfAddress(addressKey(Uint8Array.of(192, 0, 2, 1)));
  store.apply(puts({ ...both, endpoints: both.endpoints.slice(0, 1) }));
  t.true(life.isOver);
});

test('what is known ends when it turns out to be a snapshot of it', (t) => {
  const store = emptyStore();
  store.apply([...puts(...OFTEN), { verb: 'whole', kind: 'Service' }]);
  const { life } = store;
  store.apply([{ verb: 'whole', kind: 'Namespace' }]);
  t.false(life.isOver);
  store.apply([{ verb: 'loaded', kind: 'EndpointSlice' }]);
  t.true(life.isOver);
  const next = store.life;
  store.apply([{ verb: 'loaded', kind: 'EndpointSlice' }]);
  t.false(next.isOver);
});

test('a store that was emptied answers like one that was never filled', (t) => {
  const store = emptyStore();
  const empty = answersOf(store, EXAMPLE_OBJECTS);
  store.apply(puts(...EXAMPLE_OBJECTS));
  t.notDeepEqual(answersOf(store, EXAMPLE_OBJECTS), empty);
  store.apply(EXAMPLE_OBJECTS.map(removal));
  t.deepEqual(answersOf(store, EXAMPLE_OBJECTS), empty);
  for (const object of EXAMPLE_OBJECTS) {
    t.is(store.service(object.namespace, object.name), undefined);
    t.false(store.hasNamespace(object.name));
  }
});

test('a service that is gone leaves its slices, and comes back with them', (t) => {
  const store = emptyStore();
  const db = service('prod/db', ['None'], [port('pg/TCP 5432')]);
  store.apply(puts(namespace('prod'), db, slice('prod/db', 'a', [], [endpoint('192.0.2.1')])));
  store.apply([removal(db)]);
  t.is(store.records('prod', 'db', false), undefined);
  t.is(store.service('prod', 'db')?.slices.length, 1);
  store.apply(puts(db));
  t.is(store.records('prod', 'db', false)?.own?.members.length, 1);
});

test('an address keeps its slices apart when one of several lets it go', (t) => {
  const store = emptyStore();
  const slices = ['a', 'b', 'c'].map((suffix) => slice('prod/db', suffix, [], [endpoint('192.0.2.1')]));
  store.apply(puts(...slices));
  const key = addressKey(Uint8Array.of(192, 0, 2, 1));
  for (const [i, each] of slices.entries()) {
    t.is(store.readyAddresses(key).length, 3 - i);
    store.apply([removal(each)]);
  }
  t.deepEqual(store.readyAddresses(key), []);
});

test('pods: all of their addresses, each until the last pod with it is gone', (t) => {
  const store = emptyStore();
  const [first, second] = [pod('prod/a', '192.0.2.1', '2001:db8::1'), pod('prod/b', '192.0.2.1')];
  store.apply(puts(first, second));
  t.true(store.hasPod('prod', '2001:db8::1'));
  t.false(store.hasPod('other', '192.0.2.1'));
  store.apply([removal(first)]);
  t.false(store.hasPod('prod', '2001:db8::1'));
  t.true(store.hasPod('prod', '192.0.2.1'));
  store.apply(puts(pod('prod/b', '192.0.2.9')));
  t.false(store.hasPod('prod', '192.0.2.1'));
  t.true(store.hasPod('prod', '192.0.2.9'));
});

test('pods: an address tells who sends from it only if one pod can', (t) => {
  const store = emptyStore();
  const first = pod('prod/a', '192.0.2.1', '2001:db8::1');
  const onHost = { ...pod('prod/b', '192.0.2.9'), hostNetwork: true };
  store.apply(puts(first, onHost, { ...pod('prod/c', '192.0.2.1'), hostNetwork: true }));
  t.is(store.podAt('192.0.2.1'), first, 'a pod on the host network is never meant');
  t.is(store.podAt('2001:db8::1'), first);
  t.is(store.podAt('192.0.2.9'), undefined);
  t.is(store.podAt('192.0.2.2'), undefined);
  t.true(store.hasPod('prod', '192.0.2.9'));
  const next = pod('shop/d', '192.0.2.1');
  store.apply(puts(next));
  t.is(store.podAt('192.0.2.1'), undefined, 'two of them, for the first is on its way out');
  store.apply([removal(first)]);
  t.is(store.podAt('192.0.2.1'), next);
  t.is(store.podAt('2001:db8::1'), undefined);
  store.apply(puts({ ...next, hostNetwork: true }));
  t.is(store.podAt('192.0.2.1'), undefined, 'another pod of the same name');
});

test('pods: the resolver is that of the pod as it is now, and nothing ends with another', (t) => {
  const store = emptyStore();
  const own = { ...pod('prod/a', '192.0.2.1'), resolver: { policy: 'None', searches: ['corp.example'] } } as const;
  store.apply(puts(namespace('prod'), pod('prod/a', '192.0.2.1')));
  const { life, serial } = store;
  t.is(store.podAt('192.0.2.1')?.resolver, undefined);
  store.apply(puts(own));
  t.deepEqual(store.podAt('192.0.2.1')?.resolver, own.resolver);
  store.apply(puts({ ...own, resolver: { ...own.resolver, ndots: 2 } }));
  t.is(store.podAt('192.0.2.1')?.resolver?.ndots, 2);
  t.false(life.isOver);
  t.is(store.serial, serial);
});

const REFUSING: Namespace = { ...namespace('prod'), refusesCompletion: true };

for (const [title, apply] of [
  ['at once', (store: ClusterStore, changes: readonly ClusterChange[]): void => store.apply(changes)],
  ['beside', (store: ClusterStore, changes: readonly ClusterChange[]): void => void [...store.applyBeside(changes)]],
] as const) {
  test(`namespaces: search completion is refused from one change to the next, applied ${title}`, (t) => {
    const store = emptyStore();
    const steps: readonly (readonly [ClusterChange, boolean])[] = [
      ...puts(namespace('prod')).map((change) => [change, false] as const),
      ...puts(REFUSING).map((change) => [change, true] as const),
      ...puts(namespace('prod')).map((change) => [change, false] as const),
      ...puts(REFUSING).map((change) => [change, true] as const),
      [removal(REFUSING), false],
      ...puts(REFUSING).map((change) => [change, true] as const),
    ];
    t.false(store.refusesCompletion('prod'));
    for (const [change, isRefused] of steps) {
      const { life, serial } = store;
      apply(store, [change]);
      t.is(store.refusesCompletion('prod'), isRefused);
      t.is(store.hasNamespace('prod'), change.verb === 'put');
      t.true(life.isOver);
      t.not(store.serial, serial);
    }
    for (const other of ['shop', '', 'constructor', '__proto__']) t.false(store.refusesCompletion(other));
  });
}

test('namespaces: one that says what it has said changes nothing', (t) => {
  const store = emptyStore();
  store.apply(puts(REFUSING, namespace('shop')));
  const { life, serial } = store;
  store.apply(puts({ ...REFUSING }, namespace('shop')));
  t.false(life.isOver);
  t.is(store.serial, serial);
  t.true(store.refusesCompletion('prod'));
  t.false(store.refusesCompletion('shop'));
});

test('namespaces: a snapshot of the store has those that refuse as well', (t) => {
  const store = emptyStore();
  store.apply(puts(REFUSING));
  t.true(store.snapshot().hasNamespace('prod'));
  t.false(store.snapshot().hasNamespace('shop'));
});

test('synced: a kind is from when it is said to be whole, and stays so', (t) => {
  const store = emptyStore();
  store.apply(puts(namespace('a')));
  t.false(store.isSynced('Namespace'));
  const { serial } = store;
  store.apply([{ verb: 'whole', kind: 'Namespace' }]);
  t.deepEqual(
    KINDS.map((kind) => store.isSynced(kind)),
    [true, false, false, false, false],
  );
  t.true(store.hasNamespace('a'));
  t.is(store.serial, serial, 'no answer is another one');
});

test('changes that are applied beside the state in use become visible with the last step, and are the same', (t) => {
  fc.assert(
    fc.property(fc.array(anyChange, { maxLength: 30 }), fc.array(anyChange, { maxLength: 30 }), (before, changes) => {
      const [beside, atOnce] = [emptyStore(), emptyStore()];
      for (const store of [beside, atOnce]) store.apply(before);
      const objects = [...stateAfter(before), ...stateAfter(changes)];
      const old = answersOf(beside, objects);
      const steps = beside.applyBeside(changes);
      let count = 0;
      while (steps.next().done !== true) if (++count % 8 === 0) t.deepEqual(answersOf(beside, objects), old);
      atOnce.apply(changes);
      t.deepEqual(answersOf(beside, objects), answersOf(atOnce, objects));
      t.is(beside.serial, atOnce.serial);
      t.deepEqual(
        KINDS.map((kind) => beside.isSynced(kind)),
        KINDS.map((kind) => atOnce.isSynced(kind)),
      );
    }),
    { numRuns: 50 },
  );
});

test('serial: moves once with each batch that changes something, and never otherwise', (t) => {
  let now = 1000;
  const store = new ClusterStore(() => now);
  t.is(store.serial, 1000);
  store.apply(puts(...EXAMPLE_OBJECTS));
  t.is(store.serial, 1001);
  store.apply([]);
  t.is(store.serial, 1001);
  now = 2000;
  store.apply([removal(pod('prod/nosuch'))]);
  t.is(store.serial, 1001, 'the removal of what was not there');
  store.apply([removal(namespace('empty'))]);
  t.is(store.serial, 2000);
  now = 1500;
  store.apply(puts(namespace('empty')));
  t.is(store.serial, 2001, 'the clock went back');
});

/** RFC 1982 section 3.2. */
function isAhead(serial: number, of: number): boolean {
  return ((serial - of) | 0) > 0;
}

test('serial: grows whenever an answer has become another one, whatever the clock does', (t) => {
  const step = fc.record({ changes: fc.array(anyChange, { maxLength: 3 }), now: fc.nat({ max: 5 }) });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
      let now = 2 ** 32 - 3; // the serial comes round to 0 in the middle of it
      const store = new ClusterStore(() => now);
      store.apply(puts(namespace('x')));
      const touched = steps.flatMap(({ changes }) =>
        changes.flatMap((each) => ('object' in each ? [each.object] : [])),
      );
      for (const { changes, now: offset } of steps) {
        const [before, serial] = [answersOf(store, touched), store.serial];
        now = 2 ** 32 - 3 + offset;
        store.apply(changes);
        const isOther = JSON.stringify(answersOf(store, touched)) !== JSON.stringify(before);
        t.true(isAhead(store.serial, serial) || (store.serial === serial && !isOther));
      }
    }),
    { numRuns: 300 },
  );
});

test('serial: a pod without an address is none that an answer could be about', (t) => {
  const store = emptyStore();
  const { serial } = store;
  store.apply(puts(pod('prod/pending')));
  store.apply([removal(pod('prod/pending'))]);
  t.is(store.serial, serial);
});

const web = service('prod/web', ['192.0.2.1'], [port('http/TCP 80')]);
const ready = slice('prod/web', 'a', [port('http/TCP 80')], [endpoint('192.0.2.9', { hostname: 'h', pod: 'p' })]);
const imported = importedSlice('prod/web', 'c', 'a', [port('http/TCP 80')], [endpoint('192.0.2.9')]);
const clusterset = serviceImport('prod/web', ['192.0.2.1'], [port('http/TCP 80')]);
const moving: readonly [string, ClusterObject, ClusterObject][] = [
  ['type', web, { ...web, type: 'ExternalName' }],
  ['cluster IPs', web, { ...web, clusterIPs: ['192.0.2.1', '2001:db8::1'] }],
  ['externalName', externalName('prod/web', 'a.example.org'), externalName('prod/web', 'b.example.org')],
  ['port number', web, { ...web, ports: [port('http/TCP 81')] }],
  ['port name', web, { ...web, ports: [port('web/TCP 80')] }],
  ['port protocol', web, { ...web, ports: [port('http/UDP 80')] }],
  ['number of ports', web, { ...web, ports: [] }],
  ['service of a slice', ready, { ...ready, service: 'other' }],
  ['ports of a slice', ready, { ...ready, ports: [] }],
  ['address', ready, { ...ready, endpoints: [endpoint('192.0.2.8', { hostname: 'h', pod: 'p' })] }],
  ['host name', ready, { ...ready, endpoints: [endpoint('192.0.2.9', { hostname: 'g', pod: 'p' })] }],
  ['pod name', ready, { ...ready, endpoints: [endpoint('192.0.2.9', { hostname: 'h', pod: 'q' })] }],
  ['number of endpoints', ready, { ...ready, endpoints: [] }],
  ['cluster of a slice', imported, { ...imported, imported: { service: 'web', cluster: 'd' } }],
  ['import of a slice', imported, { ...imported, imported: { service: 'other', cluster: 'c' } }],
  ['import that a slice leaves', imported, { ...slice('prod/web', 'c-a', [], []), service: '' }],
  ['topology zone of an endpoint', inZones(ready, 'z1'), inZones(ready, 'z2')],
  ['topology zone that an endpoint leaves', inZones(ready, 'z1'), ready],
  ['addresses of an import', clusterset, { ...clusterset, clusterIPs: ['192.0.2.2'] }],
  ['type of an import', clusterset, { ...clusterset, clusterIPs: ['None'] }],
  ['ports of an import', clusterset, { ...clusterset, ports: [] }],
  ['pod address', pod('prod/a', '192.0.2.1'), pod('prod/a', '192.0.2.2')],
];

for (const [name, before, after] of moving) {
  test(`serial: moves with the ${name}`, (t) => {
    const store = emptyStore();
    store.apply(puts(before));
    const { serial } = store;
    store.apply(puts(after));
    t.is(store.serial, serial + 1);
  });
}

test('serial: moves when an import comes and when it goes, and not when it was not there', (t) => {
  const store = emptyStore();
  const { serial } = store;
  store.apply([removal(clusterset)]);
  store.apply(puts(imported));
  store.apply([removal(imported), removal(imported)]);
  t.is(store.serial, serial + 2);
  store.apply(puts(clusterset));
  store.apply([removal(clusterset)]);
  store.apply([removal(clusterset)]);
  t.is(store.serial, serial + 4);
});

test('a slice of a Service and of an import is with both, and leaves both', (t) => {
  const store = emptyStore();
  const both = { ...ready, imported: { service: 'web', cluster: 'c' } };
  store.apply(puts(service('prod/web', ['None']), serviceImport('prod/web', ['None']), both));
  t.is(store.records('prod', 'web', false)?.own?.members.length, 1);
  t.is(store.importRecords('prod', 'web', false)?.own?.members.length, 1);
  store.apply([removal(both)]);
  t.is(store.records('prod', 'web', false)?.own, undefined);
  t.is(store.importRecords('prod', 'web', false)?.own, undefined);
});

test('records are made once, and again when the service or one of its slices changes', (t) => {
  const store = emptyStore();
  store.apply(puts(web, ready));
  const made = store.records('prod', 'web', false);
  t.is(store.records('prod', 'web', false), made);
  t.not(store.records('prod', 'web', true), made);
  store.apply(puts(service('prod/other', ['192.0.2.7'])));
  t.is(store.records('prod', 'web', false), made, 'nothing of it has changed');
  store.apply(puts({ ...ready, endpoints: [] }));
  t.not(store.records('prod', 'web', false), made);
});

test('names that are properties of objects are names like others', (t) => {
  for (const name of ['constructor', '__proto__', 'then', 'toString', 'hasOwnProperty']) {
    const store = emptyStore();
    t.false(store.hasNamespace(name));
    t.is(store.service(name, name), undefined);
    store.apply(puts(namespace(name), service(`${name}/${name}`, ['192.0.2.1']), pod(`${name}/${name}`, '192.0.2.1')));
    t.true(store.hasNamespace(name));
    t.is(store.service(name, name)?.service?.name, name);
    t.true(store.hasPod(name, '192.0.2.1'));
  }
});

test('objects with any text in every field are taken, and every question about them is answered', (t) => {
  const anyText = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('', '.', '..', 'a.b', '__proto__', 'x'.repeat(300), '1.2.3.4', '::', '-', 'None', '\0', 'a\\000b'),
  );
  const texts = fc.array(anyText, { maxLength: 3 });
  const ports = fc.array(fc.record({ name: anyText, protocol: anyText, number: fc.oneof(fc.integer(), fc.double()) }), {
    maxLength: 3,
  });
  const kinds = fc.oneof(
    fc.record({ kind: fc.constant('Namespace' as const), namespace: fc.constant('' as const), name: anyText }),
    fc.record({
      kind: fc.constant('Service' as const),
      namespace: anyText,
      name: anyText,
      type: fc.oneof(anyText, fc.constant('ExternalName')),
      clusterIPs: texts,
      externalName: anyText,
      ports,
    }),
    fc.record({
      kind: fc.constant('EndpointSlice' as const),
      namespace: anyText,
      name: anyText,
      service: anyText,
      ports,
      imported: fc.record({ service: anyText, cluster: anyText }),
      endpoints: fc.array(
        fc.record({ addresses: texts, hostname: anyText, podName: anyText, zone: fc.integer({ min: -1, max: 4 }) }),
        { maxLength: 3 },
      ),
      zones: fc.array(anyText, { maxLength: 3 }),
    }),
    fc.record({
      kind: fc.constant('ServiceImport' as const),
      namespace: anyText,
      name: anyText,
      clusterIPs: texts,
      ports,
    }),
    fc.record({
      kind: fc.constant('Pod' as const),
      namespace: anyText,
      name: anyText,
      addresses: texts,
      hostNetwork: fc.boolean(),
    }),
  );
  fc.assert(
    fc.property(fc.array(kinds, { maxLength: 10 }), (objects) => {
      const store = emptyStore();
      store.apply(puts(...objects));
      store.apply(listed(objects));
      allAnswers(store, EXAMPLE_OBJECTS);
      for (const object of objects) askEverything(store, object);
      store.apply(objects.map(removal));
      t.deepEqual(answersOf(store, EXAMPLE_OBJECTS.slice(0, 6)), answersOf(emptySynced(), EXAMPLE_OBJECTS.slice(0, 6)));
    }),
    { numRuns: 200 },
  );
  t.pass();
});

/** Questions for the names that an object would have if its texts were labels. */
function askEverything(store: ClusterStore, object: ClusterObject): void {
  const labels = object.kind === 'EndpointSlice' ? object.endpoints.map(({ hostname = '' }) => hostname) : ['x'];
  const clusters = object.kind === 'EndpointSlice' ? [object.imported?.cluster ?? ''] : [];
  const services = object.kind === 'EndpointSlice' ? [object.service, object.imported?.service ?? ''] : [object.name];
  const fronts = [
    [],
    ...labels.map((label) => [label]),
    ...clusters.flatMap((cluster) => labels.map((label) => [label, cluster])),
    ['_x', '_tcp'],
    ['x', 'pin', '_zone'],
    ['x', 'y', 'prefer', '_zone'],
  ];
  for (const zone of clusterZones(store, [CLUSTER, CLUSTERSET], OPTIONS)) {
    for (const [front, service, kind] of fronts.flatMap((each) =>
      services.flatMap((owner) => ['svc', 'pod'].map((word) => [each, owner, word] as const)),
    )) {
      const name = nameOfLabels([...front, service, object.namespace, kind], zone.apex);
      if (name === undefined) continue;
      for (const type of [RRType.A, RRType.SRV, RRType.CNAME]) zone.find(name, name, type);
    }
  }
}

function nameOfLabels(labels: readonly string[], apex: Name): Name | undefined {
  if (labels.some((label) => label.length > 63 || label === '' || /[^\0-\xff]/.test(label))) return undefined;
  return lowerCase(nameUnder(labels.map(wireLabel).join(''), apex) ?? apex);
}

function emptySynced(): ClusterStore {
  const store = emptyStore();
  store.apply(listed([]));
  return store;
}
