/** When a measurement counts: not with one wrong answer in it, nor with more than a few missing. */

import type { Measurement } from './generator.ts';

/** Share of the queries that may stay without a reply: UDP loses some when the machine stalls. */
const MISSING_MAX = 0.001;

/** @throws Error that says what was wrong */
export function checked(measurement: Measurement, server: string): Measurement {
  const { asked, missing, wrong, faults } = measurement.tally;
  if (wrong > 0)
    throw new Error(`${server}: ${wrong} of ${asked} answers were wrong, such as\n  ${faults.join('\n  ')}`);
  if (missing > MISSING_MAX * asked) throw new Error(`${server}: ${missing} of ${asked} answers were missing`);
  if (measurement.answered === 0) throw new Error(`${server}: no answer came while it was measured`);
  return measurement;
}
