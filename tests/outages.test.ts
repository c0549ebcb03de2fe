/**
 * The whole server while its API server is away: at the start, later, and at a start with a snapshot of what was known. The
 * API server is a small real one.
 */

import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { exchange } from './support/client.ts';
import { metric } from './support/demo-server.ts';
import { onlyReply } from './support/dig-output.ts';
import { FakeApiServer } from './support/fake-api-server.ts';
import { decodeReply, presentReply } from './support/present.ts';
import { isInstalled, run, until } from './support/programs.ts';
import { asked, encodeQuery } from './support/query.ts';
import { rawNamespace, rawService, rawSlice } from './support/raw-objects.ts';
import { freePort, startServer, type StartedServer } from './support/server.ts';
import { startStaticUpstream } from './support/static-upstream.ts';

const WEB = 'web.prod.svc.cluster.local';
const GONE = 'gone.prod.svc.cluster.local';
const NEW = 'new.prod.svc.cluster.local';

for (const [how, goAway] of [
  ['refuses connections', (api: FakeApiServer) => api.down()],
  [
    'takes connections and says nothing',
    (api: FakeApiServer) => api.fail({ does: 'mute', headers: false, times: 1e9 }),
  ],
] as const) {
  test.serial(
    `start while the API server ${how}: outside names are answered, names of the cluster are SERVFAIL`,
    async (t) => {
      const stage = await prepared(t);
      await goAway(stage.api);
      // Were anything waited for, it would be this: longer than a test may take.
      const { ask, ready } = await stage.start({ options: 'startup_timeout 1h' });
      t.deepEqual(await ask('www.example.org'), ['NOERROR', 'www.example.org. 300 IN A 192.0.2.7']);
      for (const name of [WEB, 'nosuch.prod.svc.cluster.local', '1.1.96.10.in-addr.arpa']) {
        t.deepEqual(await ask(name), ['SERVFAIL', 'ede=14'], name);
      }
      t.is((await ready()).status, 503);
      t.regex((await ready()).body, /^kubernetes\nhttp:.* Namespace, Service, EndpointSlice still to come/);
    },
  );
}

test.serial(
  'after startup_timeout the log says that the server goes on without the cluster, and /ready still says no',
  async (t) => {
    const stage = await prepared(t);
    await stage.api.down();
    const { ask, ready, logged } = await stage.start({ options: 'startup_timeout 100ms' });
    await logged(
      /\[WARNING\].* starting server with unsynced Kubernetes API: Namespace, Service, EndpointSlice still to come/,
    );
    t.is((await ready()).status, 503);
    t.deepEqual(await ask(WEB), ['SERVFAIL', 'ede=14']);
    await stage.api.up();
    await until('it is ready', async () => (await ready()).status === 200);
    t.deepEqual(await ask(WEB), ['NOERROR', `${WEB}. 60 IN A 10.96.1.1`]);
  },
);

test.serial(
  'the API server goes away later: answers stay as they were, denials too, and /ready says yes',
  async (t) => {
    const stage = await prepared(t);
    const { ask, ready, logged } = await stage.start({ options: 'startup_timeout 100ms' });
    await until('it is ready', async () => (await ready()).status === 200);
    await stage.api.down();
    await logged(/\[(WARNING|ERROR)\].*plugin\/kubernetes/);
    t.deepEqual(await ask(WEB), ['NOERROR', `${WEB}. 60 IN A 10.96.1.1`]);
    t.deepEqual(await ask(NEW), ['NXDOMAIN']);
    t.deepEqual(await ready(), { status: 200, body: 'OK' });
  },
);

