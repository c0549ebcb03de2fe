/** Sources with every kind of credentials, against a real small API server, and files that are rotated under them. */

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test, { type ExecutionContext } from 'ava';

import { openApiSource, type ApiSourceOptions } from '../../../../zones/kubernetes/api/api-source.ts';
import {
  endpointCredentials,
  inClusterCredentials,
  SourceError,
} from '../../../../zones/kubernetes/api/credentials.ts';
import { ClusterRecorder } from '../../../support/cluster-recorder.ts';
import { FakeApiServer } from '../../../support/fake-api-server.ts';
import { ManualTime } from '../../../support/manual-time.ts';
import { rawNamespace, rawService } from '../../../support/raw-objects.ts';
import { sourceOptions } from '../../../support/source-options.ts';

const TLS = fileURLToPath(new URL('../../../../fixtures/tls', import.meta.url));
const SERVER = { cert: pem('server.crt'), key: pem('server.key') };
const OTHER_SERVER = { cert: pem('other-server.crt'), key: pem('other-server.key') };

function pem(file: string): string {
  return readFileSync(join(TLS, file), 'utf8');
}

function folder(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'fivedots-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
}

async function server(t: ExecutionContext, tls?: FakeApiServer['tls']): Promise<FakeApiServer> {
  const api = await FakeApiServer.start(tls === undefined ? {} : { tls });
  api.put(rawNamespace('shop'));
  api.put(rawService('shop', 'cart'));
  t.teardown(() => api.close());
  return api;
}

type Opened = { cluster: ClusterRecorder; time: ManualTime; close: () => void };

function open(
  t: ExecutionContext,
  from: ApiSourceOptions['from'],
  environment: { variables?: Record<string, string>; serviceAccount?: string } = {},
): Opened {
  const cluster = new ClusterRecorder();
  const time = new ManualTime();
  const options = { ...sourceOptions({ podNames: false }), from };
  const source = openApiSource(options, cluster, { version: '1', variables: {}, time, ...environment });
  t.teardown(() => source.close());
  return { cluster, time, close: () => source.close() };
}

/** A service account's folder. */
function account(t: ExecutionContext, token: string, ca = 'ca.crt'): string {
  const path = folder(t);
  writeFileSync(join(path, 'token'), `${token}\n`);
  writeFileSync(join(path, 'ca.crt'), pem(ca));
  return path;
}

function inCluster(t: ExecutionContext, api: FakeApiServer, serviceAccount: string): Opened {
  const variables = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(api.port) };
  return open(t, { kind: 'in-cluster' }, { variables, serviceAccount });
}

async function follows(api: FakeApiServer, { cluster }: Opened, name: string): Promise<void> {
  api.put(rawService('shop', name));
  await cluster.when(() => cluster.get('Service', 'shop', name) !== undefined);
}

test('13, 23: in the cluster, token and CA come from the service account, and a new token is used at once', async (t) => {
  const api = await server(t, SERVER);
  api.token = 'first';
  const serviceAccount = account(t, 'first');
  const opened = inCluster(t, api, serviceAccount);
  const { cluster, time } = opened;
  await cluster.when(() => cluster.isSynced('Service') && cluster.isSynced('Namespace'));
  t.true(api.log.every(({ headers }) => headers.authorization === 'Bearer first'));
  api.token = 'second';
  writeFileSync(join(serviceAccount, 'token'), 'second');
  time.advance(2000);
  api.endWatches();
  await follows(api, opened, 'new');
  t.deepEqual(time.pauses, []);
  t.is(cluster.count('replace', 'Service'), 1);
  t.deepEqual(cluster.told, []);
});

test('13: a token that was replaced is read after a minute without waiting for a refusal', async (t) => {
  const time = new ManualTime();
  const serviceAccount = account(t, 'first');
  const variables = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };
  const credentials = inClusterCredentials({ variables, serviceAccount }, time);
  t.teardown(() => credentials.close());
  const first = await credentials.connection();
  writeFileSync(join(serviceAccount, 'token'), 'second');
  time.advance(59_999);
  t.is(await credentials.connection(), first);
  time.advance(1);
  const second = await credentials.connection();
  t.is(second.headers.get('Authorization'), 'Bearer second');
  t.is(second.agent, first.agent);
  time.advance(60_000);
  t.is(await credentials.connection(), second);
  t.true(await credentials.renew(first));
  t.false(await credentials.renew(second));
});

