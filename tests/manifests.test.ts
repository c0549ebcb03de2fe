/** The manifests that replace CoreDNS: names that others rely on, least rights, and a pod that is as locked up as it can be. */

import { readFileSync, readdirSync } from 'node:fs';

import test from 'ava';
import { parseAllDocuments } from 'yaml';

type Json = { readonly [key: string]: Json } & readonly Json[] & string & number & boolean;

const BASE = 'manifests/base';
const listed = parse('kustomization.yaml')[0]?.['resources'] as unknown as readonly string[];
const objects = listed.flatMap((file) => parse(file));

function parse(file: string, folder = BASE): Json[] {
  return parseAllDocuments(readFileSync(`${folder}/${file}`, 'utf8')).map((document) => {
    if ('errors' in document && document.errors.length > 0) throw document.errors[0];
    return document.toJS() as Json;
  });
}

function one(kind: string): Json {
  const found = objects.filter((object) => (object['kind'] as unknown) === kind);
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} objects of kind ${kind}`);
  return found[0];
}

function at(object: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[String(key)], object);
}

test('the kustomization names every file', (t) => {
  t.deepEqual(
    listed.toSorted(),
    readdirSync(BASE)
      .filter((name) => name !== 'kustomization.yaml')
      .toSorted(),
  );
});

test('the objects have the names that kubelet, kubeadm and dashboards look for', (t) => {
  t.deepEqual(
    objects.map((object) => `${String(object['kind'])} ${String(at(object, 'metadata', 'name'))}`).toSorted(),
    [
      'ClusterRole system:coredns',
      'ClusterRoleBinding system:coredns',
      'ConfigMap coredns',
      'Deployment coredns',
      'Service kube-dns',
      'ServiceAccount coredns',
    ],
  );
  t.is(at(one('Service'), 'spec', 'selector', 'k8s-app'), 'kube-dns');
  t.is(at(one('Deployment'), 'spec', 'template', 'metadata', 'labels', 'k8s-app'), 'kube-dns');
});

test('the role may list and watch what is read, and nothing else', (t) => {
  t.deepEqual(at(one('ClusterRole'), 'rules'), [
    { apiGroups: [''], resources: ['services', 'namespaces', 'pods'], verbs: ['list', 'watch'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
  ]);
});

test('what multicluster needs beside the base: its own role for the same account', (t) => {
  const folder = 'manifests/multicluster';
  t.deepEqual(parse('kustomization.yaml', folder)[0]?.['resources'], ['../base', 'rbac.yaml']);
  const [role, binding] = parse('rbac.yaml', folder);
  t.deepEqual(at(role, 'rules'), [
    { apiGroups: ['multicluster.x-k8s.io'], resources: ['serviceimports'], verbs: ['list', 'watch'] },
  ]);
  t.is(at(binding, 'roleRef', 'name'), at(role, 'metadata', 'name'));
  t.deepEqual(at(binding, 'subjects'), at(one('ClusterRoleBinding'), 'subjects'));
});

test('the pod is not root, cannot gain rights, has one capability and a read-only root', (t) => {
  const pod = at(one('Deployment'), 'spec', 'template', 'spec');
  t.deepEqual(at(pod, 'containers', 0, 'securityContext'), {
    runAsNonRoot: true,
    runAsUser: 65532,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
  });
  t.is(at(pod, 'securityContext', 'seccompProfile', 'type'), 'RuntimeDefault');
  t.is(at(pod, 'dnsPolicy'), 'Default');
  t.is(at(pod, 'priorityClassName'), 'system-cluster-critical');
});

test('probes, ports and the service fit each other', (t) => {
  const container = at(one('Deployment'), 'spec', 'template', 'spec', 'containers', 0);
  const ports = at(container, 'ports') as readonly { name: string; containerPort: number; protocol: string }[];
  t.deepEqual(
    ports.map(({ name, containerPort, protocol }) => `${name} ${containerPort} ${protocol}`),
    ['dns 53 UDP', 'dns-tcp 53 TCP', 'metrics 9153 TCP', 'liveness-probe 8080 TCP', 'readiness-probe 8181 TCP'],
  );
  t.deepEqual(at(container, 'livenessProbe', 'httpGet'), { path: '/health', port: 'liveness-probe' });
  t.deepEqual(at(container, 'readinessProbe', 'httpGet'), { path: '/ready', port: 'readiness-probe' });
});

test("the Corefile is kubeadm's, with search lists completed", (t) => {
  const words = (text: string): string[] => text.split(/\s+/).filter(Boolean);
  const corefile = String(at(one('ConfigMap'), 'data', 'Corefile'));
  t.true(corefile.includes('autopath @kubernetes\n'));
  const others = corefile.replace('autopath @kubernetes\n', '');
  t.deepEqual(words(others), words(readFileSync('fixtures/corefiles/kubeadm', 'utf8').replaceAll(/#.*$/gm, '')));
});
