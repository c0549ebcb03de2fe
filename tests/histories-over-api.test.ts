/**
 * Random histories of a cluster at an API server that fails at random, read as the control thread reads it and brought to data
 * threads that come and go: when all has calmed down, the last thread's store has exactly what the server has.
 */

import { setImmediate } from 'node:timers/promises';

import test from 'ava';

import { ClusterFeed } from '../server/control/cluster-feed.ts';
import { ClusterReceiver } from '../server/data/cluster-receiver.ts';
import type { ClusterPart } from '../server/messages.ts';
import { openApiSource, type ApiSourceOptions } from '../zones/kubernetes/api/api-source.ts';
import { KINDS } from '../zones/kubernetes/objects.ts';
import { textOf } from '../zones/kubernetes/object-text.ts';
import type { Source } from '../zones/kubernetes/source.ts';
import { ClusterStore } from '../zones/kubernetes/store/store.ts';
import { FakeApiServer } from './support/fake-api-server.ts';
import { ManualTime } from './support/manual-time.ts';
import { NO_LIMITS } from './support/no-limits.ts';
import { Random } from './support/random.ts';
import { MANY, RandomCluster } from './support/random-cluster.ts';
import type { RawObject } from './support/raw-objects.ts';
import { contentOf } from './support/store-content.ts';

const HISTORIES = 24;
const STEPS = 400;
/** Turns of the event loop after which what has not come will not come; a tenth of them is mostly enough. */
const CALM_TURNS = 2000;

/** A thread and the way to it, on which things are late and get lost with it. */
class Thread {
  readonly store = new ClusterStore(() => 1);
  readonly #way: (ClusterPart | 'taken')[] = [];
  readonly #receiver: ClusterReceiver;
  readonly #taken: () => void;

  constructor(taken: () => void) {
    let turns = 0;
    this.#taken = taken;
    this.#receiver = new ClusterReceiver({
      store: this.store,
      atOnceMax: MANY - 1,
      clock: () => turns++,
      taken: () => void this.#way.push('taken'),
    });
  }

  send(part: ClusterPart): void {
    this.#way.push(part);
  }

  /** Both ways: parts to it, and its word that it has taken one. */
  carry(count: number): void {
    for (const next of this.#way.splice(0, count)) {
      if (next === 'taken') this.#taken();
      else this.#receiver.take(next);
    }
  }

  async settled(): Promise<void> {
    await this.#receiver.settled();
  }

  end(): void {
    this.#receiver.close();
  }
}