test('28: a token file that is missing for a while changes nothing', async (t) => {
  const api = await server(t, SERVER);
  api.token = 'first';
  const serviceAccount = account(t, 'first');
  const opened = inCluster(t, api, serviceAccount);
  const { cluster, time } = opened;
  await cluster.when(() => cluster.isSynced('Service') && cluster.isSynced('Namespace'));
  rmSync(join(serviceAccount, 'token'));
  time.advance(60_000);
  api.endWatches();
  await follows(api, opened, 'new');
  api.token = 'second';
  time.advance(60_000);
  api.endWatches();
  await cluster.when(() => cluster.told.length > 0);
  t.regex(
    cluster.told[0] ?? '',
    /no credentials for the API server: .*token cannot be read; the last known state is served/,
  );
  writeFileSync(join(serviceAccount, 'token'), 'second');
  await follows(api, opened, 'newer');
  t.is(cluster.count('replace', 'Service'), 1);
});

test('27: a CA that was replaced is trusted once the file says so', async (t) => {
  const api = await server(t, SERVER);
  api.token = 'first';
  const serviceAccount = account(t, 'first');
  const opened = inCluster(t, api, serviceAccount);
  const { cluster } = opened;
  await cluster.when(() => cluster.isSynced('Service') && cluster.isSynced('Namespace'));
  await api.down();
  api.tls = OTHER_SERVER;
  await api.up();
  await cluster.when(() => cluster.told.length > 0);
  t.regex(cluster.told[0] ?? '', /cannot reach the API server at https:.*(certificate|issuer)/);
  writeFileSync(join(serviceAccount, 'ca.crt'), pem('other-ca.crt'));
  await follows(api, opened, 'new');
  t.is(cluster.count('replace', 'Service'), 1);
});

