/** What a load generator is told, as words, and what it says when it is done. Knows neither of the two generators. */

import type { Count, Milliseconds } from '../zones/units.ts';
import type { Microseconds } from './process-cost.ts';
import type { Spread } from './watch/spread.ts';

export type Load = {
  /** For just-in-time compilers, which servers in C do not mind. */
  readonly warmUp: Milliseconds;
  readonly duration: Milliseconds;
  readonly transport?: 'udp' | 'tcp';
  /** Queries on the way at once, over all sockets. */
  readonly window?: Count;
  readonly sockets?: Count;
  /** So many a second, whether there are replies or not, in place of a window. */
  readonly rate?: number;
  /** So many queries in place of `duration`. */
  readonly count?: Count;
};

export type Job = Required<Load> & {
  readonly port: number;
  /** The processes that answer there. */
  readonly pids: readonly number[];
  /** Of bench/question-file.ts. */
  readonly file: string;
};

/** What became of the queries; `missing` ones had no reply in time. */
export type Tally = {
  asked: Count;
  answered: Count;
  missing: Count;
  wrong: Count;
  /** The first of the wrong replies, in words. */
  readonly faults: string[];
};

/** What a generator prints, as JSON. */
export type Measurement = {
  /** Right answers within the measured time. */
  readonly answered: Count;
  readonly elapsed: Milliseconds;
  readonly cpuTime: Microseconds;
  /** Of the warm-up too. */
  readonly tally: Readonly<Tally>;
  /** From the moment that a query was due, where there is a rate; what is missing counts as two seconds. */
  readonly latency: Spread;
};

/** Enough to keep a server busy, few enough for the smallest receive buffer. */
export const WINDOW: Count = 128;
/** Each asks anew when half of its share is answered: in bursts, as clients do, so that servers that read several queries at once can. */
export const SOCKETS: Count = 4;

export function wordsOf(
  load: Load,
  { port, pids, file }: { readonly port: number; readonly pids: readonly number[]; readonly file: string },
): readonly string[] {
  const { transport = 'udp', window = WINDOW, sockets = SOCKETS, rate = 0, count = 0, warmUp, duration }: Load = load;
  const job: Record<keyof Job, unknown> = {
    transport,
    window,
    sockets,
    rate,
    count,
    warmUp,
    duration,
    port,
    file,
    pids: pids.join(','),
  };
  return Object.entries(job).map(([name, value]) => `${name}=${String(value)}`);
}

export function jobFrom(words: readonly string[]): Job {
  const values = new Map(
    words.map((word): [string, string] => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
  );
  const number = (name: keyof Job): number => Number(values.get(name));
  return {
    transport: values.get('transport') === 'tcp' ? 'tcp' : 'udp',
    window: number('window'),
    sockets: number('sockets'),
    rate: number('rate'),
    count: number('count'),
    warmUp: number('warmUp'),
    duration: number('duration'),
    port: number('port'),
    file: values.get('file') ?? '',
    pids: (values.get('pids') ?? '').split(',').map(Number),
  };
}
