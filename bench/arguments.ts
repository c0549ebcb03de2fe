/** The command line of the bench to options. Knows nothing of what is done with them. */

import { parseArgs } from 'node:util';

import type { Count, Milliseconds } from '../zones/units.ts';
import { peerFrom, type Contender } from './contenders.ts';
import { fivedotsAs } from './fivedots.ts';
import type { Load } from './job.ts';
import { installedPeers } from './peers.ts';
import { WORKLOADS } from './workloads.ts';

/** What is measured besides workloads, in this order. */
export const MEASUREMENTS = ['latency', 'threads', 'growth', 'allocation', 'memory'] as const;
/** As the first word: benches of their own, with their own words behind it. */
export const WATCH = 'watch';
export const NDOTS = 'ndots';

/** Only if they are named: `mixed` and `big` have the same in them. */
const NAMED_ONLY: readonly string[] = ['denial', 'headless'];
const ALL: readonly string[] = [...WORKLOADS.keys(), ...MEASUREMENTS];

export const USAGE: string = `npm run bench [-- [WORKLOAD…] [OPTION…]]

CPU time per answered query of fivedots beside the servers that are installed here, and what else its users pay.
A wrong answer, or too many missing ones, fails it.

  WORKLOAD             ${ALL.join(', ')};
                       all but ${NAMED_ONLY.join(' and ')} if none is named
  --quick              one short round in a small cluster: to see that it works
  --rounds N           rounds, in each of which every server is started and measured (3)
  --seconds S          how long each measurement takes, after half as long for warming up (3)
  --names N            services, or outside names (1000)
  --queries N          of the workload "allocation" (10,000,000)
  --alone              no installed peers
  --with NAME=WORDS    fivedots once more, with these words on its command line: --with "plain dgram=--no-express --udp dgram"
  --peer NAME=COMMAND  one more server: a shell command for a process in the foreground, which listens on 127.0.0.1:$PORT, serves $ZONE
                       from $ZONE_FILE and $REVERSE_ZONE from $REVERSE_ZONE_FILE, and the rest from $UPSTREAM
  --help               these lines

npm run bench -- watch measures large clusters that change; npm run bench -- watch --help says how.
npm run bench -- ndots measures look-ups with a pod's search list; npm run bench -- ndots --help says how.
`;

export type Options = {
  readonly wanted: readonly string[];
  readonly rounds: Count;
  readonly load: Load;
  readonly names: Count;
  readonly queries: Count;
  readonly peers: readonly Contender[];
};

/** What the words ask for, or in a sentence why nothing can be made of them. */
export function optionsFrom(words: readonly string[]): Options | string {
  try {
    const { values, positionals } = parseArgs({ args: [...words], options: OPTIONS, allowPositionals: true });
    const unknown = positionals.find((name) => !ALL.includes(name));
    if (unknown !== undefined) return `There is no workload "${unknown}".`;
    const preset = values.quick ? QUICK : USUAL;
    const figure = (name: keyof typeof USUAL, least: number): number =>
      numberFrom(name, values[name] ?? preset[name], least);
    const duration: Milliseconds = 1000 * figure('seconds', 0.1);
    return {
      wanted: positionals.length === 0 ? ALL.filter((name) => !NAMED_ONLY.includes(name)) : positionals,
      rounds: Math.floor(figure('rounds', 1)),
      load: { warmUp: duration / 2, duration },
      names: Math.floor(figure('names', 1)),
      queries: Math.floor(figure('queries', 1)),
      peers: [
        ...(values.alone ? [] : installedPeers()),
        ...values.with.map((text) => wayFrom(...namedBy('with', 'WORDS', text))),
        ...values.peer.map((text) => peerFrom(...namedBy('peer', 'COMMAND', text))),
      ],
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const OPTIONS = {
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  names: { type: 'string' },
  queries: { type: 'string' },
  quick: { type: 'boolean', default: false },
  alone: { type: 'boolean', default: false },
  with: { type: 'string', multiple: true, default: [] as string[] },
  peer: { type: 'string', multiple: true, default: [] as string[] },
} as const;

const USUAL = { rounds: '3', seconds: '3', names: '1000', queries: '10000000' };
const QUICK = { rounds: '1', seconds: '0.3', names: '100', queries: '200000' };

function numberFrom(name: keyof typeof USUAL, text: string, least: number): number {
  const value = Number(text);
  const most = MOST[name];
  if (!(value >= least && value <= most))
    throw new RangeError(`--${name} must be from ${least} to ${most}, found "${text}".`);
  return value;
}

function namedBy(option: string, what: string, text: string): [name: string, value: string] {
  const [, name, value] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new Error(`--${option} must be NAME=${what}, found "${text}".`);
  return [name, value];
}

function wayFrom(name: string, words: string): Contender {
  return fivedotsAs(name, { words: words.split(' ') });
}

/** Ten endpoints of each service must have addresses of their own between 10.244.0.0 and 10.255.255.255. */
const NAMES_MAX: Count = 50_000;
const MOST: Readonly<Record<keyof typeof USUAL, number>> = {
  rounds: 1_000,
  seconds: 3_600,
  names: NAMES_MAX,
  queries: 1_000_000_000,
};
