/**
 * The servers that golden files ask: one for each pair of cluster and Corefile, started when first asked for. Knows where
 * the files are; the expectations are none of its business.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Protocol } from '../../server/query.ts';
import { exchange, serverAddressFrom, type ServerAddress } from './client.ts';
import { parseGolden, type GoldenCase, type GoldenFile } from './golden-file.ts';
import { encodeQuery } from './query.ts';
import { ROOT, startServer, type StartedServer } from './server.ts';
import { startStaticUpstream, type StaticUpstream } from './static-upstream.ts';

/** A golden file with its name, path and text. */
export type NamedGoldenFile = GoldenFile & { readonly name: string; readonly path: string; readonly text: string };

/** The golden files of a folder, by name; at once, for AVA wants its tests declared at once. */
export function readGoldenFiles(folder = 'fixtures/answers'): NamedGoldenFile[] {
  return readFixtures(folder).map((file) => ({ ...parseGolden(file.text, file.path), ...file }));
}

/** The texts of a folder. */
export function readFixtures(
  folder: string,
): { readonly name: string; readonly path: string; readonly text: string }[] {
  return readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.txt'))
    .toSorted()
    .map((name) => {
      const path = join(ROOT, folder, name);
      return { name: name.replace(/\.txt$/, ''), path, text: readFileSync(path, 'utf8') };
    });
}

/** Which server a file is about. */
export type Setting = Pick<GoldenFile, 'cluster' | 'corefile'>;

/**
 * With `DNS_UNDER_TEST=host:port` that server is asked instead, whatever the setting; it must have the cluster and the
 * configuration of the files it is tried with.
 */
export class GoldenServers {
  readonly #started = new Map<string, Promise<StartedServer>>();
  #upstream: Promise<StaticUpstream> | undefined;
  /** Servers start one after the other: a machine of two cores starts them no faster together. */
  #last: Promise<unknown> = Promise.resolve();

  async addressOf(setting: Setting): Promise<ServerAddress> {
    const given = process.env['DNS_UNDER_TEST'];
    if (given !== undefined) return serverAddressFrom(given);
    const key = `${setting.cluster} ${setting.corefile}`;
    let server = this.#started.get(key);
    if (server === undefined) {
      server = this.#last.then(() => this.#start(setting));
      this.#last = server.catch(() => undefined);
      this.#started.set(key, server);
    }
    return { host: '127.0.0.1', port: (await server).port };
  }

  /** The world outside that all of them forward to; there once a server is. */
  async upstream(): Promise<StaticUpstream> {
    this.#upstream ??= startStaticUpstream(readFileSync(join(ROOT, 'fixtures/upstreams/outside.txt'), 'utf8'));
    return this.#upstream;
  }

  async close(): Promise<void> {
    for (const server of await Promise.allSettled(this.#started.values())) {
      if (server.status === 'fulfilled') await server.value.close();
    }
    await (await this.#upstream)?.close();
  }

  async #start(setting: Setting): Promise<StartedServer> {
    const upstream = await this.upstream();
    const file = join(ROOT, setting.corefile);
    return startServer({
      corefile: { file },
      environment: { CLUSTER: join(ROOT, setting.cluster), UPSTREAM: upstream.address },
      until: /^\s*ready\b/m.test(readFileSync(file, 'utf8')) ? 'ready' : 'answering',
    });
  }
}

/** The query of a case and the reply, as octets. */
export async function askCase(
  server: ServerAddress,
  golden: GoldenCase,
  protocol: Protocol,
): Promise<{ readonly query: Buffer; readonly reply: Buffer }> {
  const id = crypto.getRandomValues(new Uint16Array(1))[0] ?? 0;
  const query = encodeQuery(id, golden.asked);
  return { query, reply: await exchange(server, protocol, query) };
}
