/** The directive `kubernetes`: what is taken, what is refused and why. */

import { resolve } from 'node:path';

import test from 'ava';

import { kubernetes } from '../../../server/plugins/kubernetes.ts';
import type { KubernetesOptions } from '../../../server/plugins/kubernetes-options.ts';
import { present } from '../../../zones/name.ts';
import { blockFrom, faultOf, optionsFrom } from '../../support/directive.ts';
import { NO_LIMITS } from '../../support/no-limits.ts';

function optionsWith(body: string, zones = 'cluster.local'): KubernetesOptions {
  return optionsFrom(kubernetes, `kubernetes ${zones} {\n${body}\n}`);
}

test('without options: the values of CoreDNS', (t) => {
  const options = optionsFrom(kubernetes, 'kubernetes cluster.local');
  const source = {
    from: { kind: 'in-cluster' },
    pods: false,
    endpointSlices: true,
    labels: '',
    namespaceLabels: '',
    requests: NO_LIMITS,
  };
  t.deepEqual(options, {
    zones: options.zones,
    primary: options.primary,
    ttl: 5,
    namespaces: [],
    pods: 'disabled',
    endpointPodNames: false,
    ignoreEmptyService: false,
    fallthrough: [],
    source,
    cluster: JSON.stringify(source),
    startupTimeout: 5000,
    warnings: [],
  } as KubernetesOptions);
  t.is(present(options.primary), 'cluster.local.');
});

const taken: readonly [string, Partial<KubernetesOptions>][] = [
  ['ttl 0', { ttl: 0 }],
  ['ttl 3600', { ttl: 3600 }],
  ['pods insecure', { pods: 'insecure' }],
  ['pods verified', { pods: 'verified' }],
  ['endpoint_pod_names', { endpointPodNames: true }],
  ['ignore empty_service', { ignoreEmptyService: true }],
  ['namespaces a b\nnamespaces c', { namespaces: ['a', 'b', 'c'] }],
  ['startup_timeout 1m30s', { startupTimeout: 90_000 }],
];

for (const [body, expected] of taken) {
  test(`taken: ${body.replaceAll('\n', ' / ')}`, (t) => t.like(optionsWith(body), expected));
}

const sources: readonly [string, Partial<KubernetesOptions['source']>][] = [
  ['pods verified', { pods: true }],
  ['pods insecure', { pods: false }],
  ['noendpoints', { endpointSlices: false }],
  ['labels app=web, tier in (front, back)', { labels: 'app=web, tier in (front, back)' }],
  ['namespace_labels env=prod', { namespaceLabels: 'env=prod' }],
  [
    'apiserver_qps 100\napiserver_burst 200\napiserver_max_inflight 0',
    { requests: { perSecond: 100, burst: 200, inFlight: 0 } },
  ],
  ['endpoint http://192.0.2.1:8080', { from: { kind: 'endpoint', url: 'http://192.0.2.1:8080', tls: undefined } }],
  [
    'endpoint https://192.0.2.1\ntls a.crt a.key ca.crt',
    { from: { kind: 'endpoint', url: 'https://192.0.2.1', tls: { cert: 'a.crt', key: 'a.key', ca: 'ca.crt' } } },
  ],
  ['kubeconfig admin.conf', { from: { kind: 'kubeconfig', file: 'admin.conf', context: undefined } }],
  [
    'endpoint http://192.0.2.1\nkubeconfig admin.conf prod',
    { from: { kind: 'kubeconfig', file: 'admin.conf', context: 'prod' } },
  ],
  ['manifests /srv/cluster', { from: { kind: 'manifests', folder: '/srv/cluster' } }],
  // Beside the Corefile, which here has no directory of its own.
  ['manifests cluster', { from: { kind: 'manifests', folder: resolve('cluster') } }],
];

for (const [body, expected] of sources) {
  test(`source: ${body.replaceAll('\n', ' / ')}`, (t) => t.like(optionsWith(body).source, expected));
}

test('equal sources have equal keys, others do not, and what is no matter of the source does not count', (t) => {
  const plain = optionsWith('').cluster;
  t.is(optionsWith('ttl 30\npods insecure\nfallthrough', 'a.local b.local').cluster, plain);
  for (const [body] of sources) if (body !== 'pods insecure') t.not(optionsWith(body).cluster, plain, body);
});

