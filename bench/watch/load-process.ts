/** The load's process as the bench holds it. */

import type { Count, Milliseconds } from '../../zones/units.ts';
import { Callee } from './calls.ts';
import type { Spread } from './spread.ts';

export type LoadCalls = {
  /** Asks the queries in turn, so many a second, until the process ends. */
  start(port: number, queries: readonly Uint8Array[], rate: number): Promise<void>;
  /** Forgets the questions until now. */
  begin(): void;
  /** What became of all questions since `begin`, or since the last `take`. */
  take(): Promise<Latencies>;
};

export type Latencies = Spread & {
  readonly asked: Count;
  /** No reply within a second. */
  readonly lost: Count;
  /** The most that the load itself was late with a question. */
  readonly latest: Milliseconds;
};

export type LoadProcess = Callee<LoadCalls>;

export function startLoad(): LoadProcess {
  return new Callee<LoadCalls>(PROGRAM);
}

const PROGRAM = new URL('./load-main.ts', import.meta.url);
