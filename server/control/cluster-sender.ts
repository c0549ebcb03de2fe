/**
 * Brings the data thread to what is known of a cluster, one step after the other. Knows nothing of sources, nor of what is
 * done with a step.
 */

import { ClusterMemory } from '../../zones/kubernetes/cluster-memory.ts';
import type { Listing } from '../../zones/kubernetes/listing.ts';
import { KINDS, type Kind } from '../../zones/kubernetes/objects.ts';
import { placeOf } from '../../zones/kubernetes/object-text.ts';
import type { SourceChange } from '../../zones/kubernetes/source.ts';
import type { Count } from '../../zones/units.ts';
import type { ClusterPart } from '../messages.ts';

/** Characters of a part, one object more at most: what is read in half a millisecond. */
const PART_MAX: Count = 32 * 1024;
/** Removed objects of a part. */
const REMOVED_MAX: Count = 500;
/** Parts that are sent before the first is taken. */
const PARTS_ON_THE_WAY: Count = 4;
/** Those who wait to hear that what was applied is in use; who comes beyond that is not told. */
const WAITING_MAX: Count = 10_000;

/**
 * Nothing is queued: what the data thread does not have yet is a set of keys, however often these change, and the next step
 * begins when the one before has been taken. So a slow thread gets fewer and larger steps, each as consistent as any.
 */
export class ClusterSender {
  readonly memory: ClusterMemory = new ClusterMemory();
  readonly #send: (part: ClusterPart) => void;
  readonly #unsent = new Map<Kind, Set<string>>(KINDS.map((kind) => [kind, new Set()]));
  /** Kinds that the thread has not been told to be whole. */
  readonly #unsentWhole = new Set<Kind>();
  readonly #unsentLoaded = new Set<Kind>();
  /** The rest of the step that is being sent. */
  #step: Iterator<ClusterPart> | undefined;
  #onTheWay: Count = 0;
  /** Who waits for that step, and who for the next. */
  #waiting: (() => void)[] = [];
  #waitingNext: (() => void)[] = [];

  constructor(send: (part: ClusterPart) => void) {
    this.#send = send;
  }

  /** What is new in the changes becomes visible in one step. */
  apply(changes: readonly SourceChange[]): void {
    for (const change of changes) {
      if (change.verb !== 'replace' || this.memory.isWhole(change.listing.kind)) continue;
      this.#unsentWhole.add(change.listing.kind);
    }
    this.memory.apply(changes, (kind, key) => this.#unsent.get(kind)?.add(key));
    this.#sendOn();
  }

  /** What a snapshot has of kinds that are not known whole becomes visible in one step. */
  load(listings: readonly Listing[]): void {
    this.memory.load(listings, (kind, key) => this.#unsent.get(kind)?.add(key));
    for (const { kind } of listings) if (this.memory.isLoaded(kind)) this.#unsentLoaded.add(kind);
    this.#sendOn();
  }

  /** Runs `then` once the thread has taken all that was applied so far. */
  whenTaken(then: () => void): void {
    if (this.#onTheWay === 0) then();
    else if (this.#waiting.length + this.#waitingNext.length < WAITING_MAX) {
      (this.#hasUnsent ? this.#waitingNext : this.#waiting).push(then);
    }
  }

  /** The thread has taken a part. */
  taken(): void {
    this.#onTheWay = Math.max(0, this.#onTheWay - 1);
    this.#sendOn();
  }

  /** Everything in one step, for a thread that has nothing. */
  restart(): readonly ClusterPart[] {
    for (const kind of this.memory.kinds()) {
      for (const key of this.memory.texts(kind).keys()) this.#unsent.get(kind)?.add(key);
      if (this.memory.isWhole(kind)) this.#unsentWhole.add(kind);
      if (this.memory.isLoaded(kind)) this.#unsentLoaded.add(kind);
    }
    const parts = [...(this.#nextStep() ?? [])];
    this.#step = undefined;
    this.#waiting.push(...this.#waitingNext.splice(0));
    this.#onTheWay = parts.length;
    return parts;
  }

  #sendOn(): void {
    while (this.#onTheWay < PARTS_ON_THE_WAY) {
      if (this.#step === undefined && this.#onTheWay === 0) this.#begin();
      const part = this.#step?.next();
      if (part === undefined) return;
      if (part.done === true) {
        this.#step = undefined;
        continue;
      }
      this.#onTheWay++;
      this.#send(part.value);
    }
  }

  #begin(): void {
    for (const then of this.#waiting.splice(0)) then();
    this.#step = this.#nextStep()?.[Symbol.iterator]();
    this.#waiting = this.#waitingNext.splice(0);
  }

  get #hasUnsent(): boolean {
    return (
      this.#unsentWhole.size + this.#unsentLoaded.size > 0 || [...this.#unsent.values()].some(({ size }) => size > 0)
    );
  }

  /** The objects as they are now, whatever becomes of them while the step is being sent. */
  #nextStep(): Iterable<ClusterPart> | undefined {
    const texts: string[] = [];
    const removed: ClusterPart['removed'][number][] = [];
    for (const [kind, keys] of this.#unsent) {
      const known = this.memory.texts(kind);
      for (const key of keys) {
        const text = known.get(key);
        if (text === undefined) removed.push({ kind, ...placeOf(key) });
        else texts.push(text);
      }
      keys.clear();
    }
    const whole = [...this.#unsentWhole];
    const loaded = [...this.#unsentLoaded];
    this.#unsentWhole.clear();
    this.#unsentLoaded.clear();
    const marks = loaded.length === 0 ? { whole } : { whole, loaded };
    const size = texts.length + removed.length + whole.length + loaded.length;
    return size === 0 ? undefined : partsOf(texts, removed, marks);
  }
}

function* partsOf(
  texts: readonly string[],
  removed: ClusterPart['removed'],
  marks: Pick<ClusterPart, 'whole' | 'loaded'>,
): Generator<ClusterPart> {
  for (let from = 0; from + REMOVED_MAX < removed.length; from += REMOVED_MAX) {
    yield { put: '', removed: removed.slice(from, from + REMOVED_MAX), whole: [], isLast: false };
  }
  let lines: string[] = [];
  let size = 0;
  for (const text of texts) {
    if (size >= PART_MAX) {
      yield { put: lines.join('\n'), removed: [], whole: [], isLast: false };
      lines = [];
      size = 0;
    }
    lines.push(text);
    size += text.length;
  }
  const rest = removed.slice(Math.max(0, Math.ceil(removed.length / REMOVED_MAX) - 1) * REMOVED_MAX);
  yield { put: lines.join('\n'), removed: rest, ...marks, isLast: true };
}
