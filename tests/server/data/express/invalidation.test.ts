/** What was prepared is not said any more once the cluster has changed: every question is asked again after every change. */

import test from 'ava';

import type { ClusterChange, ClusterObject, Endpoint } from '../../../../zones/kubernetes/objects.ts';
import type { Count } from '../../../../zones/units.ts';
import { BothLanes } from '../../../support/both-lanes.ts';
import {
  endpoint,
  importedSlice,
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
import { asked, encodeQuery } from '../../../support/query.ts';
import { Random } from '../../../support/random.ts';
import { readReply } from '../../../support/reply.ts';

const corefile = (options = ''): string => `.:0 {
  bind 127.0.0.1
  loadbalance
  kubernetes cluster.local clusterset.local in-addr.arpa ip6.arpa {
    pods verified
    multicluster clusterset.local
    ${options}
  }
}`;

const NAMESPACES = ['a', 'b'];
const SERVICES = ['s1', 's2', 's3'];
const ADDRESSES = ['10.0.0.1', '10.0.0.2', '10.0.0.3', 'fd00::1'];
const HOSTS = ['h1', 'h2'];
const PORTS = [port('http/TCP 80'), port('dns/UDP 53')];

/** Small and full of coincidences: addresses are shared, services are headless one day and not the next. */
function anyObject(random: Random): ClusterObject {
  const inside = random.of(NAMESPACES);
  const path = `${inside}/${random.of(SERVICES)}`;
  const endpoints = (): readonly Endpoint[] =>
    Array.from({ length: random.below(4) }, () =>
      endpoint(random.of(ADDRESSES), {
        ...(random.once(2) ? { hostname: random.of(HOSTS) } : {}),
        ...(random.once(2) ? { pod: random.of(HOSTS) } : {}),
      }),
    );
  const ports = random.once(3) ? PORTS.slice(1) : PORTS;
  switch (random.below(10)) {
    case 0:
    case 1:
      return namespace(inside);
    case 2:
      return pod(path, random.of(ADDRESSES));
    case 3:
      return serviceImport(path, random.once(2) ? ['None'] : [random.of(ADDRESSES)], ports);
    case 4:
      return importedSlice(path, random.of(['east', 'west']), 'x', ports, endpoints());
    case 5:
    case 6:
    case 7:
      return service(path, random.once(2) ? ['None'] : [random.of(ADDRESSES)], ports);
    default:
      return slice(path, random.of(['x', 'y']), ports, endpoints());
  }
}

const QUESTIONS: readonly Buffer[] = [
  ...NAMESPACES.flatMap((inside) =>
    SERVICES.flatMap((name) => {
      const here = `${name}.${inside}.svc.cluster.local`;
      return [
        asked(here, 'A'),
        asked(here, 'AAAA'),
        asked(here, 'SRV'),
        asked(`_http._tcp.${here}`, 'SRV'),
        asked(`h1.${here}`, 'A'),
        asked(`10-0-0-1.${here}`, 'A'),
        asked(`${name}.${inside}.svc.clusterset.local`, 'A'),
        asked(`h1.east.${name}.${inside}.svc.clusterset.local`, 'A'),
      ];
    }),
  ),
  ...NAMESPACES.map((inside) => asked(`${inside}.svc.cluster.local`, 'A')),
  ...NAMESPACES.map((inside) => asked(`10-0-0-1.${inside}.pod.cluster.local`, 'A')),
  ...['1', '2', '3'].map((last) => asked(`${last}.0.0.10.in-addr.arpa`, 'PTR')),
  asked(`1.${'0.'.repeat(27)}0.0.d.f.ip6.arpa`, 'PTR'),
  asked('0.0.10.in-addr.arpa', 'PTR'),
  asked('nosuch.cluster.local', 'A'),
  asked('cluster.local', 'SOA'),
].map((question, i) => encodeQuery(i, question));

const WAYS: readonly (readonly [title: string, options: string, atOnceMax: Count])[] = [
  ['steps at once', '', 1000],
  ['steps made beside the state in use', '', 0],
  ['endpoints named after pods', 'endpoint_pod_names', 1000],
  ['only one of the namespaces shown', 'namespaces b', 1000],
];
const CHANGES: Count = 60;

for (const [title, options, atOnceMax] of WAYS) {
  for (const seed of [1, 2]) {
    test(`after each of ${CHANGES} changes both lanes say the same: ${title}, seed ${seed}`, async (t) => {
      const both = await BothLanes.start(t, { corefile: corefile(options), atOnceMax });
      const random = new Random(seed);
      let there: readonly ClusterObject[] = NAMESPACES.map(namespace);
      await both.apply(listed(there));
      for (let step = 0; step < CHANGES; step++) {
        const changes: ClusterChange[] = [];
        for (let n = random.once(4) ? 3 : 1; n > 0; n--) {
          const isRemoval = there.length > 4 && random.once(3);
          const object = isRemoval ? random.of(there) : anyObject(random);
          there = there.filter((each) => keyOf(each) !== keyOf(object));
          if (!isRemoval) there = [...there, object];
          changes.push(...(isRemoval ? [removal(object)] : puts(object)));
        }
        await both.apply(changes);
        const { express, plain } = await both.converse([...QUESTIONS, ...QUESTIONS]);
        const wrong = express.findIndex((reply, i) => plain[i]?.equals(reply) !== true);
        if (wrong !== -1 || express.length !== plain.length) {
          const reply = express[wrong]?.toString('hex');
          t.is(reply, plain[wrong]?.toString('hex'), `step ${step}, question ${wrong}: ${JSON.stringify(changes)}`);
          return;
        }
      }
      // All but what is asked for at an apex, and what was asked for first.
      t.true(both.expressReplies > CHANGES * QUESTIONS.length, String(both.expressReplies));
    });
  }
}

function keyOf({ kind, namespace: inside, name }: ClusterObject): string {
  return `${kind} ${inside}/${name}`;
}

const NAME_OF_ADDRESS = asked('1.0.0.10.in-addr.arpa', 'PTR');

/** Ways in which the names of an address change. */
const CHANGES_OF_NAMES: readonly (readonly [
  title: string,
  before: readonly ClusterObject[],
  change: readonly ClusterChange[],
])[] = [
  [
    'a namespace comes in which a service has it too',
    [namespace('b'), service('b/s1', ['10.0.0.1']), slice('a/s1', 'x', [], [endpoint('10.0.0.1')])],
    puts(namespace('a')),
  ],
  [
    'the namespace of its first service comes',
    [namespace('b'), service('b/s1', ['10.0.0.1']), service('a/s1', ['10.0.0.1'])],
    puts(namespace('a')),
  ],
  [
    'a service gets it as its cluster IP that only endpoints had',
    [namespace('a'), service('a/s1', ['None']), slice('a/s1', 'x', [], [endpoint('10.0.0.1')])],
    puts(service('a/s2', ['10.0.0.1'])),
  ],
  [
    'the service of its endpoint becomes headless',
    [
      namespace('a'),
      service('a/s1', ['10.0.0.9']),
      service('a/s2', ['None']),
      slice('a/s1', 'x', [], [endpoint('10.0.0.1', { hostname: 'h1' })]),
      slice('a/s2', 'x', [], [endpoint('10.0.0.1')]),
    ],
    puts(service('a/s1', ['None'])),
  ],
  [
    'the service of its endpoint goes',
    [
      namespace('a'),
      service('a/s1', ['None']),
      service('a/s2', ['None']),
      slice('a/s2', 'x', [], [endpoint('10.0.0.1', { hostname: 'h1' })]),
      slice('a/s1', 'x', [], [endpoint('10.0.0.1', { hostname: 'h1' })]),
    ],
    [removal(service('a/s1', ['None']))],
  ],
  [
    'its endpoint is called otherwise',
    [namespace('a'), service('a/s1', ['None']), slice('a/s1', 'x', [], [endpoint('10.0.0.1', { hostname: 'h1' })])],
    puts(slice('a/s1', 'x', [], [endpoint('10.0.0.1', { hostname: 'h2' })])),
  ],
  [
    'a second endpoint has it',
    [namespace('a'), service('a/s1', ['None']), slice('a/s1', 'x', [], [endpoint('10.0.0.1', { hostname: 'h1' })])],
    puts(slice('a/s1', 'y', [], [endpoint('10.0.0.1', { hostname: 'h2' })])),
  ],
];

for (const [title, before, change] of CHANGES_OF_NAMES) {
  test(`the names of an address are those of now: ${title}`, async (t) => {
    const both = await BothLanes.start(t, { corefile: corefile() });
    await both.apply(listed(before));
    const old = readReply(await both.agree(t, NAME_OF_ADDRESS)).answer;
    const said = both.expressReplies;
    t.true(said > 0);
    await both.apply(change);
    const young = readReply(await both.agree(t, NAME_OF_ADDRESS)).answer;
    t.true(both.expressReplies > said);
    if (!title.includes('goes') && !title.includes('comes in')) t.notDeepEqual(young, old);
  });
}