test.serial(
  'start from a snapshot while the API server is away: all answers as before but stale, until it is back',
  async (t) => {
    const stage = await prepared(t);
    const first = await stage.start({ options: stage.snapshot });
    await until('it is ready', async () => (await first.ready()).status === 200);
    t.is(await first.metric('fivedots_cluster_from_snapshot'), 0);
    await first.server.close();
    t.is((await stat(stage.file)).mode & 0o777, 0o600);
    t.deepEqual(await readdir(stage.folder), ['cluster']);

    await stage.api.down();
    const {
      ask,
      ready,
      logged,
      metric: value,
      server,
    } = await stage.start({
      options: `${stage.snapshot}\nstartup_timeout 100ms`,
    });
    await logged(/\[INFO\] plugin\/kubernetes: The snapshot is used \(.*, 5 objects, written 20.*, \d+ s ago\)\./);
    await until('the snapshot is in use', async () => (await ask(WEB))[0] === 'NOERROR');
    t.deepEqual(await ask(WEB), ['NOERROR', `${WEB}. 30 IN A 10.96.1.1`, 'ede=3']);
    t.deepEqual(await ask(WEB, 'TXT'), ['NOERROR', 'ede=3']);
    t.deepEqual(await ask('a.db.prod.svc.cluster.local'), [
      'NOERROR',
      'a.db.prod.svc.cluster.local. 30 IN A 10.244.0.7',
      'ede=3',
    ]);
    t.deepEqual(await ask('1.1.96.10.in-addr.arpa', 'PTR'), [
      'NOERROR',
      `1.1.96.10.in-addr.arpa. 30 IN PTR ${WEB}.`,
      'ede=3',
    ]);
    t.deepEqual(await ask(NEW), ['NXDOMAIN', 'ede=19']);
    t.deepEqual(await ask('www.example.org'), ['NOERROR', 'www.example.org. 300 IN A 192.0.2.7']);
    if (isInstalled('dig')) {
      const reply = onlyReply((await run(['dig', '@127.0.0.1', '-p', String(server.port), WEB])).stdout);
      t.is(reply.status, 'NOERROR');
      t.true(
        reply.edns.some((line) => line.startsWith('EDE: 3 (Stale Answer)')),
        reply.edns.join('\n'),
      );
    }
    await logged(/\[WARNING\].* until then answers are those of a snapshot written \d+ s ago, and \/ready says yes/);
    t.is((await ready()).status, 200);
    t.is(await value('fivedots_cluster_from_snapshot'), 1);
    t.is(await value('fivedots_cluster_synced', { kind: 'Service' }), 0);
    t.true((await value('fivedots_snapshot_written_timestamp_seconds')) > 1.7e9);

    stage.api.put(rawService('prod', 'web', { clusterIP: '10.96.1.9', clusterIPs: ['10.96.1.9'] }));
    stage.api.put(rawService('prod', 'new', { clusterIP: '10.96.1.3', clusterIPs: ['10.96.1.3'] }));
    stage.api.remove('Service', 'prod', 'gone');
    await stage.api.up();
    await until('it is synced', async () => (await value('fivedots_cluster_from_snapshot')) === 0);
    t.deepEqual(await ask(WEB), ['NOERROR', `${WEB}. 60 IN A 10.96.1.9`]);
    t.deepEqual(await ask(NEW), ['NOERROR', `${NEW}. 60 IN A 10.96.1.3`]);
    t.deepEqual(await ask(GONE), ['NXDOMAIN']);
    t.deepEqual(await ask('1.1.96.10.in-addr.arpa', 'PTR'), ['NXDOMAIN']);
  },
);

test.serial('a name that is not in the snapshot and falls through is not denied for longer than that', async (t) => {
  const stage = await prepared(t);
  const options = `${stage.snapshot}\nstartup_timeout 100ms\nfallthrough`;
  const plugins = 'cache 3600';
  const first = await stage.start({ options, plugins });
  await until('it is ready', async () => (await first.ready()).status === 200);
  await first.server.close();
  await stage.api.down();
  const { ask, metric: value } = await stage.start({ options, plugins });
  await until('the snapshot is in use', async () => (await ask(WEB))[0] === 'NOERROR');
  t.deepEqual(await ask(NEW), ['NXDOMAIN']);
  stage.api.put(rawService('prod', 'new', { clusterIP: '10.96.1.3', clusterIPs: ['10.96.1.3'] }));
  await stage.api.up();
  await until('it is synced', async () => (await value('fivedots_cluster_from_snapshot')) === 0);
  t.deepEqual(await ask(NEW), ['NOERROR', `${NEW}. 60 IN A 10.96.1.3`]);
});

test.serial('before startup_timeout is over a snapshot answers, and /ready does not say yes for it', async (t) => {
  const stage = await prepared(t);
  const first = await stage.start({ options: stage.snapshot });
  await until('it is ready', async () => (await first.ready()).status === 200);
  await first.server.close();
  await stage.api.down();
  const { ask, ready } = await stage.start({ options: `${stage.snapshot}\nstartup_timeout 1h` });
  await until('the snapshot is in use', async () => (await ask(WEB))[0] === 'NOERROR');
  t.is((await ready()).status, 503);
  await until('the page says why', async () => (await ready()).body.includes('\ncannot reach'));
  t.regex((await ready()).body, /names get SERVFAIL until it has been read, unless a snapshot has them/);
});

test.serial(
  'a snapshot that was changed is refused with a message, and written anew after the first sync',
  async (t) => {
    const stage = await prepared(t);
    const first = await stage.start({ options: stage.snapshot });
    await until('it is ready', async () => (await first.ready()).status === 200);
    await first.server.close();
    const whole = await readFile(stage.file, 'utf8');
    await writeFile(stage.file, whole.replace('10.96.1.1', '10.96.1.2'));
    await stage.api.down();
    const { ask, ready, logged, server } = await stage.start({ options: stage.snapshot });
    await logged(
      /\[WARNING\] plugin\/kubernetes: The snapshot is not used \(.*\): it is damaged\. Names .* SERVFAIL until the API/,
    );
    t.deepEqual(await ask(WEB), ['SERVFAIL', 'ede=14']);
    await stage.api.up();
    await until('it is ready', async () => (await ready()).status === 200);
    await server.close();
    const objects = (text: string): string[] => text.split('\n').slice(1, -2).toSorted();
    t.deepEqual(objects(await readFile(stage.file, 'utf8')), objects(whole));
  },
);

