/** Plays the part of the data thread for a source: applies what it is told and keeps what it was told. */

import type { ClusterChange, ClusterObject, Kind } from '../../zones/kubernetes/objects.ts';
import type { ApiCall, ProgrammedSlice, SourceEvents } from '../../zones/kubernetes/source.ts';

export class ClusterRecorder implements SourceEvents {
  /** Each call of `change`. */
  readonly batches: (readonly ClusterChange[])[] = [];
  readonly reports: { readonly level: string; readonly text: string }[] = [];
  readonly calls: ApiCall[] = [];
  readonly slices: ProgrammedSlice[] = [];
  readonly #objects = new Map<string, ClusterObject>();
  readonly #synced = new Set<Kind>();
  #waiting: { readonly isMet: () => boolean; readonly resolve: () => void }[] = [];

  readonly change = (changes: readonly ClusterChange[]): void => {
    this.batches.push(changes);
    for (const change of changes) this.#apply(change);
    this.#check();
  };

  readonly report = (level: string, text: string): void => {
    this.reports.push({ level, text });
    this.#check();
  };

  readonly call = (call: ApiCall): void => void this.calls.push(call);

  readonly programmed = (slice: ProgrammedSlice): void => void this.slices.push(slice);

  /** `namespace/name` of all objects of a kind, sorted. */
  names(kind: Kind): string[] {
    return [...this.#objects.values()]
      .filter((object) => object.kind === kind)
      .map(({ namespace, name }) => `${namespace}/${name}`)
      .toSorted();
  }

  get(kind: Kind, namespace: string, name: string): ClusterObject | undefined {
    return this.#objects.get(`${kind}/${namespace}/${name}`);
  }

  isSynced(kind: Kind): boolean {
    return this.#synced.has(kind);
  }

  /** How many changes of that verb there were for a kind. */
  count(verb: ClusterChange['verb'], kind: Kind): number {
    return this.batches.flat().filter((change) => change.verb === verb && kindOf(change) === kind).length;
  }

  /** What people see: everything but `debug`. */
  get told(): string[] {
    return this.reports.filter(({ level }) => level !== 'debug').map(({ level, text }) => `${level}: ${text}`);
  }

  /** Waits until the state or the reports are such. */
  async when(isMet: () => boolean): Promise<void> {
    if (isMet()) return;
    await new Promise<void>((resolve) => this.#waiting.push({ isMet, resolve }));
  }

  #apply(change: ClusterChange): void {
    if (change.verb === 'put') this.#objects.set(keyOf(change.object), change.object);
    else if (change.verb === 'remove') this.#objects.delete(keyOf(change));
    else {
      for (const [key, object] of this.#objects) if (object.kind === change.kind) this.#objects.delete(key);
      for (const object of change.objects) this.#objects.set(keyOf(object), object);
      this.#synced.add(change.kind);
    }
  }

  #check(): void {
    const met = this.#waiting.filter(({ isMet }) => isMet());
    this.#waiting = this.#waiting.filter((waiting) => !met.includes(waiting));
    for (const { resolve } of met) resolve();
  }
}

function keyOf({ kind, namespace, name }: { kind: Kind; namespace: string; name: string }): string {
  return `${kind}/${namespace}/${name}`;
}

function kindOf(change: ClusterChange): Kind {
  return change.verb === 'put' ? change.object.kind : change.kind;
}
