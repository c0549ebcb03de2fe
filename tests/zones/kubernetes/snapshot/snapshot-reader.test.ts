/** Snapshots as octets: what comes back is what went in, and from octets that nobody wrote nothing comes at all. */

import { createHash } from 'node:crypto';

import test from 'ava';
import fc from 'fast-check';

import { ClusterMemory } from '../../../../zones/kubernetes/cluster-memory.ts';
import { Listing } from '../../../../zones/kubernetes/listing.ts';
import { textOf } from '../../../../zones/kubernetes/object-text.ts';
import { KINDS, type ClusterObject, type Kind } from '../../../../zones/kubernetes/objects.ts';
import {
  contentOf,
  encodeSnapshot,
  SnapshotFault,
  type SnapshotContent,
} from '../../../../zones/kubernetes/snapshot/snapshot-format.ts';
import { SnapshotReader, type Snapshot } from '../../../../zones/kubernetes/snapshot/snapshot-reader.ts';
import { kindsOf, type SourceOptions } from '../../../../zones/kubernetes/source.ts';
import { trim } from '../../../../zones/kubernetes/trim.ts';
import {
  rawImportedSlice,
  rawNamespace,
  rawPod,
  rawService,
  rawServiceImport,
  rawSlice,
  type RawObject,
} from '../../../support/raw-objects.ts';
import { sourceOptions } from '../../../support/source-options.ts';

const WRITTEN = Date.UTC(2026, 10, 21, 7);
const ALL = sourceOptions({ pods: true, endpointSlices: true, imports: true, topologyZones: true });
const SLICE = rawSlice('prod', 'db', 'v4', [
  { address: '10.0.0.1', hostname: 'a', podName: 'db-0', zone: 'b' },
  { address: '10.0.0.2', zone: 'a' },
  { address: '10.0.0.3' },
]);
const OBJECTS: readonly ClusterObject[] = [
  rawNamespace('prod'),
  withAnnotation(rawNamespace('shop'), 'off'),
  rawService('prod', 'web', { clusterIPs: ['10.96.1.1', 'fd00:96::1'] }),
  rawService('prod', 'db', { clusterIPs: ['None'] }),
  SLICE,
  rawImportedSlice('prod', 'db', 'east', [{ address: '10.1.0.1' }]),
  rawPod('prod', 'db-0', '10.0.0.1'),
  {
    ...rawPod('prod', 'own-resolver', '10.0.0.2'),
    spec: {
      dnsPolicy: 'None',
      dnsConfig: { searches: ['corp.example', '.'], options: [{ name: 'ndots', value: '2' }] },
    },
  },
  rawServiceImport('prod', 'db', []),
  rawServiceImport('prod', 'web', ['10.112.0.1']),
].flatMap((object) => trim(object.kind as Kind, object, ALL) ?? []);

function withAnnotation(raw: RawObject, value: string): RawObject {
  return { ...raw, metadata: { ...raw.metadata, annotations: { 'fivedots.dev/search-completion': value } } };
}

/** A memory that has been told everything. */
function memoryOf(objects: readonly ClusterObject[], source = ALL): ClusterMemory {
  const memory = new ClusterMemory();
  const listings = kindsOf(source).map(
    (kind) =>
      new Listing(
        kind,
        objects.filter((object) => object.kind === kind),
      ),
  );
  memory.apply(
    listings.map((listing) => ({ verb: 'replace', listing })),
    () => {},
  );
  return memory;
}

function octetsOf(objects: readonly ClusterObject[], source = ALL): Buffer {
  const content = contentOf(memoryOf(objects, source), kindsOf(source));
  if (content === undefined) throw new Error('every kind is whole');
  return Buffer.concat([...encodeSnapshot(source, content, WRITTEN)]);
}

/** In chunks of that size. */
function read(octets: Buffer, source: SourceOptions = ALL, size = 64): Snapshot {
  const reader = new SnapshotReader(source);
  for (let from = 0; from < octets.length; from += size) reader.take(octets.subarray(from, from + size));
  return reader.end();
}

function textsOf({ listings }: Snapshot): readonly string[] {
  return listings.flatMap(({ texts }) => [...texts.values()]);
}

