/** The HTTP ports of the server: opened once and kept over reloads as long as they are wanted. Knows nothing of what they say. */

import type { Count } from '../../zones/units.ts';
import { AdminServer, type HttpAddress, type Pages, type PageSource } from './admin-http.ts';

/** One path at one address. */
export type EndpointWish = { readonly address: HttpAddress; readonly path: string; readonly source: PageSource };

/** New ports that are open but not in use yet. */
export type PreparedEndpoints = {
  /** From now on these are the ports; those that nobody wants are closed. */
  readonly commit: () => Promise<void>;
  /** They are not needed after all. */
  readonly abandon: () => Promise<void>;
};

export class Endpoints {
  #servers = new Map<string, AdminServer>();
  #dropped: Count = 0;

  /** Connections that were closed to make room for others. */
  get droppedConnections(): Count {
    return this.#dropped;
  }

  /**
   * Opens the ports that are wanted and not open.
   * @throws Error that names the address that cannot be used
   */
  async prepare(wishes: readonly EndpointWish[]): Promise<PreparedEndpoints> {
    const wanted = pagesByAddress(wishes);
    const opened = new Map<string, AdminServer>();
    const abandon = async (): Promise<void> => {
      await Promise.all([...opened.values()].map((server) => server.close()));
    };
    for (const [key, { address, pages }] of wanted) {
      if (this.#servers.has(key)) continue;
      try {
        opened.set(key, await AdminServer.open(address, pages, () => this.#dropped++));
      } catch (error) {
        await abandon();
        throw new Error(whyNot(key, [...pages.keys()], error), { cause: error });
      }
    }
    const commit = async (): Promise<void> => {
      const before = this.#servers;
      this.#servers = new Map();
      for (const [key, { pages }] of wanted) {
        const server = opened.get(key) ?? before.get(key);
        if (server === undefined) continue;
        server.setPages(pages);
        this.#servers.set(key, server);
      }
      await Promise.all([...before].filter(([key]) => !this.#servers.has(key)).map(([, server]) => server.close()));
    };
    return { commit, abandon };
  }

  /** Where the server for this address really listens; a port of 0 has become one. */
  boundTo(address: HttpAddress): HttpAddress | undefined {
    return this.#servers.get(keyOf(address))?.address;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#servers.values()].map((server) => server.close()));
    this.#servers.clear();
  }
}

/** `:8080`, `127.0.0.1:8080`, `[::1]:8080`. */
function keyOf({ host, port }: HttpAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function pagesByAddress(wishes: readonly EndpointWish[]): Map<string, { address: HttpAddress; pages: Pages }> {
  const byAddress = Map.groupBy(wishes, ({ address }) => keyOf(address));
  return new Map(
    [...byAddress].flatMap(([key, [first, ...more]]) => {
      if (first === undefined) return [];
      const pages = new Map([first, ...more].map(({ path, source }) => [path, source]));
      return [[key, { address: first.address, pages }] as const];
    }),
  );
}

function whyNot(key: string, paths: readonly string[], error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const what = `Port ${key} for ${paths.join(', ')} cannot be opened`;
  if (code === 'EADDRINUSE')
    return `${what}: another program uses it. Give the plugin another address in the Corefile, or stop that program.`;
  if (code === 'EACCES')
    return `${what}: this user may not use ports below 1024. Give the plugin a higher one in the Corefile.`;
  if (code === 'EADDRNOTAVAIL') return `${what}: this machine does not have that address. Correct it in the Corefile.`;
  return `${what}: ${error instanceof Error ? error.message : String(error)}.`;
}
