/** What a log line can say of a question for the cluster, and of the pod that asked (CoreDNS plugin/kubernetes `Metadata`). */

import test from 'ava';
import fc from 'fast-check';

import { kubernetes } from '../../../server/plugins/kubernetes.ts';
import { log } from '../../../server/plugins/log.ts';
import { metadata } from '../../../server/plugins/metadata.ts';
import type { Query } from '../../../server/query.ts';
import type { ClusterObject } from '../../../zones/kubernetes/objects.ts';
import { nameUnder, nameFrom, wireLabel, type Name } from '../../../zones/name.ts';
import { storeOf } from '../../support/cluster-zone.ts';
import { EXAMPLE_OBJECTS, pod } from '../../support/example-cluster.ts';
import { optionsFrom } from '../../support/directive.ts';
import { TEST_PEER, testContext, testExchange, testQuery } from '../../support/plugin-context.ts';

/** The line that a block with these plugins writes. */
function lineFor(query: Query, format: string, body = '', objects: readonly ClusterObject[] = EXAMPLE_OBJECTS): string {
  const { context, lines } = testContext({ cluster: () => storeOf(objects) });
  metadata.layer?.(optionsFrom(metadata, 'metadata'), context);
  const write = log.observer?.(optionsFrom(log, `log . "${format}"`), context);
  kubernetes.layer?.(optionsFrom(kubernetes, `kubernetes cluster.local in-addr.arpa {\n${body}\n}`), context);
  write?.(testExchange(query));
  return lines[0]?.replace('info  ', '') ?? '';
}

const PARTS = ['kind', 'namespace', 'service', 'endpoint', 'protocol', 'port-name', 'parse-error']
  .map((part) => `{/kubernetes/${part}}`)
  .join(' ');

for (const { name, expected } of [
  { name: 'web.prod.svc.cluster.local', expected: 'svc prod web - - - -' },
  { name: 'WEB.Prod.SVC.Cluster.Local', expected: 'svc prod web - - - -' },
  { name: 'db-0.db.prod.svc.cluster.local', expected: 'svc prod db db-0 - - -' },
  { name: '_http._tcp.web.prod.svc.cluster.local', expected: 'svc prod web - tcp http -' },
  { name: 'http.tcp.web.prod.svc.cluster.local', expected: 'svc prod web - tcp http -' },
  { name: '_.__tcp.web.prod.svc.cluster.local', expected: 'svc prod web - _tcp - -' },
  { name: 'prod.svc.cluster.local', expected: 'svc prod - - - - -' },
  { name: 'nosuch.nons.svc.cluster.local', expected: 'svc nons nosuch - - - -' },
  { name: '10-244-1-5.prod.pod.cluster.local', expected: 'pod prod 10-244-1-5 - - - -' },
  { name: 'svc.cluster.local', expected: '- - - - - - -' },
  { name: 'cluster.local', expected: '- - - - - - -' },
  { name: 'www.cluster.local', expected: '- - - - - - invalid query name' },
  { name: 'ns.dns.cluster.local', expected: '- - - - - - invalid query name' },
  { name: 'a.b.c.web.prod.svc.cluster.local', expected: '- - - - - - invalid query name' },
  // CoreDNS calls every name of an address invalid.
  { name: '1.0.96.10.in-addr.arpa', expected: '- - - - - - -' },
  { name: 'www.example.org', expected: '- - - - - - -' },
]) {
  test(`${name}: ${expected}`, (t) => {
    t.is(lineFor(testQuery(name), PARTS), expected);
  });
}

const MORE = ['service', 'endpoint', 'cluster', 'zone', 'protocol', 'parse-error']
  .map((part) => `{/kubernetes/${part}}`)
  .join(' ');

for (const { name, body, expected } of [
  { name: 'db-0.east.db.prod.svc.cluster.local', body: 'multicluster cluster.local', expected: 'db db-0 east - - -' },
  { name: '_pg._tcp.db.prod.svc.cluster.local', body: 'multicluster cluster.local', expected: 'db - - - tcp -' },
  { name: 'db-0.east.db.prod.svc.cluster.local', body: '', expected: 'db - - - east -' },
  { name: 'eu-1.pin._zone.db.prod.svc.cluster.local', body: 'zonal', expected: 'db - - eu-1 - -' },
  { name: 'a.b.c.prefer._ZONE.db.prod.svc.cluster.local', body: 'zonal', expected: 'db - - a.b.c - -' },
  { name: 'eu-1.pin._zone.db.prod.svc.cluster.local', body: '', expected: '- - - - - invalid query name' },
  { name: 'pin._zone.db.prod.svc.cluster.local', body: 'zonal', expected: 'db - - - - -' },
]) {
  test(`${body === '' ? 'neither zonal nor multicluster' : body}: ${name}: ${expected}`, (t) => {
    t.is(lineFor(testQuery(name), MORE, body), expected);
  });
}

const CLIENT = '{/kubernetes/client-namespace} {/kubernetes/client-pod-name} {/kubernetes/client-label/app}';

for (const { title, address, body, objects, expected } of [
  { title: 'a known pod', address: '10.244.1.5', body: 'pods verified', expected: 'prod web-1 -' },
  { title: 'a known pod, IPv6', address: 'fd00:244::7', body: 'pods verified', expected: 'prod p6 -' },
  { title: 'nobody known', address: '192.0.2.7', body: 'pods verified', expected: '- - -' },
  { title: 'pods are not watched', address: '10.244.1.5', body: 'pods insecure', expected: '- - -' },
  {
    // CoreDNS issue 3765: status.podIP is one family only.
    title: 'the second address of a pod',
    address: '2001:db8::1',
    body: 'pods verified',
    objects: [pod('prod/dual', '10.244.1.9', '2001:db8::1')],
    expected: 'prod dual -',
  },
  {
    // CoreDNS names any of them.
    title: "pods on the host's network",
    address: '192.0.2.7',
    body: 'pods verified',
    objects: [{ ...pod('kube-system/proxy', '192.0.2.7'), hostNetwork: true }],
    expected: '- - -',
  },
]) {
  test(`the client: ${title}`, (t) => {
    const query = testQuery('www.example.org', 'A', { peer: { ...TEST_PEER, address } });
    t.is(lineFor(query, CLIENT, body, objects), expected);
  });
}

test('no name that a client can send makes a second line, a blank, a quote or a control character', (t) => {
  const labels = fc.array(fc.uint8Array({ minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 6 });
  const kind = fc.constantFrom('svc', 'pod', 'x');
  fc.assert(
    fc.property(labels, kind, (octets, last) => {
      const front = [...octets.map((label) => String.fromCharCode(...label)), last].map(wireLabel).join('');
      const name = nameUnder(front, nameFrom('cluster.local')) as Name; // at most 6 * 21 octets in front
      const question = { ...testQuery('.').question, name };
      t.regex(
        lineFor(testQuery('.', 'A', { question }), PARTS),
        /^(?:(?:[\x21\x23-\x7e]|\\")+ ){6}(?:-|invalid query name)$/,
      );
    }),
  );
});