/** A file with those lines and a right checksum. */
function signed(lines: readonly string[]): Buffer {
  const text = `${lines.join('\n')}\n`;
  return Buffer.from(`${text}${JSON.stringify({ sha256: createHash('sha256').update(text).digest('hex') })}\n`);
}

function linesOf(octets: Buffer): string[] {
  return octets.toString().split('\n').slice(0, -2);
}

function refusal(octets: Buffer, source: SourceOptions = ALL): string {
  try {
    read(octets, source);
    return 'taken';
  } catch (error) {
    if (error instanceof SnapshotFault) return error.message;
    throw error;
  }
}

const label = fc.constantFrom<unknown>('a', 'web', 'x-1', '0', 'Upper', 'a.b', '', 'a_b', undefined, 7, '__proto__');
const address = fc.constantFrom<unknown>(
  '10.0.0.1',
  '::ffff:10.0.0.2',
  'fd00:0::1',
  'fd00::1.2.3.4',
  '::',
  'fe80::1%eth0',
  'None',
  '',
  undefined,
);
const rawPort = fc.record({
  name: label,
  protocol: fc.constantFrom<unknown>('TCP', 'UDP', '', undefined, 'x'),
  port: fc.constantFrom<unknown>(80, 65_535, 0, -1, 1.5, undefined, '80'),
});
const ports = fc.oneof(fc.constant(undefined), fc.array(rawPort, { maxLength: 3 }));
const addresses = fc.array(address, { maxLength: 3 });
const raw = fc.record({
  metadata: fc.record({
    name: label,
    namespace: label,
    annotations: fc.record({ 'fivedots.dev/search-completion': fc.constantFrom<unknown>('off', 'on', undefined, 7) }),
    labels: fc.record({
      'kubernetes.io/service-name': label,
      'multicluster.kubernetes.io/service-name': label,
      'multicluster.kubernetes.io/source-cluster': label,
    }),
  }),
  spec: fc.record({
    type: fc.constantFrom('ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName', 'Headless', 'x'),
    clusterIPs: addresses,
    clusterIP: address,
    externalName: fc.constantFrom<unknown>('www.example.org', 'WWW.Example.org.', '192.0.2.1', 'a b', '', undefined),
    ips: addresses,
    ports,
    hostNetwork: fc.constantFrom<unknown>(true, false, undefined),
    dnsPolicy: fc.constantFrom<unknown>('ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None', 'x', undefined),
    dnsConfig: fc.record({
      searches: fc.array(fc.constantFrom<unknown>('A.Example.', 'b.example', '.', '', 'a b', 'x'.repeat(60), 7), {
        maxLength: 40,
      }),
      options: fc.array(
        fc.record({
          name: fc.constantFrom('ndots', 'timeout'),
          value: fc.constantFrom<unknown>('2', '020', '-1', '99', undefined, 5),
        }),
        { maxLength: 3 },
      ),
    }),
  }),
  status: fc.record({
    podIPs: fc.array(fc.record({ ip: address }), { maxLength: 2 }),
    podIP: address,
    phase: fc.constantFrom('Running', 'Failed'),
  }),
  addressType: fc.constantFrom('IPv4', 'IPv6', 'FQDN'),
  ports,
  endpoints: fc.array(
    fc.record({
      addresses,
      hostname: label,
      targetRef: fc.record({ name: label }),
      zone: fc.constantFrom<unknown>('zone-b', 'Zone-A', 'zone_c.d', '', 'a..b', undefined),
      conditions: fc.record({ ready: fc.constantFrom<unknown>(true, false, undefined) }),
    }),
    { maxLength: 5 },
  ),
});
const asked = fc.record({
  pods: fc.boolean(),
  endpointSlices: fc.boolean(),
  imports: fc.boolean(),
  topologyZones: fc.boolean(),
  podNames: fc.boolean(),
});

test('any memory comes back as it was, however the octets are cut', (t) => {
  fc.assert(
    fc.property(
      asked,
      fc.array(fc.tuple(fc.constantFrom<Kind>(...KINDS), raw), { maxLength: 30 }),
      fc.nat({ max: 300 }),
      (options, raws, size) => {
        const source = sourceOptions(options);
        const objects = raws
          .flatMap(([kind, object]) => trim(kind, object, source) ?? [])
          .filter(({ kind }) => kindsOf(source).includes(kind));
        const memory = memoryOf(objects, source);
        const snapshot = read(octetsOf(objects, source), source, size + 1);
        t.is(snapshot.written, WRITTEN);
        t.deepEqual(
          snapshot.listings.map(({ kind, texts }) => [kind, [...texts]]),
          kindsOf(source).map((kind) => [kind, [...memory.texts(kind)]]),
        );
      },
    ),
  );
});

