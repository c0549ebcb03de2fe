/**
 * Objects whose labels change so that they enter or leave what `labels` and `namespace_labels` select. The API server, which
 * does the selecting, is a small real one.
 */

import { setTimeout as pause } from 'node:timers/promises';

import test, { type ExecutionContext } from 'ava';

import { exchange } from './support/client.ts';
import { FakeApiServer } from './support/fake-api-server.ts';
import { decodeReply, presentReply } from './support/present.ts';
import { asked, encodeQuery } from './support/query.ts';
import { rawNamespace, rawPod, rawService, rawSlice, type RawObject } from './support/raw-objects.ts';
import { startServer } from './support/server.ts';

const COREFILE = `
.:{$PORT} {
    bind 127.0.0.1
    ready 127.0.0.1:{$READY_PORT}
    kubernetes cluster.local in-addr.arpa {
        endpoint {$API}
        pods verified
        labels tier=front
        namespace_labels team=red
    }
}
`;

const ADDRESS = '10.244.2.10';
const CLUSTER_IP = rawService('prod', 'web', { clusterIP: '10.96.1.1', clusterIPs: ['10.96.1.1'] });
const HEADLESS = rawService('prod', 'db', { clusterIP: 'None', clusterIPs: ['None'] });
const SLICE = rawSlice('prod', 'db', 'a', [{ address: ADDRESS, hostname: 'db-0' }]);
const POD = rawPod('prod', 'db-0', ADDRESS);

/** Whose label decides about which answers. */
const CASES: readonly {
  readonly what: string;
  readonly object: RawObject;
  readonly key: string;
  readonly value: string;
  readonly questions: readonly (readonly [string, string])[];
}[] = [
  {
    what: 'a Service',
    object: CLUSTER_IP,
    key: 'tier',
    value: 'front',
    questions: [
      ['web.prod.svc.cluster.local', 'A'],
      ['_http._tcp.web.prod.svc.cluster.local', 'SRV'],
      ['1.1.96.10.in-addr.arpa', 'PTR'],
    ],
  },
  {
    what: 'an EndpointSlice',
    object: SLICE,
    key: 'tier',
    value: 'front',
    questions: [
      ['db.prod.svc.cluster.local', 'A'],
      ['db-0.db.prod.svc.cluster.local', 'A'],
      ['10.2.244.10.in-addr.arpa', 'PTR'],
    ],
  },
  {
    what: 'a Pod',
    object: POD,
    key: 'tier',
    value: 'front',
    questions: [['10-244-2-10.prod.pod.cluster.local', 'A']],
  },
  {
    what: 'a Namespace',
    object: rawNamespace('prod'),
    key: 'team',
    value: 'red',
    questions: [
      ['prod.svc.cluster.local', 'NS'],
      ['web.prod.svc.cluster.local', 'A'],
      ['db-0.db.prod.svc.cluster.local', 'A'],
      ['10-244-2-10.prod.pod.cluster.local', 'A'],
      ['1.1.96.10.in-addr.arpa', 'PTR'],
      ['10.2.244.10.in-addr.arpa', 'PTR'],
    ],
  },
];

for (const { what, object, key, value, questions } of CASES) {
  test(`${what} whose label changes enters, leaves and enters again`, async (t) => {
    const { api, rcodes } = await start(t);
    const becomes = async (labels: Record<string, string>, expected: string): Promise<void> => {
      api.put(labelled(object, labels));
      const all = questions.map(() => expected);
      let seen: readonly string[] = [];
      for (const deadline = performance.now() + CHANGE_DEADLINE; performance.now() < deadline; await pause(10)) {
        seen = await rcodes(questions);
        if (seen.every((rcode) => rcode === expected)) break;
      }
      t.deepEqual(seen, all, `${JSON.stringify(labels)}: ${JSON.stringify(questions)}`);
    };
    t.deepEqual(
      await rcodes(questions),
      questions.map(() => 'NXDOMAIN'),
    );
    const others = CASES.filter((each) => key === 'tier' && each.key === key && each.object !== object);
    const rest = others.flatMap((each) => each.questions);
    t.deepEqual(
      await rcodes(rest),
      rest.map(() => 'NOERROR'),
      'what has the label is shown',
    );
    await becomes({ [key]: value }, 'NOERROR');
    await becomes({ [key]: 'another' }, 'NXDOMAIN');
    await becomes({ [key]: value, more: 'x' }, 'NOERROR');
    await becomes({}, 'NXDOMAIN');
  });

  /** A server whose cluster has everything in the selection but the object of this case. */
  async function start(t: ExecutionContext): Promise<{
    readonly api: FakeApiServer;
    readonly rcodes: (questions: readonly (readonly [string, string])[]) => Promise<readonly string[]>;
  }> {
    const api = await FakeApiServer.start();
    t.teardown(() => api.close());
    api.put(labelled(HEADLESS, { tier: 'front' }));
    for (const each of CASES) api.put(labelled(each.object, each.object === object ? {} : { [each.key]: each.value }));
    const server = await startServer({ corefile: { text: COREFILE }, environment: { API: api.url } });
    t.teardown(async () => void (await server.close()));
    const address = { host: '127.0.0.1', port: server.port };
    const rcodeOf = async ([name, type]: readonly [string, string]): Promise<string> => {
      const reply = await exchange(address, 'udp', encodeQuery(1, asked(name, type)));
      return presentReply(decodeReply(reply)).reply.split(' ')[1] ?? '';
    };
    return { api, rcodes: (questions) => Promise.all(questions.map(rcodeOf)) };
  }
}

/** The object with these labels beside those that controllers give it. */
function labelled(object: RawObject, labels: Record<string, string>): RawObject {
  const { metadata } = object;
  return { ...object, metadata: { ...metadata, labels: { ...metadata.labels, ...labels } } };
}

/** Only a lost change reaches it. */
const CHANGE_DEADLINE = 8_000;
