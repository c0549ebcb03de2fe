/** What the first question of a walk through a search list gets with `autopath`, in both lanes. */

import test, { type ExecutionContext } from 'ava';

import { autopathAt } from '../../../server/plugins/autopath.ts';
import type { AnyPlugin } from '../../../server/plugins/order.ts';
import { systemSchedule } from '../../../server/plugins/timer.ts';
import { nameFrom } from '../../../zones/name.ts';
import { BothLanes } from '../../support/both-lanes.ts';
import { namespace, puts, removal, service } from '../../support/example-cluster.ts';
import { asked } from '../../support/query.ts';
import { readReply } from '../../support/reply.ts';
import { smallWorld, type SmallWorld } from '../../support/small-world.ts';

const WORLD = `
  www.example.com 300 A 192.0.2.1
  dual.example.com 300 A 192.0.2.2
  dual.example.com 300 AAAA 2001:db8::2
  six.example.com 300 AAAA 2001:db8::6
  cdn.example.com 300 CNAME www.example.com
  mail.example.com 300 MX -
  half.example.com 300 A 192.0.2.3
  half.example.com 300 servfail/AAAA -
  odd.example.com 300 A 192.0.2.4
  odd.example.com 300 nxdomain/AAAA -
  broken.example.com 300 servfail -
  closed.example.com 300 refused -
  circle.example.com 300 CNAME circle.example.com.default.svc.cluster.local
  my_host.example.com 300 A 192.0.2.5
  build.internal 300 A 192.0.2.6
  www.example.com.corp.example 20 A 192.0.2.20
  *.wild.example 20 A 192.0.2.21
`;

type Scene = {
  readonly both: BothLanes;
  readonly world: SmallWorld;
  readonly say: (question: string) => Promise<string>;
};

async function scene(
  t: ExecutionContext,
  { options = '', nodeDomains = [] as readonly string[], words = '@kubernetes', layers = 'cache 30' } = {},
): Promise<Scene> {
  const world = smallWorld(WORLD);
  const autopath = autopathAt({
    nodeDomains: () => nodeDomains.map(nameFrom),
    patience: 500,
    schedule: systemSchedule,
  });
  const both = await BothLanes.start(t, {
    corefile: `.:0 {
      bind 127.0.0.1
      autopath ${words} {
        ${options}
      }
      ${layers}
      kubernetes cluster.local
      forward . 192.0.2.1
    }`,
    upstream: world.reply,
    plugins: [autopath as AnyPlugin],
  });
  await both.apply(puts(service('prod/api', ['10.96.2.1'])));
  const say = async (question: string): Promise<string> => {
    const [name = '', type = 'A'] = question.split(' ');
    const { rcode, answer, authority } = readReply(await both.agree(t, asked(name, type), question, 3));
    const records = answer.map((record) => `${record.owner} ${record.ttl} ${record.type} ${record.rdata}`);
    return [rcode, ...records, ...authority.map(({ owner, type: kind }) => `(${owner} ${kind})`)].join(' | ');
  };
  return { both, world, say };
}

const S = 'default.svc.cluster.local';
const DENIED = 'NXDOMAIN | (cluster.local. SOA)';
const completed = (base: string, ...records: readonly string[]): string =>
  [`NOERROR | ${base}.${S}. 5 CNAME ${records[0]}`, ...records.slice(1)].join(' | ');

const CASES: readonly (readonly [question: string, said: string])[] = [
  ['www.example.com A', completed('www.example.com', 'www.example.com.', 'www.example.com. 30 A 192.0.2.1')],
  ['www.example.com AAAA', completed('www.example.com', 'www.example.com.', '(example.com. SOA)')],
  ['www.example.com HTTPS', completed('www.example.com', 'www.example.com.', '(example.com. SOA)')],
  ['www.example.com CNAME', completed('www.example.com', 'www.example.com.')],
  [
    'dual.example.com AAAA',
    completed('dual.example.com', 'dual.example.com.', 'dual.example.com. 30 AAAA 2001:db8::2'),
  ],
  ['six.example.com A', completed('six.example.com', 'six.example.com.', '(example.com. SOA)')],
  [
    'cdn.example.com A',
    completed(
      'cdn.example.com',
      'cdn.example.com.',
      'cdn.example.com. 30 CNAME www.example.com.',
      'www.example.com. 30 A 192.0.2.1',
    ),
  ],
  ['web.prod A', completed('web.prod', 'web.prod.svc.cluster.local.', 'web.prod.svc.cluster.local. 5 A 10.96.1.1')],
  ['single.prod AAAA', completed('single.prod', 'single.prod.svc.cluster.local.', '(cluster.local. SOA)')],
  [
    'web.prod.svc A',
    completed('web.prod.svc', 'web.prod.svc.cluster.local.', 'web.prod.svc.cluster.local. 5 A 10.96.1.1'),
  ],
  [
    'web.prod.svc.cluster.local A',
    completed('web.prod.svc.cluster.local', 'web.prod.svc.cluster.local.', 'web.prod.svc.cluster.local. 5 A 10.96.1.1'),
  ],
  [
    'ext.prod A',
    'NXDOMAIN | (cluster.local. SOA)', // www.example.org, where it points to, is not there
  ],
  [
    'db-0.db.prod A',
    completed('db-0.db.prod', 'db-0.db.prod.svc.cluster.local.', 'db-0.db.prod.svc.cluster.local. 5 A 10.244.2.10'),
  ],
  ['nosuch.db.prod A', DENIED],
  ['nosuch.prod A', DENIED],
  ['kubernetes.nosuch A', DENIED],
  ['nosuch A', DENIED],
  ['x.kubernetes A', DENIED],
  ['mail.example.com A', DENIED],
  ['missing.example.com A', DENIED],
  ['half.example.com A', DENIED],
  ['odd.example.com A', DENIED],
  ['odd.example.com AAAA', DENIED],
  ['broken.example.com A', DENIED],
  ['closed.example.com AAAA', DENIED],
  ['circle.example.com A', DENIED],
  ['my_host.example.com A', DENIED],
  ['build.internal A', DENIED],
  ['com A', DENIED],
];

for (const [question, said] of CASES) {
  test(`the first search name of ${question}`, async (t) => {
    const { say } = await scene(t);
    const [base = '', type = ''] = question.split(' ');
    t.is(await say(`${base}.${S} ${type}`), said);
  });
}
