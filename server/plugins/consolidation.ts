/** Faults that are counted for a while and then summed up in one line, pattern by pattern. Knows nothing of queries. */

import type { Count, Milliseconds } from '../../zones/units.ts';
import type { Level, Log } from '../log.ts';
import type { Kept } from '../pipeline.ts';
import { compilePattern, type Pattern } from './pattern.ts';
import type { Schedule } from '../timer.ts';

/** `consolidate DURATION REGEX [LEVEL] [show_first]`. */
export type ConsolidationRule = {
  readonly period: Milliseconds;
  /** As written: it is repeated in the summary. */
  readonly periodText: string;
  readonly pattern: Pattern;
  readonly level: Level;
  readonly showFirst: boolean;
};

/** Rules of one block: each costs every fault a search. */
export const RULES_MAX: Count = 64;

/** One timer and one number for each rule, however many faults there are. */
export class Consolidation implements Kept {
  readonly #tallies: readonly Tally[];
  readonly #log: Log;
  readonly #schedule: Schedule;
  #isClosed = false;

  constructor(rules: readonly ConsolidationRule[], log: Log, schedule: Schedule) {
    this.#tallies = rules.map((rule) => ({ rule, search: compilePattern(rule.pattern), count: 0, stop: undefined }));
    this.#log = log;
    this.#schedule = schedule;
  }

  /** Logs `line`, or counts it: the first rule whose pattern is found in the fault decides. */
  report(fault: string, line: string): void {
    const tally = this.#tallies.find(({ search }) => search.test(fault));
    if (tally === undefined || this.#isClosed) {
      this.#log('error', SOURCE, line);
      return;
    }
    tally.count++;
    if (tally.count > 1) return;
    tally.stop = this.#schedule(tally.rule.period, () => this.#sumUp(tally));
    if (tally.rule.showFirst) this.#log(tally.rule.level, SOURCE, line);
  }

  /** Sums up what was counted so far; what is reported later is logged at once. */
  close(): void {
    this.#isClosed = true;
    for (const tally of this.#tallies) this.#sumUp(tally);
  }

  #sumUp(tally: Tally): void {
    const { count, rule } = tally;
    tally.stop?.();
    tally.stop = undefined;
    tally.count = 0;
    if (count === 0 || (count === 1 && rule.showFirst)) return;
    this.#log(rule.level, SOURCE, `${count} errors like '${rule.pattern.text}' occurred in last ${rule.periodText}`);
  }
}

const SOURCE = 'plugin/errors';

/** `stop` is there as long as a timer runs. */
type Tally = {
  readonly rule: ConsolidationRule;
  readonly search: RegExp;
  count: Count;
  stop: (() => void) | undefined;
};
