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

function primaryOf({ primary }: KubernetesOptions): string | undefined {
  return primary === undefined ? undefined : present(primary);
}

test('without options: the values of CoreDNS', (t) => {
  const options = optionsFrom(kubernetes, 'kubernetes cluster.local');
  const source = {
    from: { kind: 'in-cluster' },
    pods: false,
    endpointSlices: true,
    headlessOnly: false,
    imports: false,
    topologyZones: false,
    podNames: false,
    labels: '',
    namespaceLabels: '',
    requests: NO_LIMITS,
  };
  t.deepEqual(options, {
    zones: options.zones,
    primary: options.primary,
    multicluster: [],
    ttl: 5,
    namespaces: [],
    pods: 'disabled',
    endpointPodNames: false,
    zonal: false,
    pointsToHostnamesOnly: false,
    ignoreEmptyService: false,
    fallthrough: [],
    source,
    cluster: JSON.stringify(source),
    snapshot: undefined,
    startupTimeout: 5000,
    warnings: [],
  } as KubernetesOptions);
  t.is(primaryOf(options), 'cluster.local.');
});

const taken: readonly [string, Partial<KubernetesOptions>][] = [
  ['ttl 0', { ttl: 0 }],
  ['ttl 3600', { ttl: 3600 }],
  ['pods insecure', { pods: 'insecure' }],
  ['pods verified', { pods: 'verified' }],
  ['endpoint_pod_names', { endpointPodNames: true }],
  ['ignore empty_service', { ignoreEmptyService: true }],
  ['zonal', { zonal: true }],
  ['ptr hostname-only', { pointsToHostnamesOnly: true }],
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
  ['endpoints headless', { endpointSlices: true, headlessOnly: true }],
  ['endpoints headless\nzonal\nmulticluster cluster.local', { headlessOnly: true, imports: true }],
  ['multicluster cluster.local', { imports: true }],
  ['zonal', { topologyZones: true }],
  ['endpoint_pod_names', { podNames: true }],
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
  t.is(optionsWith('endpoints headless\nendpoints all').cluster, plain);
  for (const [body] of sources) if (body !== 'pods insecure') t.not(optionsWith(body).cluster, plain, body);
});

test('snapshot: a file beside the Corefile, and no part of the source', (t) => {
  const { snapshot, cluster } = optionsWith('snapshot state/cluster');
  t.deepEqual(snapshot, { file: resolve('state/cluster'), position: { file: 'Corefile', line: 3, column: 1 } });
  t.is(cluster, optionsWith('').cluster);
  t.is(optionsWith('snapshot /var/lib/fivedots/cluster').snapshot?.file, '/var/lib/fivedots/cluster');
});

const together: readonly [string, string, RegExp | undefined][] = [
  ['snapshot a', 'ttl 9\nsnapshot a', undefined],
  ['snapshot a', '', undefined],
  ['snapshot a', 'pods verified\nsnapshot b', undefined],
  [
    'snapshot a',
    'pods verified\nsnapshot ./a',
    /^Corefile:4:1: found ".*\/a", which keeps what another kubernetes block reads/,
  ],
  ['snapshot a', 'snapshot b', /^Corefile:3:1: found ".*\/b", but what this block reads is kept in ".*\/a" already/],
];

for (const [first, second, message] of together) {
  test(`snapshots in two blocks: ${JSON.stringify(first)} and ${JSON.stringify(second)}`, (t) => {
    const check = (): void => kubernetes.checkTogether?.([optionsWith(first), optionsWith(second)]);
    if (message === undefined) t.notThrows(check);
    else t.throws(check, { message });
  });
}

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
  t.is(primaryOf(optionsWith('', 'in-addr.arpa ip6.arpa 10.in-addr.arpa b.local c.local')), 'b.local.');
  t.is(primaryOf(optionsWith('', 'in-addr.arpa notin-addr.arpa')), 'notin-addr.arpa.');
});

test('zones: the primary one is none of the clusterset', (t) => {
  const zones = 'in-addr.arpa clusterset.local cluster.local';
  t.is(primaryOf(optionsWith('multicluster clusterset.local', zones)), 'cluster.local.');
  t.is(primaryOf(optionsWith('multicluster clusterset.local', 'clusterset.local in-addr.arpa')), undefined);
});

