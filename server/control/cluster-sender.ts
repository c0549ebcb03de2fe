/**
 * Brings one data thread to what is known of a cluster, one step after the other. Knows nothing of sources, of other threads,
 * nor of what is done with a step.
 */

import type { ClusterMemory } from '../../zones/kubernetes/cluster-memory.ts';
import { KINDS, type Kind } from '../../zones/kubernetes/objects.ts';
import { placeOf } from '../../zones/kubernetes/object-text.ts';
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
  readonly #memory: ClusterMemory;
  /** Of the memory as it is. */
  readonly #serial: () => number;
  readonly #send: (part: ClusterPart) => void;
  readonly #unsent = new Map<Kind, Set<string>>(KINDS.map((kind) => [kind, new Set()]));
  /** Kinds that the thread has not been told to be whole. */
  readonly #unsentWhole = new Set<Kind>();
  readonly #unsentLoaded = new Set<Kind>();
  #isSerialUnsent = false;
  /** The rest of the step that is being sent. */
  #step: Iterator<ClusterPart> | undefined;
  #onTheWay: Count = 0;
  /** Who waits for that step, and who for the next. */
  #waiting: (() => void)[] = [];
  #waitingNext: (() => void)[] = [];

  constructor(memory: ClusterMemory, serial: () => number, send: (part: ClusterPart) => void) {
    this.#memory = memory;
    this.#serial = serial;
    this.#send = send;
  }

  /** This object is new, different or gone. What is noted is sent by `sendOn`. */
  note(kind: Kind, key: string): void {
    this.#unsent.get(kind)?.add(key);
  }

  /** All of this kind is known. */
  noteWhole(kind: Kind): void {
    this.#unsentWhole.add(kind);
  }

  /** All that a snapshot had of this kind is known. */
  noteLoaded(kind: Kind): void {
    this.#unsentLoaded.add(kind);
  }

  /** The same objects have another serial. */
  noteSerial(): void {
    this.#isSerialUnsent = true;
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
    this.sendOn();
  }

  /** Everything in one step, for a thread that has nothing. */
  restart(): readonly ClusterPart[] {
    for (const kind of this.#memory.kinds()) {
      for (const key of this.#memory.texts(kind).keys()) this.#unsent.get(kind)?.add(key);
      if (this.#memory.isWhole(kind)) this.#unsentWhole.add(kind);
      if (this.#memory.isLoaded(kind)) this.#unsentLoaded.add(kind);
    }
    const parts = [...(this.#nextStep() ?? [])];
    this.#step = undefined;
    this.#waiting.push(...this.#waitingNext.splice(0));
    this.#onTheWay = parts.length;
    return parts;
  }

  /** Sends of what was noted as much as the thread can be given. */
  sendOn(): void {
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
      this.#isSerialUnsent ||
      this.#unsentWhole.size + this.#unsentLoaded.size > 0 ||
      [...this.#unsent.values()].some(({ size }) => size > 0)
    );
  }

  /** The objects as they are now, whatever becomes of them while the step is being sent. */
  #nextStep(): Iterable<ClusterPart> | undefined {
    const texts: string[] = [];
    const removed: ClusterPart['removed'][number][] = [];
    for (const [kind, keys] of this.#unsent) {
      const known = this.#memory.texts(kind);
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
    const hasNews = this.#isSerialUnsent || texts.length + removed.length + whole.length + loaded.length > 0;
    this.#isSerialUnsent = false;
    const marks = { whole, ...(loaded.length === 0 ? {} : { loaded }), serial: this.#serial() };
    return hasNews ? partsOf(texts, removed, marks) : undefined;
  }
}

function* partsOf(
  texts: readonly string[],
  removed: ClusterPart['removed'],
  marks: Pick<ClusterPart, 'whole' | 'loaded' | 'serial'>,
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
