/** When a measurement counts: not with one wrong answer in it, nor with more than a few missing. */

import type { Count } from '../zones/units.ts';
import { note } from './bench.ts';
import type { Measurement } from './job.ts';

/** Share of the queries that may stay without a reply: UDP loses some when the machine stalls. */
const MISSING_MAX = 0.001;

/** @throws Error that says what was wrong */
export function checked(measurement: Measurement, server: string, missingMax: number = MISSING_MAX): Measurement {
  const { asked, missing, wrong, faults } = measurement.tally;
  if (wrong > 0)
    throw new Error(`${server}: ${wrong} of ${asked} answers were wrong, such as\n  ${faults.join('\n  ')}`);
  if (missing > missingMax * asked)
    throw new MissingError(`${server}: ${missing} of ${asked} answers were missing`, missing / asked);
  if (measurement.answered === 0) throw new Error(`${server}: no answer came while it was measured`);
  return measurement;
}

/**
 * Measures once more where so few are missing that a stall of the machine explains it, as other people's work may be the reason for.
 * @throws Error that says what was wrong
 */
export async function measuredRightly(measure: () => Promise<Measurement>, server: string): Promise<Measurement> {
  for (let tries = 1; ; tries++) {
    try {
      return checked(await measure(), server);
    } catch (error) {
      const isStall = error instanceof MissingError && error.share < STALL_MAX;
      if (!isStall || tries === TRIES_MAX) throw error;
      note(`${error.message}; once more`);
    }
  }
}

const STALL_MAX = 0.05;
const TRIES_MAX: Count = 3;

class MissingError extends Error {
  readonly share: number;

  constructor(message: string, share: number) {
    super(message);
    this.share = share;
  }
}