test('multicluster: zones of the plugin, in any case, on one line or several', (t) => {
  const { multicluster } = optionsWith('multicluster B.Local\nmulticluster c.local b.local', 'a.local b.local c.local');
  t.deepEqual(multicluster.map(present), ['b.local.', 'c.local.']);
});

test('fallthrough: all names, or some zones', (t) => {
  t.deepEqual(optionsWith('fallthrough').fallthrough.map(present), ['.']);
  t.deepEqual(optionsWith('fallthrough in-addr.arpa a.local').fallthrough.map(present), ['in-addr.arpa.', 'a.local.']);
});

const HERE = 'Corefile:3:';
const warned: readonly [string, string | undefined, Partial<KubernetesOptions>][] = [
  ['ttl 30', undefined, { ttl: 30 }],
  ['ttl 30 60 x', `${HERE} only the first argument of ttl is used; remove the others`, { ttl: 30 }],
  ['ignore', `${HERE} ignore has no effect without empty_service behind it`, { ignoreEmptyService: false }],
  ['multicluster', `${HERE} multicluster has no effect without zones behind it`, { multicluster: [] }],
  [
    'ignore empty_service x',
    `${HERE} only the first argument of ignore is used; remove the others`,
    { ignoreEmptyService: true },
  ],
  ['endpoint http://a http://b', `${HERE} only the first argument of endpoint is used; remove the others`, { ttl: 5 }],
];

// CoreDNS plugin/kubernetes: arguments that are too many or missing are no fault.
for (const [body, warning, expected] of warned) {
  test(`taken${warning === undefined ? '' : ' with a warning'}: ${body}`, (t) => {
    const options = optionsWith(body);
    t.deepEqual(options.warnings, warning === undefined ? [] : [warning]);
    t.like(options, expected);
  });
}

const refused: readonly [string, RegExp][] = [
  ['ttl', /^Corefile:3:\d+: .*ttl SECONDS/],
  ['ttl -1', /whole number from 0 to 3600/],
  ['ttl 3601', /whole number from 0 to 3600/],
  ['ttl 30s', /whole number/],
  ['pods', /pods MODE/],
  ['pods on', /"on", expected disabled, insecure or verified/],
  ['pods insecure verified', /"verified"/],
  ['endpoint_pod_names yes', /"yes"/],
  ['noendpoints yes', /"yes"/],
  ['endpoints', /endpoints all\|headless/],
  ['endpoints none', /"none", expected all or headless/],
  ['endpoints all headless', /"headless"/],
  [
    'noendpoints\nendpoints headless',
    /^Corefile:4:1: found "endpoints headless", but with noendpoints no endpoints are/,
  ],
  [
    'pods insecure\nendpoints headless\nignore empty_service',
    /^Corefile:4:1: found "endpoints headless", but ignore empty_service has to know .*; remove one of them$/,
  ],
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
  ['snapshot', /snapshot FILE/],
  ['snapshot a b', /"b"/],
  [
    'snapshot a\nmanifests b',
    /^Corefile:3:1: found "snapshot", but manifests are files themselves.*remove one of them$/,
  ],
  ['apiserver_qps -1', /whole number/],
  ['apiserver_burst', /apiserver_burst NUMBER/],
  ['startup_timeout 5', /duration with its unit/],
  ['startup_timeout -5s', /at least/],
  ['zonal yes', /"yes"/],
  ['pods insecure\nzonal\nnoendpoints', /^Corefile:4:1: found "zonal", but with noendpoints/],
  ['noendpoints\nzonal', /^Corefile:4:1: found "zonal", but with noendpoints/],
  [
    'multicluster cluster.local\nmulticluster cluster.local clusterset.local',
    /^Corefile:4:28: found "clusterset.local", expected one of the zones of this kubernetes: cluster\.local\.$/,
  ],
  ['multicluster local', /found "local", expected one of the zones/],
  ['ptr', /ptr hostname-only/],
  ['ptr all', /"all", expected hostname-only/],
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
