/** fivedots as a server of a bench, in all its ways. Knows nothing of load. */

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { FakeApiServer } from '../tests/support/fake-api-server.ts';
import { written, type Contender, type Setting } from './contenders.ts';
import { objectsOf, ZONE } from './services.ts';

/** What is other than in the image. */
type Way = {
  /** Of its command line. */
  readonly words?: readonly string[];
  /** Of its Corefile. */
  readonly lines?: string;
  /** Of its environment. */
  readonly variables?: Readonly<Record<string, string>>;
};

/** As the image starts it, with kubeadm's Corefile but for the addresses, and an API server of its own. */
export const fivedots: Contender = fivedotsAs('fivedots');
/** A system call for each datagram. */
export const overDgram: Contender = fivedotsAs('fivedots --udp dgram', { words: ['--udp', 'dgram'] });
/** Every query in the plain lane. */
export const inPlainLane: Contender = fivedotsAs('fivedots --no-express', { words: ['--no-express'] });
/** Two data threads. */
export const withTwoThreads: Contender = fivedotsAs('fivedots, 2 threads', { lines: 'multisocket 2' });

export function fivedotsAs(name: string, { words = [], lines = '', variables = {} }: Way = {}): Contender {
  return {
    name,
    abilities: new Set(['zone', 'outside', 'cache', 'tcp']),
    async prepare(setting) {
      const api = await FakeApiServer.start();
      for (const object of objectsOf(setting.services)) api.put(object);
      const corefile = await written(setting.folder, 'Corefile', corefileOf(setting, api.url, 'insecure', lines));
      return {
        words: [...(await startWords()), ...words, '-conf', corefile],
        variables: { ...imageVariables(setting.compileCache), ...variables },
        close: () => api.close(),
      };
    },
  };
}

/** kubeadm's Corefile but for the addresses. */
export function corefileOf(
  { port, adminPorts, upstreamPort }: Setting,
  apiUrl: string,
  pods: 'insecure' | 'verified',
  lines = '',
): string {
  const [health, ready, metrics] = adminPorts.map((adminPort) => `127.0.0.1:${adminPort}`);
  return `.:${port} {
    bind 127.0.0.1
    ${lines}
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

/** Of package.json's script, with this very Node and a path that holds anywhere. */
export async function startWords(): Promise<readonly string[]> {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { scripts: { start: string } }; // our own file
  const [, ...words] = scripts.start.split(' ');
  return [process.execPath, ...words.map((word) => (word.endsWith('.ts') ? join(root, word) : word))];
}

/** As the image has them. */
export function imageVariables(compileCache: string): Readonly<Record<string, string>> {
  return { NODE_COMPILE_CACHE: compileCache, MALLOC_ARENA_MAX: '1' };
}

/** Lets `use` have a warm folder for NODE_COMPILE_CACHE: as the image is built, by one run that checks only. */
export async function withCompileCache<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'fivedots-bench-'));
  try {
    const [program = '', ...words] = await startWords();
    const env = { ...process.env, NODE_COMPILE_CACHE: folder };
    await promisify(execFile)(program, [...words, '--check'], { env });
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Does it know `multisocket`? */
export async function knowsThreads(): Promise<boolean> {
  const [program = '', ...words] = await startWords();
  const { stdout } = await promisify(execFile)(program, [...words, '-plugins']);
  return stdout.includes('dns.multisocket');
}
