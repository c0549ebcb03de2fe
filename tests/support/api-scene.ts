/** A small API server and a source that reads it, with the test's own time. */

import type { ExecutionContext } from 'ava';

import { openApiSource, type ApiSourceOptions } from '../../zones/kubernetes/api/api-source.ts';
import type { Source } from '../../zones/kubernetes/source.ts';
import { ClusterRecorder } from './cluster-recorder.ts';
import type { Logged } from './fake-api-faults.ts';
import { FakeApiServer, type FakeApiOptions } from './fake-api-server.ts';
import { ManualTime } from './manual-time.ts';
import { rawNamespace, rawService } from './raw-objects.ts';
import { sourceOptions } from './source-options.ts';

export type Scene = { api: FakeApiServer; cluster: ClusterRecorder; time: ManualTime; open: () => Source };

/** A server with two services, and a source that reads it once it is opened. */
export async function scene(
  t: ExecutionContext,
  options: Partial<ApiSourceOptions> = {},
  apiOptions: FakeApiOptions = {},
): Promise<Scene> {
  const api = await FakeApiServer.start(apiOptions);
  api.put(rawNamespace('shop'));
  api.put(rawService('shop', 'cart'));
  api.put(rawService('shop', 'pay'));
  const cluster = new ClusterRecorder();
  const time = new ManualTime();
  const open = (): Source => {
    const source = openApiSource(
      {
        ...sourceOptions({ podNames: false }),
        from: { kind: 'endpoint', url: api.url, tls: undefined },
        ...options,
      },
      cluster,
      { version: '1.2.3', variables: {}, time },
    );
    t.teardown(() => source.close());
    return source;
  };
  t.teardown(() => api.close());
  return { api, cluster, time, open };
}

/** A scene whose services are synced and watched. */
export async function synced(
  t: ExecutionContext,
  options?: Partial<ApiSourceOptions>,
  apiOptions?: FakeApiOptions,
): Promise<Scene> {
  const made = await scene(t, options, apiOptions);
  made.open();
  await made.cluster.when(() => made.cluster.isSynced('Service') && made.cluster.isSynced('Namespace'));
  return made;
}

export const ofServices =
  (ask: Logged['ask']) =>
  (logged: Logged): boolean =>
    logged.kind === 'Service' && logged.ask === ask;

export function asked({ api }: Scene, ask: Logged['ask']): Logged[] {
  return api.log.filter(ofServices(ask));
}

/** Waits until an added service has come, which proves that the watch lives. */
export async function follows({ api, cluster }: Scene, name: string): Promise<void> {
  api.put(rawService('shop', name));
  await cluster.when(() => cluster.get('Service', 'shop', name) !== undefined);
}

/** Makes the version that the watch of services would go on from too old. */
export function expire({ api }: Scene): void {
  api.put(rawNamespace(`n${api.version}`));
  api.compact();
  api.endWatches('Service');
}

/** Waits until the client has the headers of its last request of that kind. */
export async function opened({ cluster, api }: Scene, kind: string): Promise<void> {
  const count = api.log.filter((logged) => logged.kind === kind).length;
  const total = api.log.length;
  while (cluster.calls.length < total && count > 0) await new Promise((resolve) => setImmediate(resolve));
}
