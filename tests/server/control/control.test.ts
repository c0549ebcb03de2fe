/** The control thread as a whole, with real data threads, sockets, files and HTTP. */

import { cp, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

import test, { type ExecutionContext } from 'ava';

import { configurationReader } from '../../../server/control/configuration.ts';
import { startControl, type Control, type ControlOptions } from '../../../server/control/control.ts';
import { sourceOpener } from '../../../server/control/sources.ts';
import { systemTimers } from '../../../server/control/timers.ts';
import { plugins } from '../../../server/plugins/order.ts';
import { exchange, serverAddressFrom } from '../../support/client.ts';
import { readExposition } from '../../support/exposition.ts';
import { asked, encodeQuery } from '../../support/query.ts';
import { ROOT } from '../../support/server.ts';

const DEMO = join(ROOT, 'fixtures/clusters/demo');

type Stage = {
  readonly control: Control;
  readonly lines: string[];
  readonly workers: Worker[];
  readonly corefile: (text: string) => Promise<void>;
  /** NOERROR is 0; the addresses of the answer. */
  readonly ask: (name: string, type?: string) => Promise<{ rcode: number; text: string }>;
  readonly get: (path: string) => Promise<{ status: number; body: string }>;
  /** Tries until it is true; a test that waits in vain fails by AVA's own limit. */
  readonly until: (isSo: () => boolean | Promise<boolean>) => Promise<void>;
};

const HEAD = ['.:0 {', 'bind 127.0.0.1', 'health 127.0.0.1:0', 'ready 127.0.0.1:0', 'prometheus 127.0.0.1:0'].join(
  '\n',
);

async function folderFor(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fivedots-control-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function started(t: ExecutionContext, corefile: string, changes: Partial<ControlOptions> = {}): Promise<Stage> {
  const folder = await folderFor(t);
  const path = join(folder, 'Corefile');
  await writeFile(path, corefile);
  const lines: string[] = [];
  const workers: Worker[] = [];
  const control = await startControl({
    read: configurationReader({ path, standardInput: () => '', environment: new Map(), defaultPort: 0, plugins }),
    plugins,
    start(memory, place) {
      const workerData = { ...memory, ...place };
      const worker = new Worker(new URL('../../../server/data/thread.ts', import.meta.url), { workerData });
      workers.push(worker);
      return worker;
    },
    open: sourceOpener({ version: 'test', variables: {} }),
    logger: {
      log: (level, source, text) => void lines.push(`${level} ${source}: ${text}`),
      print: (text) => void lines.push(text),
      dropped: () => 0,
      flush: () => Promise.resolve(),
    },
    timers: systemTimers,
    random: () => 0,
    surroundings: { platform: 'linux/x64', runtime: 'v26', revision: 'abc' },
    quiet: false,
    isDemo: false,
    ...changes,
  });
  t.teardown(() => control.stop({ lameduck: false }));
  return {
    control,
    lines,
    workers,
    corefile: (text) => writeFile(path, text),
    async ask(name, type = 'A') {
      const server = serverAddressFrom(control.listening[0] ?? '');
      const reply = await exchange(server, 'tcp', encodeQuery(7, asked(name, type)));
      return { rcode: reply.readUInt8(3) & 15, text: reply.toString('latin1') };
    },
    async get(path) {
      const { host, port } = control.boundTo(path) ?? { host: '', port: 0 };
      const reply = await fetch(`http://${host}:${port}${path}`);
      return { status: reply.status, body: await reply.text() };
    },
    async until(isSo) {
      while (!(await isSo())) await pause(20);
    },
  };
}

function sorted(texts: readonly string[]): string[] {
  return texts.toSorted((a, b) => a.localeCompare(b));
}

function octets(address: string): string {
  return String.fromCharCode(...address.split('.').map(Number));
}

test('start: queries over both transports, probes, figures, and a banner with what is served', async (t) => {
  const { control, lines, ask, get, until } = await started(t, `${HEAD}\nwhoami\nlog\n}\n`);
  t.is((await ask('example.org')).rcode, 0);
  const udp = await exchange(
    serverAddressFrom(control.listening[0] ?? ''),
    'udp',
    encodeQuery(9, asked('example.org', 'A')),
  );
  t.is(udp.readUInt8(3) & 15, 0);
  t.deepEqual(await get('/health'), { status: 200, body: 'OK' });
  t.deepEqual(await get('/ready'), { status: 200, body: 'OK' });
  const { body } = await get('/metrics');
  const requests = readExposition(body).get('coredns_dns_requests_total')?.samples ?? [];
  t.deepEqual(
    sorted(requests.map(({ labels, value }) => `${labels['proto']} ${labels['type']} ${labels['zone']} ${value}`)),
    ['tcp A . 1', 'udp A . 1'],
  );
  t.true(lines.includes('.:0 on 127.0.0.1'));
  t.true(lines.includes('linux/x64, node v26, abc'));
  t.true(lines.some((line) => /^fivedots-[0-9.]+$/.test(line)));
  await until(() => lines.filter((line) => /^info : .*"A IN example\.org\./.test(line)).length === 2);
});

test('quiet prints no banner', async (t) => {
  const { lines } = await started(t, `${HEAD}\nwhoami\n}\n`, { quiet: true });
  // How datagrams are read is no banner.
  t.deepEqual(
    lines.filter((line) => !line.includes('UDP:')),
    [],
  );
});

test('a cluster of manifests: ready when the data thread has it, and an edit changes the next answer', async (t) => {
  const folder = join(await folderFor(t), 'demo');
  await cp(DEMO, folder, { recursive: true });
  const { ask, get, until } = await started(t, `${HEAD}\nkubernetes cluster.local {\nmanifests ${folder}\n}\n}\n`);
  await until(async () => (await get('/ready')).status === 200);
  t.true((await ask('web.shop.svc.cluster.local')).text.includes(octets('10.96.12.80')));
  const file = join(folder, 'shop-web.yaml');
  await writeFile(file, (await readFile(file, 'utf8')).replaceAll('10.96.12.80', '10.96.12.91'));
  await until(async () => (await ask('web.shop.svc.cluster.local')).text.includes(octets('10.96.12.91')));
  const { body } = await get('/metrics');
  const synced = readExposition(body).get('fivedots_cluster_synced')?.samples ?? [];
  t.deepEqual(
    synced.map(({ labels, value }) => [labels['kind'], value]),
    [
      ['Namespace', 1],
      ['Service', 1],
      ['EndpointSlice', 1],
    ],
  );
});

test('a cluster that does not come: sockets are open, cluster names get SERVFAIL, others are answered, ready says no', async (t) => {
  const corefile = `${HEAD}\nkubernetes cluster.local {\nendpoint http://127.0.0.1:1\n}\nwhoami\n}\n`;
  const { ask, get } = await started(t, corefile);
  t.is((await ask('web.shop.svc.cluster.local')).rcode, 2);
  t.is((await ask('example.org')).rcode, 0);
  const { status, body } = await get('/ready');
  t.is(status, 503);
  const families = readExposition((await get('/metrics')).body);
  const relists = families.get('fivedots_reflector_relists_total')?.samples ?? [];
  for (const kind of ['Namespace', 'Service', 'EndpointSlice']) {
    const found = relists.find(({ labels }) => labels['kind'] === kind && labels['reason'] === 'unreachable');
    t.true((found?.value ?? 0) > 0, kind);
  }
  const staleness = families.get('fivedots_cluster_staleness_seconds')?.samples ?? [];
  t.deepEqual(
    staleness.map(({ labels }) => labels['kind']),
    ['Namespace', 'Service', 'EndpointSlice'],
  );
  t.true(staleness.every(({ value }) => value > 0));
  t.regex(
    body,
    /^kubernetes\nhttp:\/\/127\.0\.0\.1:1: Namespace, Service, EndpointSlice still to come\ncannot reach the API server at http:\/\/127\.0\.0\.1:1 \(.*ECONNREFUSED.*\)[^\n]*$/,
  );
  t.is((await get('/health')).status, 200);
});

test('without the environment of a cluster the start fails and says what to write instead', async (t) => {
  const error = await t.throwsAsync(started(t, `${HEAD}\nkubernetes cluster.local\n}\n`));
  t.regex(error?.message ?? '', /KUBERNETES_SERVICE_HOST.*kubeconfig/s);
});

test('a bad Corefile at the start is an error with its place', async (t) => {
  await t.throwsAsync(started(t, `${HEAD}\nforwad . 192.0.2.1\n}\n`), { message: /Corefile:6:1: found "forwad"/ });
});

test('reload: a good Corefile is in use at once, ports and counters stay', async (t) => {
  const { control, ask, get, corefile, lines } = await started(t, `${HEAD}\nwhoami\n}\n`);
  const before = [control.listening, control.boundTo('/health'), control.boundTo('/metrics')];
  await ask('example.org');
  await corefile(`${HEAD}\nwhoami\nlog\nerrors\n}\n`);
  await control.reload();
  t.deepEqual([control.listening, control.boundTo('/health'), control.boundTo('/metrics')], before);
  await ask('example.org');
  const families = readExposition((await get('/metrics')).body);
  t.is(families.get('coredns_dns_requests_total')?.samples[0]?.value, 2);
  t.is(families.get('coredns_reload_failed_total')?.samples[0]?.value, 0);
  t.regex(families.get('coredns_reload_version_info')?.samples[0]?.labels['value'] ?? '', /^[0-9a-f]{128}$/);
  t.true(lines.includes('info : Reloading complete'));
  const enabled = families.get('coredns_plugin_enabled')?.samples.map(({ labels }) => labels['name'] ?? '') ?? [];
  t.deepEqual(sorted(enabled), ['errors', 'log', 'prometheus', 'whoami']);
});

test('reload: a bad Corefile changes nothing and says where it is wrong', async (t) => {
  const { control, ask, get, corefile, lines } = await started(t, `${HEAD}\nwhoami\n}\n`);
  await corefile(`${HEAD}\nwhoami\nforwad\n}\n`);
  await control.reload();
  t.true(
    lines.some((line) =>
      /^error plugin\/reload: Reload failed: .*Corefile:7:1: found "forwad".* stays in use\.$/.test(line),
    ),
  );
  t.is((await ask('example.org')).rcode, 0);
  t.is(readExposition((await get('/metrics')).body).get('coredns_reload_failed_total')?.samples[0]?.value, 1);
});

test('reload: a DNS port that is taken is refused by the data thread, and the old ones stay', async (t) => {
  const other = await started(t, `${HEAD}\nwhoami\n}\n`);
  const { control, ask, get, corefile, lines } = await started(t, `${HEAD}\nwhoami\n}\n`);
  const { port } = serverAddressFrom(other.control.listening[0] ?? '');
  await corefile(`.:${port} {\nbind 127.0.0.1\nhealth 127.0.0.1:0\nwhoami\n}\n`);
  await control.reload();
  t.true(
    lines.some((line) => line.startsWith('error plugin/reload: Reload failed: ')),
    lines.join('\n'),
  );
  t.is((await ask('example.org')).rcode, 0);
  t.is((await get('/ready')).status, 200);
});

test('reload: an HTTP port that is taken fails before anything is touched', async (t) => {
  const other = await started(t, `${HEAD}\nwhoami\n}\n`);
  const { control, ask, corefile, lines } = await started(t, `${HEAD}\nwhoami\n}\n`);
  await corefile(`.:0 {\nbind 127.0.0.1\nhealth 127.0.0.1:${other.control.boundTo('/health')?.port}\nerrors\n}\n`);
  await control.reload();
  t.true(
    lines.some((line) => /Reload failed: Port 127\.0\.0\.1:[0-9]+ for \/health cannot be opened/.test(line)),
    lines.join('\n'),
  );
  t.is((await ask('example.org')).rcode, 0);
});

test('reload: a cluster that is asked for in the same way is kept, and readiness with it', async (t) => {
  let opened = 0;
  const open = sourceOpener({ version: 'test', variables: {} });
  const kubernetes = (ttl: number): string =>
    `${HEAD}\nkubernetes cluster.local {\nmanifests ${DEMO}\nttl ${ttl}\n}\n}\n`;
  const { control, ask, get, until, corefile } = await started(t, kubernetes(5), {
    open(options, events) {
      opened++;
      return open(options, events);
    },
  });
  await until(async () => (await get('/ready')).status === 200);
  await corefile(kubernetes(77));
  await control.reload();
  t.is((await get('/ready')).status, 200);
  t.true((await ask('web.shop.svc.cluster.local')).text.includes('\0\0\0\u004d\0\u0004')); // TTL 77, four octets of rdata
  t.is(opened, 1);
});

test('reload: a new cluster is received before its plan is used, so no name of it is ever SERVFAIL', async (t) => {
  const kubernetes = (pods: string): string =>
    `${HEAD}\nkubernetes cluster.local {\nmanifests ${DEMO}\npods ${pods}\n}\n}\n`;
  const { control, ask, get, until, corefile } = await started(t, kubernetes('disabled'));
  await until(async () => (await get('/ready')).status === 200);
  await corefile(kubernetes('verified'));
  const rcodes = new Set<number>();
  let isOver = false;
  const reloaded = control.reload().finally(() => (isOver = true));
  while (!isOver) rcodes.add((await ask('web.shop.svc.cluster.local')).rcode);
  await reloaded;
  rcodes.add((await ask('10-244-1-21.shop.pod.cluster.local')).rcode);
  t.deepEqual([...rcodes], [0]);
});

test('the directive reload watches the file by its path', async (t) => {
  const text = (more: string): string => `${HEAD}\nwhoami\nreload 2s 0s\n${more}}\n`;
  const { corefile, until, lines } = await started(t, text(''));
  await corefile(text('# a comment is no change\n'));
  await corefile(text('errors\n'));
  await until(() => lines.includes('info : Reloading complete'));
  t.is(lines.filter((line) => line === 'info : Reloading').length, 1);
});

test('a ConfigMap is followed through the links that the kubelet swaps', async (t) => {
  const folder = await folderFor(t);
  for (const [version, plugin] of [
    ['1', ''],
    ['2', 'errors\n'],
  ] as const) {
    await mkdir(join(folder, version));
    await writeFile(join(folder, version, 'Corefile'), `${HEAD}\nwhoami\n${plugin}}\n`);
  }
  const link = async (version: string): Promise<void> => {
    await symlink(version, join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
  };
  await link('1');
  await symlink('..data/Corefile', join(folder, 'Corefile'));
  const path = join(folder, 'Corefile');
  const read = configurationReader({ path, standardInput: () => '', environment: new Map(), defaultPort: 0, plugins });
  const { control, get } = await started(t, '', { read });
  await link('2');
  await rm(join(folder, '1'), { recursive: true });
  await control.reload();
  const enabled = readExposition((await get('/metrics')).body).get('coredns_plugin_enabled')?.samples ?? [];
  t.true(enabled.some(({ labels }) => labels['name'] === 'errors'));
});

test('a data thread that ends is replaced: same answers, counters go on, health and readiness tell', async (t) => {
  const { ask, get, until, workers, lines } = await started(
    t,
    `${HEAD}\nkubernetes cluster.local {\nmanifests ${DEMO}\n}\n}\n`,
  );
  await until(async () => (await get('/ready')).status === 200);
  t.true((await ask('web.shop.svc.cluster.local')).text.includes(octets('10.96.12.80')));
  await workers[0]?.terminate();
  await until(async () => workers.length === 2 && (await get('/health')).status === 200);
  t.true((await ask('web.shop.svc.cluster.local')).text.includes(octets('10.96.12.80')));
  t.is((await get('/ready')).status, 200);
  const families = readExposition((await get('/metrics')).body);
  t.is(families.get('coredns_dns_requests_total')?.samples[0]?.value, 2);
  t.is(families.get('fivedots_data_thread_restarts_total')?.samples[0]?.value, 1);
  t.true(lines.some((line) => line.startsWith('error supervisor: The data thread ended: ')));
});

test('stop with lameduck: not ready at once, still answering and watching, then all is closed', async (t) => {
  const folder = join(await folderFor(t), 'demo');
  await cp(DEMO, folder, { recursive: true });
  let endLameduck: () => void = () => {};
  const spans: number[] = [];
  const corefile = `.:0 {\nbind 127.0.0.1\nhealth 127.0.0.1:0 {\nlameduck 5s\n}\nready 127.0.0.1:0\nkubernetes cluster.local {\nmanifests ${folder}\n}\n}\n`;
  const { control, ask, get, until, lines } = await started(t, corefile, {
    timers: {
      ...systemTimers,
      after(span, run) {
        if (span !== 5_000) return systemTimers.after(span, run);
        spans.push(span);
        endLameduck = run;
        return () => {};
      },
    },
  });
  await until(async () => (await get('/ready')).status === 200);
  const stopped = control.stop({ lameduck: true });
  t.deepEqual(await get('/ready'), { status: 503, body: 'shutting down' });
  t.is((await get('/health')).status, 200);
  t.deepEqual(spans, [5_000]);
  const file = join(folder, 'shop-web.yaml');
  await writeFile(file, (await readFile(file, 'utf8')).replaceAll('10.96.12.80', '10.96.12.92'));
  await until(async () => (await ask('web.shop.svc.cluster.local')).text.includes(octets('10.96.12.92')));
  const health = control.boundTo('/health');
  endLameduck();
  await stopped;
  await t.throwsAsync(ask('web.shop.svc.cluster.local'));
  await t.throwsAsync(fetch(`http://127.0.0.1:${health?.port}/health`));
  t.true(lines.includes('info plugin/health: Going into lameduck mode for 5s'));
});
