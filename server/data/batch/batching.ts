/** Chooses whether datagrams are batched, and says so. Knows what a thread needs for it, and when node:dgram does the work alone. */

import type { Milliseconds } from '../../../zones/units.ts';
import type { Counters } from '../../counters.ts';
import type { Log } from '../../log.ts';
import type { UdpMode } from '../../messages.ts';
import { makeArena } from './arena.ts';
import type { Means } from './batched-socket.ts';
import { Doorbell } from './doorbell.ts';
import { Outbox } from './outbox.ts';
import { testCalls } from './self-test.ts';
import { loadSystemCalls, type SystemCalls } from './system-calls.ts';

/** What the sockets of one thread share. */
export type Batching = Means & { readonly doorbell: Doorbell };

export type BatchingOptions = {
  readonly mode: UdpMode;
  readonly log: Log;
  readonly counters: Counters;
  /** Monotonic. */
  readonly clock: () => Milliseconds;
  readonly load?: () => Promise<SystemCalls>;
};

/** Undefined where node:dgram has to do, by choice or for want of the calls; a line in the log says which and why. */
export async function openBatching(options: BatchingOptions): Promise<Batching | undefined> {
  const { mode, log, counters, clock, load = loadSystemCalls } = options;
  if (mode === 'dgram') {
    log('info', '', 'UDP: node:dgram, as the command line says');
    return undefined;
  }
  try {
    const calls = await load();
    const arena = makeArena(calls.addressOf);
    testCalls(calls, arena);
    const outbox = new Outbox(arena, calls, counters);
    log('info', '', 'UDP: batched, recvmmsg and sendmmsg');
    return { calls, arena, outbox, clock, round: { isOpen: false }, doorbell: new Doorbell(calls) };
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n');
    log(
      'warning',
      '',
      `UDP: node:dgram, at about twice the cost and without \`bind\` no answers from 127.0.0.2 and the like, because batching does not work here: ${reason}`,
    );
    return undefined;
  }
}
