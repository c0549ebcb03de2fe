/** With `pods`, the list that counts is that of the pod that asks (Kubernetes: Pod's DNS Policy and DNS Config). */

import test from 'ava';

import { autopathAt } from '../../../server/plugins/autopath.ts';
import type { AnyPlugin } from '../../../server/plugins/order.ts';
import { systemSchedule } from '../../../server/timer.ts';
import type { Pod, PodResolver } from '../../../zones/kubernetes/objects.ts';
import { BothLanes } from '../../support/both-lanes.ts';
import { pod, puts } from '../../support/example-cluster.ts';
import { asked } from '../../support/query.ts';
import { readReply } from '../../support/reply.ts';
import { smallWorld } from '../../support/small-world.ts';

const WORLD = `
  www.example.com 300 A 192.0.2.1
  www.example.com.lab.example 300 A 192.0.2.3
  only.example.com.own.example 300 A 192.0.2.4
`;

const first = (namespace: string): string => `${namespace}.svc.cluster.local`;
const resolver = (changes: Partial<PodResolver>): PodResolver => ({ policy: 'ClusterFirst', searches: [], ...changes });
/** Asks from 127.0.0.1, as the test does. */
const asking = (namespace: string, own?: PodResolver): Pod => ({
  ...pod(`${namespace}/asking`, '127.0.0.1'),
  ...(own === undefined ? undefined : { resolver: own }),
});

const DENIED = 'NXDOMAIN';
const CASES: readonly (readonly [title: string, pod: Pod | undefined, question: string, said: string])[] = [
  ['an unknown pod', undefined, `www.example.com.${first('default')}`, '192.0.2.1'],
  ['an ordinary pod', asking('default'), `www.example.com.${first('default')}`, '192.0.2.1'],
  ['a pod of another namespace', asking('prod'), `www.example.com.${first('default')}`, DENIED],
  [
    'its own domains come last',
    asking('default', resolver({ searches: ['own.example', 'lab.example'] })),
    `www.example.com.${first('default')}`,
    '192.0.2.3',
  ],
  [
    'its own domains',
    asking('default', resolver({ searches: ['own.example'] })),
    `only.example.com.${first('default')}`,
    '192.0.2.4',
  ],
  [
    'another namespace among them',
    asking('default', resolver({ searches: ['prod.svc.cluster.local'] })),
    `single.${first('default')}`,
    '10.96.1.2',
  ],
  [
    'a name with as many dots as ndots was asked as it is',
    asking('default', resolver({ ndots: 2 })),
    `www.example.com.${first('default')}`,
    DENIED,
  ],
  [
    'a name with fewer dots was not',
    asking('default', resolver({ ndots: 3 })),
    `www.example.com.${first('default')}`,
    '192.0.2.1',
  ],
  [
    'a pod with the node’s own list',
    asking('default', resolver({ policy: 'Default' })),
    `www.example.com.${first('default')}`,
    DENIED,
  ],
  [
    'a pod with no list but its own, which begins elsewhere',
    asking('default', resolver({ policy: 'None', searches: ['own.example', first('default')] })),
    `www.example.com.${first('default')}`,
    DENIED,
  ],
  [
    'a pod with no list but its own, which begins here',
    asking('default', resolver({ policy: 'None', searches: [first('prod')] })),
    `www.example.com.${first('prod')}`,
    '192.0.2.1',
  ],
  [
    'services are not found where its own list does not lead',
    asking('default', resolver({ policy: 'None', searches: [first('prod')] })),
    `kubernetes.default.${first('prod')}`,
    DENIED,
  ],
  [
    'the root among its domains',
    asking('default', resolver({ searches: ['.'] })),
    `www.example.com.${first('default')}`,
    DENIED,
  ],
];

for (const [title, who, question, said] of CASES) {
  test(`pods: ${title}`, async (t) => {
    const both = await BothLanes.start(t, {
      corefile: `.:0 {
        bind 127.0.0.1
        autopath @kubernetes {
          pods
        }
        cache
        kubernetes cluster.local {
          pods verified
        }
        forward . 192.0.2.1
      }`,
      upstream: smallWorld(WORLD).reply,
      plugins: [
        autopathAt({
          nodeDomains: () => [],
          patience: 500,
          schedule: systemSchedule,
        }) as AnyPlugin,
      ],
    });
    // What it asks before its pod is known must not be what it gets afterwards, nor the other way round.
    await both.agree(t, asked(question, 'A'), title, 3);
    if (who !== undefined) await both.apply(puts(who));
    const { rcode, answer } = readReply(await both.agree(t, asked(question, 'A'), title, 3));
    t.is(rcode === 'NOERROR' ? answer.at(-1)?.rdata : rcode, said);
  });
}
