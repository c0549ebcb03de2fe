/**
 * Gives back the memory that reading lists and events took: V8 looks for garbage when it needs room, and leaves what remains
 * scattered over its pages. Knows nothing of clusters.
 */

import type { Milliseconds } from '../../zones/units.ts';
import type { OpenSource } from './clusters.ts';
import type { Stop, Timers } from './timers.ts';

/** After the last list: those of all kinds come close together. */
export const COLLECT_AFTER_LIST: Milliseconds = 2_000;
/** After an event, if nobody has collected until then. */
export const COLLECT_AFTER_EVENT: Milliseconds = 30_000;

/** The same sources; some time after they have told of something `collect` is called, once for all that came until then. */
export function collectingAfterChanges(open: OpenSource, timers: Timers, collect: () => void): OpenSource {
  let isDue = false;
  let callOff: Stop = () => {};
  const collectIn = (delay: Milliseconds): void => {
    callOff();
    isDue = true;
    callOff = timers.after(delay, () => {
      isDue = false;
      collect();
    });
  };
  return (options, events) =>
    open(options, {
      ...events,
      change(changes) {
        events.change(changes);
        if (changes.some(({ verb }) => verb === 'replace')) collectIn(COLLECT_AFTER_LIST);
        else if (!isDue) collectIn(COLLECT_AFTER_EVENT);
      },
    });
}

/** Collects what this thread does not need, and moves the rest together: 15 to 60 ms. Nothing without `--expose-gc`. */
export function collectGarbage(): void {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
