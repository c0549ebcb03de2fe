/** One cluster for several data threads: each at its own pace, all with the same states. */

import test from 'ava';
import fc from 'fast-check';

import { ClusterFeed } from '../../../server/control/cluster-feed.ts';
import { ClusterReceiver } from '../../../server/data/cluster-receiver.ts';
import type { ClusterPart } from '../../../server/messages.ts';
import { Listing } from '../../../zones/kubernetes/listing.ts';
import type { SourceChange } from '../../../zones/kubernetes/source.ts';
import { ClusterStore } from '../../../zones/kubernetes/store/store.ts';
import type { Count, Seconds } from '../../../zones/units.ts';
import { removal, service } from '../../support/example-cluster.ts';

const NOW: Seconds = 1_800_000_000;

type Thread = { readonly way: ClusterPart[]; readonly store: ClusterStore; readonly receiver: ClusterReceiver };

/** Threads that take in a part when they are told to. Their own clocks are of no use. */
class Threads {
  now: Seconds = NOW;
  readonly feed: ClusterFeed;
  readonly all: Thread[];

  constructor(count: Count) {
    this.feed = new ClusterFeed({
      threads: count,
      wallClock: () => this.now,
      send: (part, thread) => this.all[thread]?.way.push(part),
    });
    this.all = Array.from({ length: count }, (_, index) => this.#newThread(index));
  }

  arrive(index: Count): boolean {
    const thread = this.all[index];
    const part = thread?.way.shift();
    if (part !== undefined) thread?.receiver.take(part);
    return part !== undefined;
  }

  settle(): void {
    for (const index of this.all.keys()) while (this.arrive(index));
  }

  replace(index: Count): void {
    this.all[index] = this.#newThread(index);
    this.all[index].way.push(...this.feed.restart(index));
  }

  shows(index: Count): { readonly addresses: readonly string[]; readonly serial: number } {
    const store = this.all[index]?.store;
    const services = [...(store?.snapshot().services.all() ?? [])];
    const addresses = services.map(({ name, service: found }) => `${name} ${found?.clusterIPs.join()}`);
    return { addresses: addresses.toSorted(), serial: store?.serial ?? 0 };
  }

  #newThread(index: Count): Thread {
    const store = new ClusterStore(() => index);
    const receiver = new ClusterReceiver({ store, clock: () => 0, taken: () => this.feed.taken(index) });
    return { way: [], store, receiver };
  }
}

function put(name: string, address: string): SourceChange {
  return { verb: 'put', object: service(`ns/${name}`, [address]) };
}

test('a thread that takes nothing holds the others up by nothing, and gets what gathered in one step', (t) => {
  const threads = new Threads(2);
  for (let i = 1; i <= 50; i++) {
    threads.feed.apply([put('a', `192.0.2.${i}`)]);
    while (threads.arrive(0));
    t.deepEqual(threads.shows(0), { addresses: [`a 192.0.2.${i}`], serial: NOW + i });
  }
  t.is(threads.all[1]?.way.length, 1);
  while (threads.arrive(1));
  t.deepEqual(threads.shows(1), threads.shows(0));
});

test('who waits is told when the last thread has it', (t) => {
  const threads = new Threads(2);
  let isTold = false;
  threads.feed.apply([put('a', '192.0.2.1')]);
  threads.feed.whenTaken(() => (isTold = true));
  threads.arrive(0);
  t.false(isTold);
  threads.replace(1);
  t.false(isTold);
  threads.arrive(1);
  t.true(isTold);
});

test('other options move the serial of all threads, and their objects stay', (t) => {
  const threads = new Threads(2);
  threads.feed.apply([{ verb: 'replace', listing: new Listing('Service', [service('ns/a', ['192.0.2.1'])]) }]);
  threads.settle();
  threads.feed.advance();
  threads.settle();
  const shown = { addresses: ['a 192.0.2.1'], serial: NOW + 2 };
  t.deepEqual([threads.shows(0), threads.shows(1)], [shown, shown]);
});

test('a thread that begins again has the serial that it had', (t) => {
  const threads = new Threads(2);
  threads.feed.apply([put('a', '192.0.2.1')]);
  threads.settle();
  threads.now += 1_000;
  threads.replace(1);
  threads.settle();
  t.deepEqual(threads.shows(1), { addresses: ['a 192.0.2.1'], serial: NOW + 1 });
});

test('whatever comes, goes or is replaced: one serial is one state in all threads, and it never goes back', (t) => {
  const name = fc.constantFrom('a', 'b', 'c');
  const moment = fc.oneof(
    fc.array(
      fc.oneof(
        fc.tuple(name, fc.integer({ min: 1, max: 3 })).map(([one, i]) => put(one, `192.0.2.${i}`)),
        name.map((one): SourceChange => removal(service(`ns/${one}`, ['192.0.2.1']))),
      ),
      { minLength: 1, maxLength: 3 },
    ),
    fc.record({ arrive: fc.nat(2) }),
    fc.record({ replace: fc.nat(2) }),
    fc.record({ pass: fc.constantFrom(1, 5) }),
    fc.constant('advance' as const),
  );
  fc.assert(
    fc.property(fc.array(moment, { maxLength: 60 }), (moments) => {
      const threads = new Threads(3);
      const states = new Map<number, string>();
      const last = [0, 0, 0];
      for (const one of moments) {
        if (one === 'advance') threads.feed.advance();
        else if ('arrive' in one) threads.arrive(one.arrive);
        else if ('pass' in one) threads.now += one.pass;
        else if ('replace' in one) {
          threads.replace(one.replace);
          while (threads.arrive(one.replace));
        } else threads.feed.apply(one);
        for (const index of threads.all.keys()) {
          const { addresses, serial } = threads.shows(index);
          if (serial < NOW) continue; // it has not been told anything yet
          const state = addresses.join(', ');
          t.is(states.get(serial) ?? state, state);
          states.set(serial, state);
          t.true(serial >= (last[index] ?? 0));
          last[index] = serial;
        }
      }
      threads.feed.advance();
      threads.settle();
      t.deepEqual(threads.shows(1), threads.shows(0));
      t.deepEqual(threads.shows(2), threads.shows(0));
    }),
    { numRuns: 300 },
  );
});
