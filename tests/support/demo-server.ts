/** The demo cluster on free ports, with an upstream of the test's. Knows the Corefile of fixtures/programs. */

import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import type { Milliseconds } from '../../zones/units.ts';
import type { ServerAddress } from './client.ts';
import { freePort, ROOT, startServer, type StartedServer } from './server.ts';

export type DemoServer = StartedServer & {
  readonly address: ServerAddress;
  readonly metricsPort: number;
};

/**
 * @param upstream `host:port` of the world outside
 * @param port of DNS, if it must be known before; `freePort` gives one
 */
export async function startDemoServer(upstream: string, port?: number): Promise<DemoServer> {
  const metricsPort = await freePort();
  const server = await startServer({
    corefile: { file: join(ROOT, 'fixtures/programs/demo.corefile') },
    ...(port === undefined ? {} : { port }),
    environment: {
      CLUSTER: join(ROOT, 'fixtures/clusters/demo'),
      UPSTREAM: upstream,
      METRICS_PORT: String(metricsPort),
    },
  });
  return { ...server, address: { host: '127.0.0.1', port: server.port }, metricsPort };
}

/** The page may be this old (server/control/metrics.ts), and what was counted since is not on it. */
const PAGE_AGE: Milliseconds = 100;

/** The sum of a metric's samples whose labels include these, everything before the call counted; 0 if there is none. */
export async function metric(
  port: number,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  await pause(PAGE_AGE + 1);
  const page = await fetch(`http://127.0.0.1:${port}/metrics`);
  return metricOf(await page.text(), name, labels);
}

function metricOf(page: string, name: string, labels: Readonly<Record<string, string>>): number {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return page
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => wanted.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
