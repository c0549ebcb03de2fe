/** Host headers that are this server's own, and those of a page that wants to read what it must not. */

import test from 'ava';

import { isOwnHost } from '../../../server/control/own-host.ts';
import { nameFrom, ROOT } from '../../../zones/name.ts';

const ZONES = [nameFrom('k8s.example.com'), ROOT];

const CASES: readonly (readonly [string, boolean])[] = [
  ['127.0.0.1:9153', true],
  ['10.244.0.2', true],
  ['[::1]:9153', true],
  ['[2001:db8::1]', true],
  ['localhost', true],
  ['localhost:1082', true],
  ['LOCALHOST.', true],
  ['kube-dns', true],
  ['kube-dns.kube-system.svc:9153', true],
  ['kube-dns.kube-system.svc.cluster.local', true],
  ['kube-dns.kube-system.svc.k8s.example.com:9153', true],
  ['', true],
  ['evil.test', false],
  ['evil.test:9153', false],
  ['svc.evil.test', false],
  ['cluster.local.evil.test', false],
  ['k8s.example.com.evil.test', false],
  ['xk8s.example.com', false],
  ['127.0.0.1.nip.io', false],
  ['[::1].evil.test', false],
  [`${'a'.repeat(64)}.local`, false],
  ['evil.test\\.local', false],
];

for (const [host, expected] of CASES) {
  test(`Host ${JSON.stringify(host)} is ${expected ? '' : 'not '}the server's own`, (t) => {
    t.is(isOwnHost(host, ZONES), expected);
  });
}