test.serial('the snapshot of other options of the block is foreign', async (t) => {
  const stage = await prepared(t);
  const first = await stage.start({ options: stage.snapshot });
  await until('it is ready', async () => (await first.ready()).status === 200);
  await first.server.close();
  await stage.api.down();
  const { ask, logged } = await stage.start({ options: `${stage.snapshot}\nlabels tier=front` });
  await logged(/The snapshot is not used .*: it is of another cluster, or was made with other options of `kubernetes`/);
  t.deepEqual(await ask(WEB), ['SERVFAIL', 'ede=14']);
});

test.serial('a folder that cannot be written costs a warning and nothing else', async (t) => {
  const stage = await prepared(t);
  const { ask, ready, server } = await stage.start({ options: `snapshot ${stage.folder}/nosuch/cluster` });
  await until('it is ready', async () => (await ready()).status === 200);
  t.deepEqual(await ask(WEB), ['NOERROR', `${WEB}. 60 IN A 10.96.1.1`]);
  t.is(await server.close(), 0);
  t.regex(server.log(), /\[INFO\] plugin\/kubernetes: There is no snapshot yet/);
  t.regex(
    server.log(),
    /\[WARNING\] plugin\/kubernetes: The snapshot cannot be written \(.*\): Error: ENOENT.*one that can be written/,
  );
});

const OUTSIDE = `
  example.org. 300 IN SOA ns.example.org. hostmaster.example.org. 1 7200 1800 86400 300
  www.example.org. 300 IN A 192.0.2.7
  local. 300 IN SOA ns.local. hostmaster.local. 1 7200 1800 86400 300`;

type Stage = {
  readonly api: FakeApiServer;
  readonly folder: string;
  readonly file: string;
  /** The line that names the file. */
  readonly snapshot: string;
  readonly start: (how: { readonly options: string; readonly plugins?: string }) => Promise<Started>;
};

type Started = {
  readonly server: StartedServer;
  /** The rcode, the records of the answer, and the extended error if there is one. */
  readonly ask: (name: string, type?: string) => Promise<readonly string[]>;
  readonly ready: () => Promise<{ readonly status: number; readonly body: string }>;
  readonly logged: (line: RegExp) => Promise<void>;
  readonly metric: (name: string, labels?: Readonly<Record<string, string>>) => Promise<number>;
};

/** An API server with a small cluster, a world outside of it, and what is needed to start a server for both. */
async function prepared(t: ExecutionContext): Promise<Stage> {
  const api = await FakeApiServer.start();
  t.teardown(() => api.close());
  api.put(rawNamespace('prod'));
  api.put(rawService('prod', 'web', { clusterIP: '10.96.1.1', clusterIPs: ['10.96.1.1'] }));
  api.put(rawService('prod', 'gone', { clusterIP: '10.96.1.4', clusterIPs: ['10.96.1.4'] }));
  api.put(rawService('prod', 'db', { clusterIP: 'None', clusterIPs: ['None'] }));
  api.put(rawSlice('prod', 'db', 'own', [{ address: '10.244.0.7', hostname: 'a' }]));
  const upstream = await startStaticUpstream(OUTSIDE);
  t.teardown(() => upstream.close());
  const folder = await mkdtemp(join(tmpdir(), 'fivedots-outages-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'cluster');
  return {
    api,
    folder,
    file,
    snapshot: `snapshot ${file}`,
    async start({ options, plugins = '' }) {
      const metricsPort = await freePort();
      const server = await startServer({
        corefile: {
          text: `
            .:{$PORT} {
              bind 127.0.0.1
              ready 127.0.0.1:{$READY_PORT}
              prometheus 127.0.0.1:${metricsPort}
              kubernetes cluster.local in-addr.arpa {
                endpoint ${api.url}
                ttl 60
                ${options}
              }
              forward . ${upstream.address}
              ${plugins}
            }`,
        },
        until: 'answering',
      });
      t.teardown(async () => void (await server.close()));
      const edns = { payloadSize: 1232, version: 0, dnssecOk: false, reserved: 0, options: [] };
      return {
        server,
        async ask(name, type = 'A') {
          const query = encodeQuery(1, asked(name, type, { edns }));
          const reply = presentReply(
            decodeReply(await exchange({ host: '127.0.0.1', port: server.port }, 'udp', query)),
          );
          const error = /ede=\d+/.exec(reply.edns ?? '')?.[0];
          return [reply.reply.split(' ')[1] ?? '', ...reply.answer, ...(error === undefined ? [] : [error])];
        },
        async ready() {
          const reply = await fetch(`http://127.0.0.1:${server.readyPort}/ready`);
          return { status: reply.status, body: await reply.text() };
        },
        logged: (line) => until(`the log says ${line}`, () => line.test(server.log())),
        metric: (name, labels) => metric(metricsPort, name, labels),
      };
    },
  };
}
