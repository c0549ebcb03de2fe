/**
 * The servers that the suite knows how to start, each with the data of fixtures/conformance and, where it can forward, an upstream of
 * its own. Knows their configuration, no check.
 */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Running } from '../support/programs.ts';
import { freePort, startServer } from '../support/server.ts';
import { NEEDS, type Need, type Subject } from './check.ts';
import { addressesAt, FIXTURE, isAnswering, LOOPBACK, LOOPBACK_VARIABLES, offered, Upstreams } from './surroundings.ts';

/** A server that runs. */
export type RunningSubject = Subject & { readonly close: () => Promise<void> };

/** fivedots as fixtures/conformance/Corefile has it. */
export async function startFivedots(): Promise<RunningSubject> {
  const upstreams = await Upstreams.start();
  const server = await startServer({
    corefile: { file: join(FIXTURE, 'Corefile') },
    environment: { ...LOOPBACK_VARIABLES, CLUSTER: join(FIXTURE, 'cluster'), ...upstreams.variables },
  });
  return {
    name: 'fivedots',
    addresses: addressesAt(server.port),
    offers: offered(NEEDS),
    upstream: upstreams.first,
    spareUpstream: upstreams.spare,
    async close() {
      await server.close();
      await upstreams.close();
    },
  };
}

/** Somebody else's server, which is configured with one file. */
export type Foreign = {
  readonly name: string;
  readonly program: string;
  /** Has it say its version. */
  readonly versionFlag: string;
  /** In fixtures/conformance/servers. */
  readonly configuration: string;
  readonly command: (configuration: string) => readonly string[];
  /** Where to listen, as its configuration has it. */
  readonly listen: (hosts: readonly string[], port: number) => string;
  readonly offers: readonly Need[];
};

/** Those that Debian has. */
export const FOREIGN: readonly Foreign[] = [
  {
    name: 'Knot',
    program: 'knotd',
    versionFlag: '-V',
    configuration: 'knot.conf',
    command: (file) => ['knotd', '-c', file],
    listen: (hosts, port) => hosts.map((host) => `${host}@${port}`).join(', '),
    offers: ['cluster', 'addresses', 'rotation', 'any', 'nsid'],
  },
  {
    name: 'NSD',
    program: 'nsd',
    versionFlag: '-v',
    configuration: 'nsd.conf',
    command: (file) => ['nsd', '-d', '-c', file],
    listen: (hosts) => hosts.map((host) => `ip-address: ${host}`).join('\n  '),
    offers: ['cluster', 'addresses', 'rotation', 'any', 'nsid'],
  },
  {
    name: 'Unbound',
    program: 'unbound',
    versionFlag: '-V',
    configuration: 'unbound.conf',
    command: (file) => ['unbound', '-d', '-c', file],
    listen: (hosts) => hosts.map((host) => `interface: ${host}`).join('\n  '),
    offers: ['cluster', 'upstream', 'cache', 'stale', 'addresses', 'rotation', 'nsid', 'local'],
  },
];

export async function startForeign(foreign: Foreign): Promise<RunningSubject> {
  const folder = await mkdtemp(join(tmpdir(), 'conformance-'));
  const upstreams = foreign.offers.includes('upstream') ? await Upstreams.start() : undefined;
  const port = await freePort();
  const file = join(folder, foreign.configuration);
  const template = await readFile(join(FIXTURE, 'servers', foreign.configuration), 'utf8');
  const configuration = filled(template, {
    FOLDER: folder,
    ZONES: join(FIXTURE, 'zones'),
    PORT: String(port),
    LISTEN: foreign.listen(LOOPBACK, port),
    UPSTREAM: upstreams?.first.address.replace(':', '@') ?? '',
    SPARE: upstreams?.spare.address.replace(':', '@') ?? '',
  });
  await writeFile(file, configuration);
  const addresses = addressesAt(port);
  const program = await Running.start(foreign.command(file), () => isAnswering(addresses));
  return {
    name: foreign.name,
    addresses,
    offers: offered(foreign.offers),
    upstream: upstreams?.first,
    spareUpstream: upstreams?.spare,
    async close() {
      await program.stop();
      await upstreams?.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function filled(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{\$([A-Z]+)\}/g, (_, name: string) => values[name] ?? '');
}
