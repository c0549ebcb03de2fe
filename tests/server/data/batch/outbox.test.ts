import test from 'ava';

import { COUNTER_SLOTS, Counters } from '../../../../server/counters.ts';
import { BATCH, makeArena } from '../../../../server/data/batch/arena.ts';
import { Outbox } from '../../../../server/data/batch/outbox.ts';
import { writeAddress } from '../../../../server/data/batch/socket-address.ts';
import { loadSystemCalls, type Result, type SystemCalls } from '../../../../server/data/batch/system-calls.ts';

const EPERM = -1;
const EAGAIN = -11;
const ENOBUFS = -105;

/** A kernel that says this, one word for each call, and then takes everything. */
type Kernel = { readonly calls: SystemCalls; readonly asked: string[] };

/** struct mmsghdr; those of replies stand behind those of queries. */
const HEADER_SIZE = 64;

async function kernel(...results: readonly Result[]): Promise<Kernel> {
  const asked: string[] = [];
  const left = [...results];
  const calls: SystemCalls = {
    ...(await loadSystemCalls()),
    send(_socket, headers, count) {
      asked.push(`${count} from ${(headers.byteOffset - BATCH * HEADER_SIZE) / HEADER_SIZE}`);
      return left.shift() ?? count;
    },
  };
  return { calls, asked };
}

/** Posts so many replies and flushes; what the kernel was asked, as how many from which one on, and what was counted. */
async function posted(count: number, ...results: readonly Result[]): Promise<{ asked: string[]; unsent: number }> {
  const { calls, asked } = await kernel(...results);
  const slots = new Float64Array(new SharedArrayBuffer(COUNTER_SLOTS * 8));
  let unsent = -1;
  const counters = new Counters(slots.buffer, ({ metric, slot }) => {
    if (metric === 'fivedots_unsent_replies_total') unsent = slot;
  });
  const arena = makeArena(calls.addressOf);
  const outbox = new Outbox(arena, calls, counters);
  outbox.use(7);
  for (let i = 0; i < count; i++) {
    writeAddress(arena.view, outbox.address, '192.0.2.1', 1_000 + i);
    outbox.post(12, 16, 0);
  }
  outbox.flush();
  return { asked, unsent: slots[unsent] ?? -1 };
}

const CASES: readonly (readonly [string, number, readonly Result[], readonly string[], number])[] = [
  ['all go at once', 5, [], ['5 from 0'], 0],
  ['nothing is nothing', 0, [], [], 0],
  ['a full batch goes by itself', BATCH + 1, [], [`${BATCH} from 0`, '1 from 0'], 0],
  ['a bad one in the middle does not lose those behind it', 5, [2, EPERM], ['5 from 0', '3 from 2', '2 from 3'], 1],
  ['a bad one at the start', 3, [EPERM], ['3 from 0', '2 from 1'], 1],
  ['a bad one at the end', 3, [2, ENOBUFS], ['3 from 0', '1 from 2'], 1],
  ['all bad', 3, [EPERM, ENOBUFS, EPERM], ['3 from 0', '2 from 1', '1 from 2'], 3],
  ['no room is asked once more', 4, [EAGAIN], ['4 from 0', '4 from 0'], 0],
  ['no room twice counts the rest', 4, [1, EAGAIN, EAGAIN], ['4 from 0', '3 from 1', '3 from 1'], 3],
  ['no room, then some of them, then none again', 4, [EAGAIN, 2, EAGAIN], ['4 from 0', '4 from 0', '2 from 2'], 2],
  ['a kernel that takes none and says nothing', 2, [0, 0], ['2 from 0', '1 from 1'], 2],
];

for (const [title, count, results, asked, unsent] of CASES) {
  test(`replies to the kernel: ${title}`, async (t) => {
    t.deepEqual(await posted(count, ...results), { asked: [...asked], unsent });
  });
}

test('replies of one socket go before those of the next are written', async (t) => {
  const { calls, asked } = await kernel();
  const counters = new Counters(new SharedArrayBuffer(COUNTER_SLOTS * 8), () => {});
  const arena = makeArena(calls.addressOf);
  const outbox = new Outbox(arena, calls, counters);
  for (const socket of [7, 7, 8, 7]) {
    outbox.use(socket);
    writeAddress(arena.view, outbox.address, '192.0.2.1', 1_000);
    outbox.post(12, 16, 0);
  }
  outbox.flush();
  t.deepEqual(asked, ['2 from 0', '1 from 0', '1 from 0']);
});
