/**
 * The servers that the suite knows how to start, each with the data of fixtures/conformance and, where it can forward, an upstream of
 * its own. Knows their configuration, no check.
 */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';

import { exchange, type ServerAddress } from '../support/client.ts';
import { startEvilUpstream } from '../support/evil-upstream.ts';
import { Running } from '../support/programs.ts';
import { asked, encodeQuery } from '../support/query.ts';
import { freePort, ROOT, startServer } from '../support/server.ts';
import { NEEDS, type Need, type Subject } from './check.ts';

/** A server that runs. */
export type RunningSubject = Subject & { readonly close: () => Promise<void> };

const FIXTURE = join(ROOT, 'fixtures/conformance');

/** Containers often have no IPv6, and only Linux has all of 127.0.0.0/8. */
const SECOND_ADDRESS = process.platform === 'linux' ? '127.0.0.2' : undefined;
const LOOPBACK: readonly string[] = [
  '127.0.0.1',
  ...(SECOND_ADDRESS === undefined ? [] : [SECOND_ADDRESS]),
  ...(interfaceOf('::1') === undefined ? [] : ['::1']),
];

/** The name of an interface, which is not everywhere `lo`. */
function interfaceOf(host: string): string | undefined {
  return Object.entries(networkInterfaces()).find(([, list]) => list?.some(({ address }) => address === host))?.[0];
}

/** fivedots as fixtures/conformance/Corefile has it. */
export async function startFivedots(): Promise<RunningSubject> {
  const upstream = await startEvilUpstream();
  const spareUpstream = await startEvilUpstream();
  const server = await startServer({
    corefile: { file: join(FIXTURE, 'Corefile') },
    environment: {
      LOOPBACK: interfaceOf('127.0.0.1') ?? '127.0.0.1',
      SECOND_ADDRESS: SECOND_ADDRESS ?? '127.0.0.1',
      CLUSTER: join(FIXTURE, 'cluster'),
      UPSTREAM: upstream.address,
      SPARE: spareUpstream.address,
    },
  });
  return {
    name: 'fivedots',
    addresses: addressesAt(server.port),
    offers: offered(NEEDS),
    upstream,
    spareUpstream,
    async close() {
      await server.close();
      await upstream.close();
      await spareUpstream.close();
    },
  };
}

/** Somebody else's server, which is configured with one file. */
export type Foreign = {
  readonly name: string;
  readonly program: string;
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
    configuration: 'knot.conf',
    command: (file) => ['knotd', '-c', file],
    listen: (hosts, port) => hosts.map((host) => `${host}@${port}`).join(', '),
    offers: ['cluster', 'addresses', 'rotation', 'any', 'nsid'],
  },
  {
    name: 'NSD',
    program: 'nsd',
    configuration: 'nsd.conf',
    command: (file) => ['nsd', '-d', '-c', file],
    listen: (hosts) => hosts.map((host) => `ip-address: ${host}`).join('\n  '),
    offers: ['cluster', 'addresses', 'rotation', 'any', 'nsid'],
  },
  {
    name: 'Unbound',
    program: 'unbound',
    configuration: 'unbound.conf',
    command: (file) => ['unbound', '-d', '-c', file],
    listen: (hosts) => hosts.map((host) => `interface: ${host}`).join('\n  '),
    offers: ['cluster', 'upstream', 'cache', 'stale', 'addresses', 'rotation', 'any', 'nsid', 'local'],
  },
];

export async function startForeign(foreign: Foreign): Promise<RunningSubject> {
  const folder = await mkdtemp(join(tmpdir(), 'conformance-'));
  const forwards = foreign.offers.includes('upstream');
  const upstream = forwards ? await startEvilUpstream() : undefined;
  const spareUpstream = forwards ? await startEvilUpstream() : undefined;
  const port = await freePort();
  const file = join(folder, foreign.configuration);
  const template = await readFile(join(FIXTURE, 'servers', foreign.configuration), 'utf8');
  const configuration = filled(template, {
    FOLDER: folder,
    ZONES: join(FIXTURE, 'zones'),
    PORT: String(port),
    LISTEN: foreign.listen(LOOPBACK, port),
    UPSTREAM: upstream?.address.replace(':', '@') ?? '',
    SPARE: spareUpstream?.address.replace(':', '@') ?? '',
  });
  await writeFile(file, configuration);
  const addresses = addressesAt(port);
  const program = await Running.start(foreign.command(file), () => isAnswering(addresses));
  return {
    name: foreign.name,
    addresses,
    offers: offered(foreign.offers),
    upstream,
    spareUpstream,
    async close() {
      await program.stop();
      await upstream?.close();
      await spareUpstream?.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What of it this machine lets a server offer. */
function offered(needs: readonly Need[]): ReadonlySet<Need> {
  return new Set(needs.filter((need) => need !== 'addresses' || SECOND_ADDRESS !== undefined));
}

function addressesAt(port: number): readonly ServerAddress[] {
  return LOOPBACK.map((host) => ({ host, port }));
}

function filled(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{\$([A-Z]+)\}/g, (_, name: string) => values[name] ?? '');
}

async function isAnswering(addresses: readonly ServerAddress[]): Promise<boolean> {
  try {
    for (const address of addresses) {
      const reply = await exchange(address, 'tcp', encodeQuery(1, asked('cluster.local', 'SOA')));
      if ((reply.readUInt8(3) & 15) !== 0) return false;
    }
    return true;
  } catch {
    return false;
  }
}
