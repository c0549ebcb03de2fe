/**
 * What every server under test is given: data, addresses to listen at, an upstream and a spare one, an API server. Knows no server and no
 * check.
 */

import { readdir, readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';

import { parseAllDocuments } from 'yaml';

import { exchange, type ServerAddress } from '../support/client.ts';
import { startEvilUpstream, type EvilUpstream } from '../support/evil-upstream.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import { asked, encodeQuery } from '../support/query.ts';
import { rawNamespace, type RawObject } from '../support/raw-objects.ts';
import { ROOT } from '../support/server.ts';
import type { Need } from './check.ts';
import { ZONE } from './cluster.ts';

export const FIXTURE: string = join(ROOT, 'fixtures/conformance');

/** Only Linux has all of 127.0.0.0/8. */
const SECOND_ADDRESS = process.platform === 'linux' ? '127.0.0.2' : undefined;

/** Containers often have no IPv6. */
export const LOOPBACK: readonly string[] = [
  '127.0.0.1',
  ...(SECOND_ADDRESS === undefined ? [] : [SECOND_ADDRESS]),
  ...(interfaceOf('::1') === undefined ? [] : ['::1']),
];

/** The same for a Corefile's `bind`: an interface, which is not everywhere `lo`, and an address. */
export const LOOPBACK_VARIABLES: Readonly<Record<string, string>> = {
  LOOPBACK: interfaceOf('127.0.0.1') ?? '127.0.0.1',
  SECOND_ADDRESS: SECOND_ADDRESS ?? '127.0.0.1',
};

function interfaceOf(host: string): string | undefined {
  return Object.entries(networkInterfaces()).find(([, list]) => list?.some(({ address }) => address === host))?.[0];
}

export function addressesAt(port: number): readonly ServerAddress[] {
  return LOOPBACK.map((host) => ({ host, port }));
}

/** What of it this machine lets a server offer. */
export function offered(needs: readonly Need[]): ReadonlySet<Need> {
  return new Set(needs.filter((need) => need !== 'addresses' || SECOND_ADDRESS !== undefined));
}

/** Has it read the zone, at all of its addresses? */
export async function isAnswering(addresses: readonly ServerAddress[]): Promise<boolean> {
  try {
    for (const address of addresses) {
      const reply = await exchange(address, 'tcp', encodeQuery(1, asked(ZONE, 'SOA')));
      if ((reply.readUInt8(3) & 15) !== 0) return false;
    }
    return true;
  } catch {
    return false;
  }
}

/** The world outside: everything, and what is under `spare.test`. */
export class Upstreams {
  readonly first: EvilUpstream;
  readonly spare: EvilUpstream;

  private constructor(first: EvilUpstream, spare: EvilUpstream) {
    this.first = first;
    this.spare = spare;
  }

  /** On free ports, or at `port` and the one behind it. */
  static async start(port?: number): Promise<Upstreams> {
    const first = await startEvilUpstream(port === undefined ? {} : { port });
    return new Upstreams(first, await startEvilUpstream(port === undefined ? {} : { port: port + 1 }));
  }

  /** As a Corefile asks for them. */
  get variables(): Readonly<Record<string, string>> {
    return { UPSTREAM: this.first.address, SPARE: this.spare.address };
  }

  async close(): Promise<void> {
    await this.first.close();
    await this.spare.close();
  }
}

/** The objects of fixtures/conformance/cluster behind an API server, for servers that read no manifests. */
export async function startApiServer(): Promise<FakeApiServer> {
  const api = await FakeApiServer.start();
  api.put(rawNamespace('default'));
  const folder = join(FIXTURE, 'cluster');
  for (const file of await readdir(folder)) {
    const documents = parseAllDocuments(await readFile(join(folder, file), 'utf8'));
    for (const document of documents) api.put(document.toJS() as RawObject); // ours, and checked by fivedots when it reads them
  }
  return api;
}
