/** The names of the world outside of a bench cluster. Knows no server; bench/native/floor.c knows the same names. */

import type { Count } from '../zones/units.ts';
import { addressAt } from './services.ts';

/** The zone that all of them are in. */
export const OUTSIDE = 'example.org';

export function outsideName(i: Count): string {
  return `host-${i}.${OUTSIDE}`;
}

/** From the range for benchmarks (RFC 2544 appendix C.2.2). */
export function outsideAddress(i: Count): string {
  return addressAt([198, 18], i);
}
