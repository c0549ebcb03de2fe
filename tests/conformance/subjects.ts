/**
 * The servers that the suite knows how to start, each with the data of fixtures/conformance and, where it can forward, one upstream of
 * its own. Knows their configuration, no check.
 */

import { networkInterfaces } from 'node:os';
import { join } from 'node:path';

import { startEvilUpstream } from '../support/evil-upstream.ts';
import { ROOT, startServer } from '../support/server.ts';
import type { Need, Subject } from './check.ts';

/** A server that runs. */
export type RunningSubject = Subject & { readonly close: () => Promise<void> };

const FIXTURE = join(ROOT, 'fixtures/conformance');

/** Containers often have no IPv6, and `lo` is not called so everywhere. */
const LOOPBACK: readonly string[] = ['127.0.0.1', '::1'].filter((host) => interfaceOf(host) !== undefined);

function interfaceOf(host: string): string | undefined {
  return Object.entries(networkInterfaces()).find(([, list]) => list?.some(({ address }) => address === host))?.[0];
}

/** fivedots as fixtures/conformance/Corefile has it. */
export async function startFivedots(): Promise<RunningSubject> {
  const upstream = await startEvilUpstream();
  const server = await startServer({
    corefile: { file: join(FIXTURE, 'Corefile') },
    environment: {
      LOOPBACK: interfaceOf('127.0.0.1') ?? '127.0.0.1',
      CLUSTER: join(FIXTURE, 'cluster'),
      UPSTREAM: upstream.address,
    },
  });
  return {
    name: 'fivedots',
    addresses: LOOPBACK.map((host) => ({ host, port: server.port })),
    offers: new Set<Need>(['cluster', 'kubernetes', 'upstream', 'cache']),
    upstream,
    async close() {
      await server.close();
      await upstream.close();
    },
  };
}
