/** The servers of a bench: how each is configured with a cluster and an upstream, and started. Knows nothing of load. */

import { accessSync, constants } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { FakeApiServer } from '../tests/support/fake-api-server.ts';
import { objectsOf, zoneFileOf, ZONE, type BenchService } from './services.ts';
import type { Workload } from './workloads.ts';

/** What a server is to serve, and where its files may be. */
type Setting = {
  /** A folder of its own, made already. */
  readonly folder: string;
  /** On 127.0.0.1, UDP and TCP. */
  readonly port: number;
  /** Free ports on 127.0.0.1, for health, readiness and metrics. */
  readonly adminPorts: readonly [number, number, number];
  readonly services: readonly BenchService[];
  /** Port on 127.0.0.1 of the server for outside names. */
  readonly upstreamPort: number;
};

export type Contender = {
  readonly name: string;
  readonly answers: ReadonlySet<Workload['needs']>;
  /** Writes its configuration; returns the command that serves in the foreground, as one process. */
  readonly prepare: (setting: Setting) => Promise<Command>;
};

export type Command = {
  readonly words: readonly string[];
  readonly variables?: Readonly<Record<string, string>>;
  /** Ends what the server was given to talk to. */
  readonly close?: () => Promise<void>;
};

/** As `npm start` starts it, with kubeadm's Corefile but for the addresses, and an API server of its own. */
export const fivedots: Contender = {
  name: 'fivedots',
  answers: new Set(['zone', 'resolver']),
  async prepare(setting) {
    const { folder, services } = setting;
    const api = await FakeApiServer.start();
    for (const object of objectsOf(services)) api.put(object);
    const words = [
      ...(await startWords()),
      '-conf',
      await written(folder, 'Corefile', corefileOf(setting, api.url, 'insecure')),
    ];
    return { words, close: () => api.close() };
  },
};

/** kubeadm's Corefile but for the addresses. */
export function corefileOf(
  { port, adminPorts, upstreamPort }: Setting,
  apiUrl: string,
  pods: 'insecure' | 'verified',
): string {
  const [health, ready, metrics] = adminPorts.map((adminPort) => `127.0.0.1:${adminPort}`);
  return `.:${port} {
    bind 127.0.0.1
    errors
    health ${health} {
      lameduck 0s
    }
    ready ${ready}
    kubernetes ${ZONE} in-addr.arpa ip6.arpa {
      endpoint ${apiUrl}
      pods ${pods}
      fallthrough in-addr.arpa ip6.arpa
      ttl 30
    }
    prometheus ${metrics}
    forward . 127.0.0.1:${upstreamPort} {
      max_concurrent 1000
    }
    cache 30
    loop
    reload
    loadbalance
  }\n`;
}

/** Authoritative server in C: the records as a zone, rotated as `loadbalance` does. One worker. */
const knot: Contender = {
  name: 'Knot',
  answers: new Set(['zone']),
  async prepare({ folder, port, services }) {
    const zone = await written(folder, 'zone', zoneFileOf(services));
    const configuration = `server:
  rundir: ${folder}
  listen: 127.0.0.1@${port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  answer-rotation: on
database:
  storage: ${folder}
zone:
  - domain: ${ZONE}
    file: ${zone}
    zonefile-sync: -1
    journal-content: none\n`;
    return { words: ['knotd', '-c', await written(folder, 'knot.conf', configuration)] };
  },
};

/** Resolver in C: the records as local data, the rest from the upstream and its cache. No validation, one thread. */
const unbound: Contender = {
  name: 'Unbound',
  answers: new Set(['zone', 'resolver']),
  async prepare({ folder, port, services, upstreamPort }) {
    const records = zoneFileOf(services).trimEnd().split('\n');
    const configuration = `server:
  interface: 127.0.0.1
  port: ${port}
  num-threads: 1
  chroot: ""
  username: ""
  directory: "${folder}"
  pidfile: ""
  use-syslog: no
  module-config: "iterator"
  do-not-query-localhost: no
  local-zone: "${ZONE}." static
${records.map((record) => `  local-data: "${record}"`).join('\n')}
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@${upstreamPort}
remote-control:
  control-enable: no\n`;
    return { words: ['unbound', '-d', '-c', await written(folder, 'unbound.conf', configuration)] };
  },
};

/** The peers that are installed here. */
export function installedPeers(): readonly Contender[] {
  return [
    { contender: knot, program: 'knotd' },
    { contender: unbound, program: 'unbound' },
  ].flatMap(({ contender, program }) => (isInstalled(program) ? [contender] : []));
}

/**
 * Any other server, by a shell command that finds `$PORT` to listen on, `$ZONE` and `$ZONE_FILE` with its records, and `$UPSTREAM`
 * (`host:port`) to forward to.
 */
export function peerFrom(name: string, command: string): Contender {
  return {
    name,
    answers: new Set(['zone', 'resolver']),
    async prepare({ folder, port, services, upstreamPort }) {
      const zoneFile = await written(folder, 'zone', zoneFileOf(services));
      const variables = { PORT: String(port), ZONE, ZONE_FILE: zoneFile, UPSTREAM: `127.0.0.1:${upstreamPort}` };
      return { words: ['sh', '-c', `exec ${command}`], variables };
    },
  };
}

/** Is there a program of that name? Servers live in sbin, which is not in everybody's PATH. */
export function isInstalled(program: string): boolean {
  return searchPath()
    .split(delimiter)
    .some((folder) => isExecutable(join(folder, program)));
}

export function searchPath(): string {
  return [process.env['PATH'] ?? '', '/usr/sbin', '/sbin'].join(delimiter);
}

/** Of package.json's script, with this very Node and a path that holds anywhere. */
export async function startWords(): Promise<readonly string[]> {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { scripts: { start: string } }; // our own file
  const [, ...words] = scripts.start.split(' ');
  return [process.execPath, ...words.map((word) => (word.endsWith('.ts') ? join(root, word) : word))];
}

export async function written(folder: string, name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
