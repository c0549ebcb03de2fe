/** What a server of a bench is: how it is configured with a cluster and an upstream, and started. Knows no server by name. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Count } from '../zones/units.ts';
import { ZONE, type BenchService } from './services.ts';
import type { Ability } from './workloads.ts';
import { clusterZoneOf, outsideZoneOf, REVERSE_ZONE, reverseZoneOf, zoneFileOf, type ZoneData } from './zone-data.ts';

/** What a server is to serve, and where its files may be. */
export type Setting = {
  /** A folder of its own, made already. */
  readonly folder: string;
  /** On 127.0.0.1, UDP and TCP. */
  readonly port: number;
  /** Free ports on 127.0.0.1, for health, readiness and metrics. */
  readonly adminPorts: readonly [number, number, number];
  readonly services: readonly BenchService[];
  /** So many outside names are asked of servers that are no resolvers. */
  readonly outside: Count;
  /** Port on 127.0.0.1 of the server for outside names. */
  readonly upstreamPort: number;
  /** A warm folder for NODE_COMPILE_CACHE. */
  readonly compileCache: string;
};

export type Contender = {
  readonly name: string;
  readonly abilities: ReadonlySet<Ability>;
  /** Are its denials without an SOA? */
  readonly deniesBarely?: boolean;
  /** Does it send back what it is sent? */
  readonly isEcho?: boolean;
  /** Writes its configuration; returns the command that serves in the foreground. */
  readonly prepare: (setting: Setting) => Promise<Command>;
};

export type Command = {
  readonly words: readonly string[];
  readonly variables?: Readonly<Record<string, string>>;
  /** Ends what the server was given to talk to. */
  readonly close?: () => Promise<void>;
};

/** What servers of zones are given: the cluster's, its reverse one, and that of the world outside if it is asked for. */
export function zonesOf({ services, outside }: Setting): readonly ZoneData[] {
  const zones = [clusterZoneOf(services), reverseZoneOf(services)];
  return outside === 0 ? zones : [...zones, outsideZoneOf(outside)];
}

/**
 * Any other server, by a shell command that finds `$PORT` to listen on, `$ZONE` and `$REVERSE_ZONE` with their records in
 * `$ZONE_FILE` and `$REVERSE_ZONE_FILE`, and `$UPSTREAM` (`host:port`) to forward to.
 */
export function peerFrom(name: string, command: string): Contender {
  return {
    name,
    abilities: new Set(['zone', 'outside', 'cache', 'tcp']),
    async prepare({ folder, port, services, upstreamPort }) {
      const variables = {
        PORT: String(port),
        ZONE,
        ZONE_FILE: await written(folder, ZONE, zoneFileOf(clusterZoneOf(services))),
        REVERSE_ZONE,
        REVERSE_ZONE_FILE: await written(folder, REVERSE_ZONE, zoneFileOf(reverseZoneOf(services))),
        UPSTREAM: `127.0.0.1:${upstreamPort}`,
      };
      return { words: ['sh', '-c', `exec ${command}`], variables };
    },
  };
}

export async function written(folder: string, name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}
