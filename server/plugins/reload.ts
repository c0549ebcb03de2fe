/** `reload`: how often the Corefile is looked at. The control thread does the looking; this only reads. */

import type { Milliseconds } from '../../zones/units.ts';
import type { Token } from '../corefile/block.ts';
import { refuse } from '../corefile/fault.ts';
import { argumentsOf, durationFrom, noBody, onlyDirective } from '../corefile/values.ts';
import type { Plugin } from '../pipeline.ts';
import { TIMER_MAX } from '../timer.ts';

export type ReloadOptions = {
  readonly interval: Milliseconds;
  /** The interval is made up to half of this longer or shorter, so that replicas do not reload together. */
  readonly jitter: Milliseconds;
};

export const reload: Plugin<ReloadOptions> = {
  name: 'reload',
  parse(directives) {
    const directive = onlyDirective(directives);
    noBody(directive);
    const [intervalToken, jitterToken] = argumentsOf(directive, 0, 2, 'reload [INTERVAL [JITTER]]');
    const interval = intervalToken === undefined ? 30_000 : durationFrom(intervalToken, INTERVAL_MIN, TIMER_MAX / 2);
    const jitter = jitterToken === undefined ? 15_000 : jitterFrom(jitterToken);
    return { interval, jitter: Math.min(jitter, interval / 2) };
  },
};

/** More often would be work without use: a ConfigMap takes up to a minute to arrive (CoreDNS plugin/reload has these limits). */
const INTERVAL_MIN: Milliseconds = 2_000;
const JITTER_MIN: Milliseconds = 1_000;

function jitterFrom(token: Token): Milliseconds {
  const jitter = durationFrom(token);
  return jitter === 0 || jitter >= JITTER_MIN ? jitter : refuse(token, '0 or a duration of at least 1s');
}
