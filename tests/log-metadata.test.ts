/** Metadata in the query log of a running server: the parts of a name, the pod that asks, and the upstream that answers. */

import { setTimeout as pause } from 'node:timers/promises';

import test from 'ava';

import { exchange } from './support/client.ts';
import { FakeApiServer } from './support/fake-api-server.ts';
import { asked, encodeQuery } from './support/query.ts';
import { rawNamespace, rawPod } from './support/raw-objects.ts';
import { startServer } from './support/server.ts';
import { startStaticUpstream } from './support/static-upstream.ts';

const COREFILE = `
.:{$PORT} {
    bind 127.0.0.1
    ready 127.0.0.1:{$READY_PORT}
    metadata
    log . "seen {name} {/kubernetes/namespace} {/kubernetes/service} {/kubernetes/client-namespace}/{/kubernetes/client-pod-name} {/forward/upstream} {/kubernetes/client-label/app}"
    kubernetes cluster.local {
        endpoint {$API}
        pods verified
    }
    forward . {$UPSTREAM}
}
`;

test('a line has what its format asks for, and the log says what will never be there', async (t) => {
  const api = await FakeApiServer.start();
  t.teardown(() => api.close());
  const upstream = await startStaticUpstream(
    'example.org. 300 IN SOA ns.example.org. hostmaster.example.org. 1 7200 3600 1209600 300',
  );
  t.teardown(() => upstream.close());
  api.put(rawNamespace('prod'));
  api.put(rawPod('prod', 'tester', '127.0.0.1'));
  const server = await startServer({
    corefile: { text: COREFILE },
    environment: { API: api.url, UPSTREAM: upstream.address },
  });
  t.teardown(async () => void (await server.close()));
  const address = { host: '127.0.0.1', port: server.port };
  for (const name of ['nosuch.prod.svc.cluster.local', 'www.example.org']) {
    await exchange(address, 'udp', encodeQuery(1, asked(name, 'A')));
  }
  const lines = (): readonly string[] => server.log().match(/seen .*/g) ?? [];
  for (const deadline = performance.now() + LOG_DEADLINE; performance.now() < deadline; await pause(10)) {
    if (lines().length === 2) break;
  }
  t.deepEqual(lines(), [
    'seen nosuch.prod.svc.cluster.local. prod nosuch prod/tester - -',
    `seen www.example.org. - - prod/tester ${upstream.address} -`,
  ]);
  t.regex(
    server.log(),
    /^\[WARNING\] plugin\/log: \{\/kubernetes\/client-label\/app\} will always be "-": no plugin /m,
  );
});

test('what is written without effect is said once, on however many addresses the block listens', async (t) => {
  const api = await FakeApiServer.start();
  t.teardown(() => api.close());
  const text = COREFILE.replace('bind 127.0.0.1', 'bind 127.0.0.1 127.0.0.2').replace('{$API}', '{$API} {$API}');
  const server = await startServer({
    corefile: { text },
    environment: { API: api.url, UPSTREAM: '127.0.0.1:9' },
  });
  t.teardown(async () => void (await server.close()));
  const warnings = (): readonly string[] => server.log().match(/^\[WARNING\] plugin\/(?:log|kubernetes): .*/gm) ?? [];
  await exchange({ host: '127.0.0.1', port: server.port }, 'udp', encodeQuery(1, asked('cluster.local', 'SOA')));
  for (const deadline = performance.now() + LOG_DEADLINE; performance.now() < deadline; await pause(10)) {
    if (/^.*seen /m.test(server.log())) break; // the lines of the start are before it
  }
  t.deepEqual(
    warnings().map((line) => line.split(' ').at(-1)),
    ['others', 'it'],
  );
});

/** Only lost lines reach it. */
const LOG_DEADLINE = 8_000;
