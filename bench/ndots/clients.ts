/** Real resolvers: how each is asked for a name, and what it says. Knows nothing of networks and servers. */

import { isInstalled, type Finished } from '../../tests/support/programs.ts';
import type { Programs, ProgramName } from './programs.ts';

export type Client = {
  /** Also a label of names that only it asks for. */
  readonly name: string;
  /** The command that says its version; the program itself if there are no words. */
  readonly version: readonly string[];
  /** The command that looks the name up. */
  readonly command: (name: string) => readonly string[];
  /** Addresses in order, or in words why there are none: what a program that asked would be told. */
  readonly outcome: (finished: Finished) => string;
};

/** The resolvers that are here, and why the others are not. */
export type ClientsHere = { readonly clients: readonly Client[]; readonly missing: readonly string[] };

/** Programs that make clients of libraries. */
export const CLIENT_PROGRAMS: readonly ProgramName[] = ['musl', 'go', 'ares'];

export function clientsHere({ paths, missing }: Programs): ClientsHere {
  const found: Client[] = [];
  const lost: string[] = [];
  for (const client of CLIENTS) {
    const { name, version, program } = client;
    if ('command' in client) {
      if (isInstalled(program)) found.push(client);
      else lost.push(`${name} (${program} not installed)`);
      continue;
    }
    const path = paths.get(client.program);
    if (path === undefined) lost.push(`${name} (${missing.get(client.program) ?? 'not compiled'})`);
    else found.push({ ...client, command: (asked) => [path, asked], version: version.length === 0 ? [path] : version });
  }
  return { clients: found, missing: lost };
}

type Listed = (Client & { readonly program: string }) | (Omit<Client, 'command'> & { readonly program: ProgramName });

const CLIENTS: readonly Listed[] = [
  {
    name: 'glibc',
    program: 'getent',
    version: ['getent', '--version'],
    command: (name) => ['getent', 'ahosts', name],
    // Columns are an address, a socket type and, in the first line, the canonical name, whose letters may be large or small (RFC 4343).
    outcome: ({ code, stdout }) => {
      if (code !== 0) return code === NOT_FOUND ? 'not found' : `exit code ${code}`;
      const lines = stdout.trim().split('\n');
      const [, , canonical = ''] = lines[0]?.split(/ +/) ?? [];
      return `${addressesIn(lines.map((line) => line.split(' ')[0] ?? ''))} = ${canonical.toLowerCase()}`;
    },
  },
  {
    name: 'musl',
    program: 'musl',
    version: ['sh', '-c', '/lib/ld-musl-*.so.1'],
    outcome: ofLookup,
  },
  { name: 'go', program: 'go', version: ['go', 'version'], outcome: ofLookup },
  { name: 'c-ares', program: 'ares', version: [], outcome: ofLookup },
  {
    name: 'nslookup',
    program: 'nslookup',
    version: ['nslookup', '-version'],
    command: (name) => ['nslookup', name],
    outcome: ofNslookup,
  },
  {
    name: 'host',
    program: 'host',
    version: ['host', '-V'],
    command: (name) => ['host', name],
    outcome: ({ stdout }) =>
      found(
        [...stdout.matchAll(/has (?:IPv6 )?address (\S+)/g)].map(([, address = '']) => address),
        /not found: (.*)|(timed out)/.exec(stdout)?.slice(1).join('') ?? '',
      ),
  },
  {
    name: 'dig',
    program: 'dig',
    version: ['dig', '-v'],
    command: (name) => ['dig', '+search', name],
    outcome: ({ stdout }) =>
      found(
        [...stdout.matchAll(/^[^;]\S*\s+\d+\s+IN\s+A\s+(\S+)$/gm)].map(([, address = '']) => address),
        /status: (\w+)/.exec(stdout)?.[1] ?? 'no reply',
      ),
  },
  {
    name: 'busybox',
    program: 'busybox',
    version: ['busybox'],
    command: (name) => ['busybox', 'nslookup', name],
    outcome: ofNslookup,
  },
];

/** Of getent. */
const NOT_FOUND = 2;

/** Of fixtures/programs/lookup.c and those like it. */
function ofLookup({ stdout, stderr }: Finished): string {
  return found(stdout.split('\n'), stderr.trim());
}

/** The first address is the server's own. */
function ofNslookup({ stdout }: Finished): string {
  const answers = stdout.slice(stdout.indexOf('\n\n'));
  const faults = [...answers.matchAll(/^\*+ .*(?:: |')(.*)$/gm)].map(([, why = '']) => why);
  return found(
    [...answers.matchAll(/^Address: (\S+)$/gm)].map(([, address = '']) => address),
    [...new Set(faults)].toSorted().join(', '),
  );
}

function found(addresses: readonly string[], otherwise: string): string {
  const text = addressesIn(addresses);
  if (text !== '') return text;
  return otherwise === '' ? 'no address' : otherwise;
}

function addressesIn(words: readonly string[]): string {
  return [...new Set(words.filter((word) => word !== ''))].toSorted().join(' ');
}