for (const [name, variables, files, message] of [
  ['no variables', {}, ['token', 'ca.crt'], /KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set/],
  [
    'no token',
    { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' },
    ['ca.crt'],
    /token cannot be read/,
  ],
  [
    'no CA',
    { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' },
    ['token'],
    /ca\.crt cannot be read/,
  ],
] as const) {
  test(`outside a cluster (${name}) a source does not start and says what to use instead`, (t) => {
    const serviceAccount = folder(t);
    for (const file of files) writeFileSync(join(serviceAccount, file), 'x');
    const error = t.throws(() => open(t, { kind: 'in-cluster' }, { variables, serviceAccount }), {
      instanceOf: SourceError,
    });
    t.regex(error?.message ?? '', message);
    t.regex(error?.message ?? '', /^fivedots is not running in a cluster: .*`kubeconfig`.*`endpoint`.*`manifests`$/);
  });
}

test('an IPv6 address of the API server is put in brackets', async (t) => {
  const variables = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' };
  const credentials = inClusterCredentials({ variables, serviceAccount: account(t, 'x') }, new ManualTime());
  t.is((await credentials.connection()).server.href, 'https://[fd00::1]:6443/');
});

test('an endpoint with client certificates is read', async (t) => {
  const api = await server(t, { ...SERVER, ca: pem('ca.crt') });
  const tls = { cert: join(TLS, 'client.crt'), key: join(TLS, 'client.key'), ca: join(TLS, 'ca.crt') };
  const opened = open(t, { kind: 'endpoint', url: api.url, tls });
  await opened.cluster.when(() => opened.cluster.isSynced('Service'));
  await follows(api, opened, 'new');
  t.deepEqual(opened.cluster.told, []);
});

test('a server whose CA is unknown is not believed', async (t) => {
  const api = await server(t, SERVER);
  const tls = { cert: join(TLS, 'client.crt'), key: join(TLS, 'client.key'), ca: join(TLS, 'other-ca.crt') };
  const { cluster } = open(t, { kind: 'endpoint', url: api.url, tls });
  await cluster.when(() => cluster.told.length > 0);
  t.regex(cluster.told[0] ?? '', /^error: cannot reach the API server at https:.*(certificate|issuer)/);
  t.is(api.log.length, 0);
});

for (const [name, from, message] of [
  ['no URL', { kind: 'endpoint', url: '10.96.0.1', tls: undefined }, /is not the URL of an API server/],
  ['another scheme', { kind: 'endpoint', url: 'ftp://10.96.0.1', tls: undefined }, /is not the URL of an API server/],
  [
    'a certificate that is missing',
    {
      kind: 'endpoint',
      url: 'https://10.96.0.1',
      tls: { cert: '/nowhere/cert', key: '/nowhere/key', ca: '/nowhere/ca' },
    },
    /\/nowhere\/cert cannot be read/,
  ],
  [
    'a kubeconfig that is missing',
    { kind: 'kubeconfig', file: '/nowhere/config', context: undefined },
    /\/nowhere\/config cannot be read/,
  ],
] as const) {
  test(`a source does not start with ${name}`, (t) => {
    const error = t.throws(() => open(t, from), { instanceOf: SourceError });
    t.regex(error?.message ?? '', message);
  });
}

test('secrets in an endpoint URL are in no message', (t) => {
  const from = { kind: 'endpoint', url: 'https://me:secret@10.96.0.1', tls: undefined } as const;
  t.is(endpointCredentials(from, new ManualTime()).place, 'https://10.96.0.1');
  for (const url of ['me:secret@10.96.0.1:443', 'htps://me:secret@10.96.0.1', 'https://me:sec@ret@10.96.0.1:x']) {
    const error = t.throws(() => endpointCredentials({ ...from, url }, new ManualTime()), { instanceOf: SourceError });
    t.regex(error?.message ?? '', /^"…@10\.96\.0\.1\S* is not the URL/);
  }
});

type Kubeconfig = { cluster: object; user: object };

/** A kubeconfig with one context of that content, and another that leads nowhere. JSON is YAML. */
function kubeconfig(t: ExecutionContext, { cluster, user }: Kubeconfig): string {
  const file = join(folder(t), 'config');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'test', cluster },
      { name: 'away', cluster: { server: 'http://127.0.0.1:1' } },
    ],
    users: [{ name: 'me', user }],
    contexts: [
      { name: 'here', context: { cluster: 'test', user: 'me' } },
      { name: 'there', context: { cluster: 'away', user: 'me' } },
    ],
    'current-context': 'there',
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

test('a kubeconfig with CA and token is read in the context that was asked for', async (t) => {
  const api = await server(t, SERVER);
  api.token = 'secret';
  const file = kubeconfig(t, {
    cluster: { server: api.url, 'certificate-authority': join(TLS, 'ca.crt') },
    user: { token: 'secret' },
  });
  const opened = open(t, { kind: 'kubeconfig', file, context: 'here' });
  await opened.cluster.when(() => opened.cluster.isSynced('Service'));
  await follows(api, opened, 'new');
  t.deepEqual(opened.cluster.told, []);
});

test('a kubeconfig with client certificates is read, also over a tunnel through a proxy', async (t) => {
  const api = await server(t, { ...SERVER, ca: pem('ca.crt') });
  const tunnels: string[] = [];
  const sockets: Socket[] = [];
  const proxy = createHttpServer().on('connect', (request, client: Socket) => {
    tunnels.push(request.url ?? '');
    const upstream = connect(api.port, '127.0.0.1', () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
    sockets.push(upstream, client);
    for (const socket of [upstream, client]) socket.on('error', () => {});
    upstream.pipe(client).pipe(upstream);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    proxy.close();
    for (const socket of sockets) socket.destroy();
  });
  const file = kubeconfig(t, {
    cluster: {
      server: api.url,
      'certificate-authority-data': Buffer.from(pem('ca.crt')).toString('base64'),
      'proxy-url': `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    },
    user: { 'client-certificate': join(TLS, 'client.crt'), 'client-key': join(TLS, 'client.key') },
  });
  const opened = open(t, { kind: 'kubeconfig', file, context: 'here' });
  await opened.cluster.when(() => opened.cluster.isSynced('Service') && opened.cluster.isSynced('Namespace'));
  await follows(api, opened, 'new');
  t.deepEqual(tunnels, [`127.0.0.1:${api.port}`, `127.0.0.1:${api.port}`]);
});

test("a kubeconfig's program is asked for another token when the last one is refused", async (t) => {
  const api = await server(t);
  api.token = 'first';
  const tokenFile = join(folder(t), 'token');
  writeFileSync(tokenFile, 'first');
  const program = `const token = require('node:fs').readFileSync(${JSON.stringify(tokenFile)}, 'utf8');
    console.log(JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token } }))`;
  const file = kubeconfig(t, {
    cluster: { server: api.url },
    user: { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: ['-e', program] } },
  });
  const opened = open(t, { kind: 'kubeconfig', file, context: 'here' });
  const { cluster, time } = opened;
  await cluster.when(() => cluster.isSynced('Service') && cluster.isSynced('Namespace'));
  api.token = 'second';
  writeFileSync(tokenFile, 'second');
  time.advance(2000);
  api.endWatches();
  await follows(api, opened, 'new');
  t.deepEqual(time.pauses, []);
  t.is(cluster.count('replace', 'Service'), 1);
});

test('a kubeconfig that is changed is read again without waiting for a refusal', async (t) => {
  const first = await server(t);
  const second = await server(t);
  second.put(rawService('shop', 'moved'));
  const file = kubeconfig(t, { cluster: { server: first.url }, user: {} });
  const opened = open(t, { kind: 'kubeconfig', file, context: 'here' });
  const { cluster, time } = opened;
  await cluster.when(() => cluster.isSynced('Service') && cluster.isSynced('Namespace'));
  const changed = kubeconfig(t, { cluster: { server: second.url }, user: {} });
  const before = statSync(file).mtimeMs;
  while (statSync(file).mtimeMs === before) writeFileSync(file, readFileSync(changed));
  time.advance(2000);
  first.endWatches();
  await cluster.when(() => cluster.get('Service', 'shop', 'moved') !== undefined);
  t.deepEqual(cluster.told, []);
});

test('what a kubeconfig and its exec plugin have in them is in no message', async (t) => {
  const broken = kubeconfig(t, { cluster: { server: 'http://127.0.0.1:1' }, user: {} });
  writeFileSync(broken, 'users:\n- name: a\n  user:\n    token: "a-secret\n   b: [}\n');
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'echo', args: ['a-secret'] };
  const talkative = kubeconfig(t, { cluster: { server: 'https://127.0.0.1:1' }, user: { exec } });
  for (const [file, why] of [
    [broken, /\(\d+:\d+\); cluster names/],
    [talkative, /no JSON; cluster names/],
  ] as const) {
    const { cluster } = open(t, { kind: 'kubeconfig', file, context: undefined });
    await cluster.when(() => cluster.told.length > 0);
    t.regex(cluster.told[0] ?? '', why);
    t.false(cluster.told.some((text) => text.includes('a-secret')));
  }
});

for (const [name, text, message] of [
  ['is no YAML', '{{{', /gives no credentials/],
  ['is empty', '', /gives no credentials/],
  [
    'has not that context',
    JSON.stringify({ clusters: [], users: [], contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }] }),
    /context "here".*these contexts: x/,
  ],
] as const) {
  test(`a kubeconfig that ${name} is said once, and read as soon as it is right`, async (t) => {
    const api = await server(t);
    const good = kubeconfig(t, { cluster: { server: api.url }, user: {} });
    const file = join(folder(t), 'config');
    writeFileSync(file, text);
    const { cluster } = open(t, { kind: 'kubeconfig', file, context: 'here' });
    await cluster.when(() => cluster.reports.length >= 4);
    t.is(cluster.told.length, 1);
    t.regex(cluster.told[0] ?? '', message);
    writeFileSync(file, readFileSync(good));
    await cluster.when(() => cluster.isSynced('Service'));
    t.deepEqual(cluster.names('Service'), ['shop/cart']);
  });
}

test('close ends every watch', async (t) => {
  const api = await server(t);
  const { cluster, time, close } = open(t, { kind: 'endpoint', url: api.url, tls: undefined });
  await cluster.when(() => cluster.isSynced('Service') && cluster.isSynced('Namespace'));
  t.is(api.watching, 2);
  close();
  while (api.watching > 0) await new Promise((resolve) => setImmediate(resolve));
  t.is(time.deadlines, 0);
});