test('any octet that was changed, left out or added is found', (t) => {
  const octets = octetsOf(OBJECTS);
  t.is(OBJECTS.length, 10);
  t.deepEqual(textsOf(read(octets)).toSorted(), OBJECTS.map(textOf).toSorted());
  for (let at = 0; at < octets.length; at++) {
    const flipped = Buffer.from(octets);
    flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << (at % 8)), at);
    t.not(refusal(flipped), 'taken', `flipped at ${at}`);
    t.not(refusal(octets.subarray(0, at)), 'taken', `cut at ${at}`);
    t.not(refusal(Buffer.concat([octets.subarray(0, at), octets.subarray(at + 1)])), 'taken', `without ${at}`);
  }
  for (const more of ['\n', ' ', 'x', '{}\n', '\0'])
    t.is(refusal(Buffer.concat([octets, Buffer.from(more)])), 'is damaged');
});

test('lines that are signed but that no API server could be behind are refused', (t) => {
  const lines = linesOf(octetsOf(OBJECTS));
  const at = lines.findIndex((line) => line.includes('"web"') && line.includes('"Service"'));
  const web = lines[at] ?? '';
  t.is(refusal(signed(lines)), 'taken');
  const hostile = [
    '',
    'null',
    '[]',
    '{"kind":"Service"}',
    `${web} `,
    web.slice(0, -1),
    web.replace('{', '{"__proto__":{"a":1},'),
    web.replace('"kind":"Service"', '"kind":"Secret"'),
    web.replace('"kind":"Service"', '"kind":"Namespace"'),
    web.replace('"name":"web"', '"name":"WEB"'),
    web.replace('"name":"web"', '"name":"web:1"'),
    web.replace('"name":"web"', `"name":"${'x'.repeat(64)}"`),
    web.replace('"name":"web"', '"name":"w\\u0065b"'),
    web.replace('"number":80', '"number":8e1'),
    web.replace('"number":80', '"number":1e999'),
    web.replace('"number":80', '"number":99999999999999999999'),
    web.replace('10.96.1.1', '10.96.1.256'),
    web.replace('"type":"ClusterIP"', '"type":"Anything"'),
    web.replace('"externalName":""', '"externalName":"www.example.org"'),
    lines[at + 1] ?? '',
    '['.repeat(100_000),
    'x'.repeat(5_000_000),
  ];
  for (const line of hostile) t.is(refusal(signed(lines.with(at, line))), 'is damaged', line.slice(0, 80));
  t.is(refusal(signed(lines.toSpliced(at, 1))), 'is damaged', 'one too few');
  t.is(refusal(signed(lines.toSpliced(at, 0, web.replace('"web"', '"two"')))), 'is damaged', 'one too many');
});

test('what a snapshot says of search completion and resolvers is held to the same rules', (t) => {
  const lines = linesOf(octetsOf(OBJECTS));
  for (const [from, to] of [
    ['"refusesCompletion":true', '"refusesCompletion":false'],
    ['"refusesCompletion":true', '"refusesCompletion":"off"'],
    ['"policy":"None"', '"policy":"ClusterFirstWithHostNet"'],
    ['"policy":"None"', '"policy":["None"]'],
    ['"corp.example"', '"Corp.example"'],
    ['"corp.example"', '"corp.example."'],
    ['"corp.example"', '"corp example"'],
    ['"corp.example"', `"corp.example"${',"a.example"'.repeat(31)}`],
    ['"ndots":2', '"ndots":16'],
    ['"ndots":2', '"ndots":"2"'],
    ['"ndots":2', '"ndots":1e99'],
    ['"ndots":2', '"ndots":{"toString":1}'],
    ['"resolver":{', '"resolver":{"nameservers":[],'],
  ] as const) {
    const changed = lines.map((line) => line.replace(from, to));
    t.notDeepEqual(changed, lines, from);
    t.is(refusal(signed(changed)), 'is damaged', to);
  }
});

