/** The command line of the bench to options. Knows nothing of what is done with them. */

import { parseArgs } from 'node:util';

import type { Count, Milliseconds } from '../zones/units.ts';
import { installedPeers, peerFrom, type Contender } from './contenders.ts';
import type { Load } from './generator.ts';
import { WORKLOADS } from './workloads.ts';

/** The workload that is no load. */
export const MEMORY = 'memory';
/** As the first word: a bench of its own, with its own words behind it. */
export const WATCH = 'watch';

export const USAGE: string = `npm run bench [-- [WORKLOAD…] [OPTION…]]

CPU time per answered query and resident memory of fivedots beside the servers that are installed here.
A wrong answer, or too many missing ones, fails it.

  WORKLOAD             ${[...WORKLOADS.keys(), MEMORY].join(', ')}; all if none is named
  --rounds N           rounds, in each of which every server is started and measured (3)
  --seconds S          how long each measurement takes, after half as long for warming up (4)
  --names N            services, or outside names (1000)
  --alone              no installed peers
  --peer NAME=COMMAND  one more server: a shell command for one process in the foreground, which listens on 127.0.0.1:$PORT and
                       serves $ZONE from $ZONE_FILE, and the rest from $UPSTREAM
  --help               these lines

npm run bench -- watch measures large clusters that change; npm run bench -- watch --help says how.
`;

export type Options = {
  readonly workloads: readonly string[];
  readonly rounds: Count;
  readonly load: Load;
  readonly names: Count;
  readonly peers: readonly Contender[];
};

/** What the words ask for, or in a sentence why nothing can be made of them. */
export function optionsFrom(words: readonly string[]): Options | string {
  try {
    const { values, positionals } = parseArgs({ args: [...words], options: OPTIONS, allowPositionals: true });
    const known = [...WORKLOADS.keys(), MEMORY];
    const unknown = positionals.find((name) => !known.includes(name));
    if (unknown !== undefined) return `There is no workload "${unknown}".`;
    const duration: Milliseconds = 1000 * numberFrom('seconds', values.seconds, 0.1);
    return {
      workloads: positionals.length === 0 ? known : positionals,
      rounds: Math.floor(numberFrom('rounds', values.rounds, 1)),
      load: { warmUp: duration / 2, duration },
      names: Math.floor(numberFrom('names', values.names, 1)),
      peers: [...(values.alone ? [] : installedPeers()), ...values.peer.map(peerOf)],
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const OPTIONS = {
  rounds: { type: 'string', default: '3' },
  seconds: { type: 'string', default: '4' },
  names: { type: 'string', default: '1000' },
  alone: { type: 'boolean', default: false },
  peer: { type: 'string', multiple: true, default: [] as string[] },
} as const;

function numberFrom(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!(value >= least && value <= NUMBER_MAX))
    throw new RangeError(`--${name} must be from ${least} to ${NUMBER_MAX}, found "${text}".`);
  return value;
}

function peerOf(text: string): Contender {
  const [, name, command] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (name === undefined || command === undefined) throw new Error(`--peer must be NAME=COMMAND, found "${text}".`);
  return peerFrom(name, command);
}

/** Ten endpoints of each service must have addresses of their own between 10.244.0.0 and 10.255.255.255. */
const NUMBER_MAX: Count = 50_000;
