/** Numbers and letters that nobody outside can guess, cheap enough for every query. Knows nothing of messages. */

import { randomFillSync } from 'node:crypto';

import type { Bytes, Count } from '../../zones/units.ts';

/** Ports from here to 65535 are drawn: those below are for servers (RFC 6056 section 3.2 wants the range as wide as can be). */
const PORT_MIN = 1024;
const VALUES: Count = 0x1_0000;

/** One call of the system's generator serves 4096 numbers; each is used once. */
const pool = new Uint16Array(4096);
let used: Count = pool.length;

/** A message id, RFC 5452 section 9.2. */
export function randomUint16(): number {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const value = pool[used] ?? 0;
  pool[used++] = 0;
  return value;
}

/** A source port (RFC 5452 section 9.2) other than the one that is asked: to a server on this machine a query would come back to itself. */
export function randomPort(asked: number): number {
  for (;;) {
    const port = PORT_MIN + randomBelow(VALUES - PORT_MIN);
    if (port !== asked) return port;
  }
}

/** Evenly among 0 to `count` - 1; `count` is at most 65536. */
export function randomBelow(count: Count): number {
  const even = VALUES - (VALUES % count);
  for (;;) {
    const value = randomUint16();
    if (value < even) return value % count;
  }
}

/** Makes each letter of the name there upper or lower case by chance (0x20): what a blind forger must guess besides id and port. */
export function randomizeCase(octets: Uint8Array, start: Bytes, end: Bytes): void {
  let bits = 0;
  let left: Count = 0;
  for (let i = start; i < end; i++) {
    // A length octet is below 64, so it is never taken for a letter.
    const lower = (octets[i] ?? 0) | 0x20;
    if (lower < 0x61 || lower > 0x7a || (octets[i] ?? 0) < 0x41) continue;
    if (left === 0) {
      bits = randomUint16();
      left = 16;
    }
    octets[i] = (bits & 1) === 1 ? lower : lower & ~0x20;
    bits >>= 1;
    left--;
  }
}
