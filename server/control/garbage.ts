/**
 * Gives back the memory that reading a list took: V8 looks for garbage when it needs room, and a thread that has read its
 * lists needs none. Knows nothing of clusters.
 */

import type { Milliseconds } from '../../zones/units.ts';
import type { OpenSource } from './clusters.ts';
import type { Stop, Timers } from './timers.ts';

/** After the last list: those of all kinds come close together. */
export const COLLECT_AFTER: Milliseconds = 2_000;

/** The same sources; when lists have come `collect` is called once. */
export function collectingAfterLists(open: OpenSource, timers: Timers, collect: () => void): OpenSource {
  let callOff: Stop = () => {};
  return (options, events) =>
    open(options, {
      ...events,
      change(changes) {
        events.change(changes);
        if (!changes.some(({ verb }) => verb === 'replace')) return;
        callOff();
        callOff = timers.after(COLLECT_AFTER, collect);
      },
    });
}

/** Collects what this thread does not need, and moves the rest together; ten milliseconds or twenty. Nothing without `--expose-gc`. */
export function collectGarbage(): void {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
