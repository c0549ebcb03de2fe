/** All faults that are played, by number. */

import type { FaultCase } from './fault-case.ts';
import { LISTS } from './lists.ts';
import { OBJECTS } from './objects.ts';
import { ODD_EVENTS } from './odd-events.ts';
import { REFUSALS } from './refusals.ts';
import { RESUMED } from './resumed.ts';
import { SILENCES } from './silences.ts';
import { SIZE } from './size.ts';

export const CASES: readonly FaultCase[] = [LISTS, RESUMED, SILENCES, ODD_EVENTS, REFUSALS, SIZE, OBJECTS]
  .flat()
  .toSorted((a, b) => a.number - b.number);