test('zones: those of the server block where none are written', (t) => {
  const { directives, ...head } = blockFrom('cluster.local in-addr.arpa {\nkubernetes\n}\n');
  const [directive] = directives;
  if (directive === undefined) return t.fail();
  t.deepEqual(kubernetes.parse([directive], head).zones.map(present), ['cluster.local.', 'in-addr.arpa.']);
});

test('zones: networks are their reverse zones', (t) => {
  const { zones } = optionsWith('', 'cluster.local 10.96.0.0/15');
  t.deepEqual(zones.map(present), ['cluster.local.', '96.10.in-addr.arpa.', '97.10.in-addr.arpa.']);
});

test('zones: the primary one is the first that is not reverse, in-addr.arpa and ip6.arpa included', (t) => {
  t.is(present(optionsWith('', 'in-addr.arpa ip6.arpa 10.in-addr.arpa b.local c.local').primary), 'b.local.');
  t.is(present(optionsWith('', 'in-addr.arpa notin-addr.arpa').primary), 'notin-addr.arpa.');
});

test('fallthrough: all names, or some zones', (t) => {
  t.deepEqual(optionsWith('fallthrough').fallthrough.map(present), ['.']);
  t.deepEqual(optionsWith('fallthrough in-addr.arpa a.local').fallthrough.map(present), ['in-addr.arpa.', 'a.local.']);
});

const refused: readonly [string, RegExp][] = [
  ['ttl', /^Corefile:3:\d+: .*ttl SECONDS/],
  ['ttl -1', /whole number from 0 to 3600/],
  ['ttl 3601', /whole number from 0 to 3600/],
  ['ttl 30s', /whole number/],
  ['ttl 30 60', /"60"/],
  ['pods', /pods MODE/],
  ['pods on', /"on", expected disabled, insecure or verified/],
  ['pods insecure verified', /"verified"/],
  ['endpoint_pod_names yes', /"yes"/],
  ['noendpoints yes', /"yes"/],
  ['ignore', /ignore empty_service/],
  ['ignore nothing', /"nothing", expected empty_service/],
  ['namespaces', /namespaces NAMESPACE/],
  ['namespaces a\nnamespace_labels b=c', /^Corefile:4:\d+: .*cannot both be set/],
  ['namespace_labels b=c\nnamespaces a', /^Corefile:4:\d+: .*cannot both be set/],
  ['namespace_labels', /namespace_labels SELECTOR/],
  ['labels a=b=c', /not a label requirement/],
  ['endpoint', /endpoint URL/],
  ['tls a b', /tls CERT KEY CA/],
  ['tls a b c d', /"d"/],
  ['kubeconfig', /kubeconfig FILE/],
  ['kubeconfig a b c', /"c"/],
  ['manifests', /manifests DIRECTORY/],
  ['apiserver_qps -1', /whole number/],
  ['apiserver_burst', /apiserver_burst NUMBER/],
  ['startup_timeout 5', /duration with its unit/],
  ['startup_timeout -5s', /at least/],
  ['zonal', /not supported yet/],
  ['multicluster clusterset.local', /not supported yet/],
  ['transfer to *', /"transfer", which is not an option of kubernetes, expected namespaces, .* or startup_timeout/],
  ['upstream', /not an option of kubernetes/],
  ['pod verified', /did you mean "pods"/],
  ['constructor', /not an option of kubernetes/],
];

for (const [body, message] of refused) {
  test(`refused: ${body.replaceAll('\n', ' / ')}`, (t) => {
    t.regex(faultOf(kubernetes, `kubernetes cluster.local {\n${body}\n}`) ?? 'it is taken', message);
  });
}

test('refused: twice in a block', (t) => {
  t.regex(faultOf(kubernetes, 'kubernetes a.local\nkubernetes b.local') ?? '', /^Corefile:3:1: .*only be used once/);
});

test('refused: reverse zones only, for their names must point somewhere', (t) => {
  t.regex(faultOf(kubernetes, 'kubernetes in-addr.arpa ip6.arpa') ?? '', /^Corefile:2:12: .*such as cluster\.local/);
});

test('refused: a zone without room for its SOA record', (t) => {
  const zone = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.e`;
  t.regex(faultOf(kubernetes, `kubernetes ${zone}`) ?? '', /too long/);
});