class History {
  readonly #api: FakeApiServer;
  readonly #random: Random;
  readonly #cluster: RandomCluster;
  readonly #time = new ManualTime();
  readonly #options: ApiSourceOptions;
  readonly #feed = new ClusterFeed({
    threads: 1,
    wallClock: () => 1,
    send: (part) => this.#thread?.send(part),
  });
  #thread: Thread | undefined;
  /** Does it fail seldom, so that most is told by watches? */
  readonly #isMild: boolean;
  /** Is nothing withheld from watches? Then they alone have to tell everything, and no list taken aside finds a gap. */
  readonly #tellsAll: boolean;
  #gaps = 0;

  constructor(api: FakeApiServer, seed: number) {
    const random = new Random(seed);
    this.#api = api;
    this.#random = random;
    this.#cluster = new RandomCluster(api, random);
    this.#time.chance = random.below(100) / 100;
    this.#isMild = random.once(2);
    this.#tellsAll = random.once(2);
    this.#options = {
      from: { kind: 'endpoint', url: api.url, tls: undefined },
      pods: random.once(2),
      endpointSlices: true,
      headlessOnly: random.once(2),
      imports: random.once(2),
      topologyZones: random.once(2),
      podNames: random.once(2),
      labels: '',
      namespaceLabels: '',
      requests: NO_LIMITS,
    };
    this.#begin();
  }

  open(): Source {
    const { memory } = this.#feed;
    return openApiSource(
      this.#options,
      {
        change: (changes) => this.#feed.apply(changes),
        known: (kind) => memory.texts(kind),
        report: () => {},
        happened: (happening) => {
          if (happening.what === 'gaps') this.#gaps += happening.count;
        },
      },
      { version: '1', variables: {}, time: this.#time },
    );
  }

  async step(): Promise<void> {
    const random = this.#random;
    const roll = random.below(this.#isMild && !random.once(4) ? 72 : 100);
    if (roll < 50) this.#cluster.change();
    else if (roll < 66) await this.#turns(random.below(4));
    else if (roll < 72) this.#thread?.carry(random.below(6));
    else if (roll < 74) await this.#replaceThread();
    else if (roll < 78) this.#breakWatches();
    else if (roll < 80) await this.#restartServer();
    else if (roll < 82) this.#api.compact();
    else if (roll < 85) this.#mangle();
    else if (roll < 88) this.#fail();
    else if (roll < 92) this.#time.advance(random.of([10, 250, 31_000, 151_000, 3_600_000]));
    else if (roll < 95) this.#api.bookmark(this.#api.version + random.below(3));
    else if (roll < 96) this.#api.chunkSize = random.once(3) ? undefined : random.of([1000, 50]);
    else if (roll < 97) this.#api.watchList = random.once(2);
    else if (roll < 98) this.#restore();
    else if (roll < 99) this.#cluster.changeMany();
    else if (!this.#tellsAll) this.#cluster.plant();
  }

  /** Nothing fails any more, and time passes: what the memory and the last thread have, and what they should have. */
  async calm(): Promise<{ readonly actual: unknown; readonly expected: unknown }> {
    this.#api.heal();
    const wanted = new ClusterStore(() => 1);
    wanted.apply(this.#cluster.wantedChanges(this.#options));
    const texts = this.#cluster.wanted(this.#options).map(textOf).toSorted();
    const expected = { texts, content: contentOf(wanted), gaps: 0 };
    for (let turn = 0; ; turn++) {
      if (turn % 5 === 0) this.#api.bookmark(this.#api.version + 1);
      if (turn % 100 === 50) this.#time.advance(151_000);
      if (turn % 100 === 75) this.#time.advance(250);
      if (turn % 500 === 250 && !this.#tellsAll) this.#time.advance(4_500_000);
      await setImmediate();
      this.#thread?.carry(Infinity);
      await this.#thread?.settled();
      if (turn % 50 !== 49) continue;
      const content = this.#thread === undefined ? {} : contentOf(this.#thread.store);
      const actual = { texts: this.#texts(), content, gaps: this.#tellsAll ? this.#gaps : 0 };
      if (turn > CALM_TURNS || JSON.stringify(actual) === JSON.stringify(expected)) return { actual, expected };
    }
  }

  #texts(): readonly string[] {
    return KINDS.flatMap((kind) => [...this.#feed.memory.texts(kind).values()]).toSorted();
  }

  async #turns(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      await setImmediate();
      this.#thread?.carry(this.#random.below(3));
    }
  }

  #begin(): void {
    this.#thread = new Thread(() => this.#feed.taken(0));
    for (const part of this.#feed.restart(0)) this.#thread.send(part);
  }

  /** What is on its way is lost with it, and what comes before there is another one. */
  async #replaceThread(): Promise<void> {
    this.#thread?.end();
    this.#thread = undefined;
    if (this.#random.once(2)) await this.#turns(this.#random.below(4));
    this.#begin();
  }

  #breakWatches(): void {
    if (this.#random.once(2)) this.#api.reset();
    else this.#api.endWatches(this.#random.once(2) ? undefined : this.#random.of(KINDS));
  }

  async #restartServer(): Promise<void> {
    await this.#api.down();
    const count = this.#random.below(10);
    for (let i = 0; i < count; i++) this.#cluster.change();
    if (this.#random.once(2)) this.#api.compact();
    await this.#turns(this.#random.below(5));
    await this.#api.up();
  }

  /** A watch from before skips what comes until the server is where it was: only a resync finds that, and Pods have none. */
  #restore(): void {
    if (this.#tellsAll || this.#options.pods) return;
    this.#cluster.restore();
    this.#api.reset();
  }

  #mangle(): void {
    const kind = this.#random.of(KINDS);
    const manner = this.#random.below(kind === 'Pod' || this.#tellsAll ? 2 : 3);
    this.#api.mangleNext(kind, (line) => {
      if (manner === 0) return line.slice(0, line.length / 2);
      if (manner === 1) return line.replace('"type"', '"typo"');
      // The watch goes on as if the event had been told.
      const { object } = JSON.parse(line) as { object: RawObject };
      const { resourceVersion } = object.metadata;
      return JSON.stringify({ type: 'BOOKMARK', object: { kind, metadata: { resourceVersion } } });
    });
  }

  #fail(): void {
    const random = this.#random;
    const fault = random.of([
      { does: 'status', status: random.of([400, 401, 403, 410, 422, 429, 500, 504]) },
      { does: 'reset' },
      { does: 'mute', headers: random.once(2) },
      { does: 'end' },
      {
        does: 'send',
        body: random.of(['{', 'x\n', '{"type":"ADDED"}\n', '\n']),
        ending: random.of(['silence', 'end', 'reset'] as const),
      },
    ] as const);
    const on = random.of(['list', 'watch', 'watchlist'] as const);
    this.#api.fail({ kind: random.of(KINDS), on, times: 1 + random.below(2), ...fault });
  }
}

for (let seed = 1; seed <= HISTORIES; seed++) {
  test.serial(
    `whatever an API server and data threads have gone through, the last has all of it (history ${seed})`,
    async (t) => {
      const api = await FakeApiServer.start({ history: 200 });
      t.teardown(() => api.close());
      const history = new History(api, seed);
      const source = history.open();
      t.teardown(() => source.close());
      for (let i = 0; i < STEPS; i++) await history.step();
      const { actual, expected } = await history.calm();
      t.deepEqual(actual, expected);
    },
  );
}
