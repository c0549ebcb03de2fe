/**
 * fivedots with a cluster, and its zones, as it transfers them, in files of other authorities. Knows how each is started,
 * nothing of questions.
 */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ServerAddress } from '../support/client.ts';
import { startAuthority, type Authority } from '../support/authorities.ts';
import { onLoopback } from '../support/outside-world.ts';
import { presentRecord, type DecodedRecord } from '../support/present.ts';
import { isInstalled } from '../support/programs.ts';
import { startServer } from '../support/server.ts';
import { receiveZone } from '../support/zone-transfer.ts';
import { ZONES, type Cluster } from './cluster.ts';

/** Those that are compared with. */
export const PEERS: readonly Authority[] = ['knotd', 'nsd'];

export function missingPeers(): readonly string[] {
  return PEERS.filter((peer) => !isInstalled(peer));
}

export type Servers = {
  readonly fivedots: ServerAddress;
  readonly peers: ReadonlyMap<Authority, ServerAddress>;
  /** All records of the zones, the second SOA left out. */
  readonly records: readonly DecodedRecord[];
  readonly close: () => Promise<void>;
};

/** Changes the lines of a zone file on their way to an authority: how it is tried that a wrong zone is noticed. */
export type Corruption = (lines: readonly string[], authority: Authority) => readonly string[];

const corefileFor = ({ options }: Cluster): string => `${ZONES.map((zone) => `${zone}:{$PORT}`).join(' ')} {
  bind 127.0.0.1
  ready 127.0.0.1:{$READY_PORT}
  kubernetes {
    manifests {$CLUSTER}
    ${options.join('\n    ')}
  }
  transfer {
    to 127.0.0.1
  }
  loadbalance
}
`;

export async function startServers(cluster: Cluster, corrupted: Corruption = (lines) => lines): Promise<Servers> {
  const folder = await mkdtemp(join(tmpdir(), 'differential-'));
  const stops: (() => Promise<unknown>)[] = [async () => rm(folder, { recursive: true })];
  const close = async (): Promise<void> => {
    for (const stop of stops.toReversed()) await stop();
  };
  try {
    const manifests = join(folder, 'cluster');
    await mkdir(manifests);
    // A file for each kind: one for all would be larger than fivedots reads.
    for (const [kind, objects] of Map.groupBy(cluster.objects, (object) => object.kind)) {
      await writeFile(join(manifests, `${kind}.yaml`), objects.map((object) => JSON.stringify(object)).join('\n---\n'));
    }
    const server = await startServer({ corefile: { text: corefileFor(cluster) }, environment: { CLUSTER: manifests } });
    stops.push(() => server.close());
    const fivedots = { host: '127.0.0.1', port: server.port };
    const zones = await Promise.all(
      ZONES.map(async (name) => ({ name, records: (await receiveZone(fivedots, name)).records.slice(0, -1) })),
    );
    const peers = new Map<Authority, ServerAddress>();
    for (const authority of PEERS) {
      const files = zones.map(({ name }) => ({ name, file: join(folder, `${authority}-${name}.zone`) }));
      for (const [i, { file }] of files.entries()) {
        await writeFile(file, `${corrupted((zones[i]?.records ?? []).map(lineOf), authority).join('\n')}\n`);
      }
      const { address, stop } = await startAuthority(authority, await onLoopback(), files);
      stops.push(stop);
      peers.set(authority, address);
    }
    return { fivedots, peers, records: zones.flatMap(({ records }) => records), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A line of a zone file (RFC 1035 section 5.1). The names of these clusters need no escapes. */
function lineOf(record: DecodedRecord): string {
  const line = presentRecord(record);
  return record.type === 'SOA' ? line.replace('SERIAL', String(record.data.serial)) : line;
}