test('first lines: what is not ours, newer, foreign, or does not count right', (t) => {
  const [first = '', ...rest] = linesOf(octetsOf(OBJECTS));
  const refused = (from: string | RegExp, to: string): string => refusal(signed([first.replace(from, to), ...rest]));
  t.is(refused('fivedots', 'others'), 'is not a snapshot of fivedots');
  t.is(refused(/^.*$/, 'no JSON'), 'is not a snapshot of fivedots');
  t.is(
    refused('"version":2', '"version":3'),
    'was written by a newer version of fivedots: it has format 3, and this one reads 2',
  );
  t.is(
    refused('"version":2', '"version":1'),
    'was written by an older version of fivedots: it has format 1, and this one reads 2',
  );
  for (const version of ['"2"', '0', '-1', 'null', `"${'x'.repeat(1_000_000)}"`, '['.repeat(1e6) + ']'.repeat(1e6)])
    t.is(refused('"version":2', `"version":${version}`), 'is damaged', version.slice(0, 9));
  const foreign = 'is of another cluster, or was made with other options of `kubernetes`';
  t.is(refused(/"of":"./, '"of":"x'), foreign);
  for (const [from, to] of [
    ['"Service":2', '"Service":-2'],
    ['"Service":2', '"Service":1e99'],
    ['"Service":2', '"Service":"2"'],
    ['"Service":2', '"Service":3'],
    ['"Service":2', '"Secret":2'],
    ['"Service":2,', ''],
    ['2026-11-21', '2026-13-21'],
    ['"written":"', '"written":1,"x":"'],
  ] as const)
    t.is(refused(from, to), 'is damaged', to);
});

test('more objects than a snapshot may have are neither read nor written, however small the file is', (t) => {
  const source = sourceOptions();
  const [first = '', ...rest] = linesOf(octetsOf(OBJECTS));
  for (const counts of ['"Service":1000001', '"Service":999999'])
    t.is(refusal(signed([first.replace('"Service":2', counts), ...rest])), 'has more than 1000000 objects');
  const texts = Array.from({ length: 1_000_000 }, () => '');
  const content = (count: number): SnapshotContent =>
    new Map([
      ['Namespace', texts.slice(0, count)],
      ['Service', ['']],
    ]);
  t.throws(() => encodeSnapshot(source, content(1_000_000), 0).next(), { message: /more than the 1000000 objects/ });
  t.notThrows(() => encodeSnapshot(source, content(999_999), 0).next());
});

test('foreign is what was read of another cluster or with another choice of objects; how it was read is no matter', (t) => {
  const octets = octetsOf(OBJECTS);
  for (const changes of [
    { from: { kind: 'endpoint', url: 'http://other', tls: undefined } },
    { from: { kind: 'in-cluster' } },
    { pods: false },
    { imports: false },
    { topologyZones: false },
    { endpointSlices: false },
    { headlessOnly: true },
    { labels: 'a=b' },
    { namespaceLabels: 'a=b' },
  ] as const) {
    t.regex(refusal(octets, { ...ALL, ...changes }), /^is of another cluster/, JSON.stringify(changes));
  }
  const tls = { cert: 'a', key: 'b', ca: 'c' };
  const same = {
    ...ALL,
    from: { ...ALL.from, tls } as SourceOptions['from'],
    requests: { perSecond: 1, burst: 1, inFlight: 1 },
  };
  t.is(refusal(octets, same), 'taken');
});

test('what a source has added for itself is not kept, and nothing is while a kind is still to come', (t) => {
  const staying = OBJECTS.filter(({ kind }) => kind === 'EndpointSlice').map((slice) => ({
    ...slice,
    name: `${slice.name}:1`,
  }));
  t.deepEqual(textsOf(read(octetsOf([...OBJECTS, ...staying]))).toSorted(), OBJECTS.map(textOf).toSorted());
  const memory = new ClusterMemory();
  memory.apply([{ verb: 'replace', listing: new Listing('Namespace') }], () => {});
  t.is(contentOf(memory, ['Namespace', 'Service']), undefined);
  memory.load([new Listing('Service', OBJECTS.slice(1, 3))], () => {});
  t.is(contentOf(memory, ['Namespace', 'Service']), undefined);
});
