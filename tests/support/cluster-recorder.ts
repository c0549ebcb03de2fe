/** Plays the part of the control thread for a source: remembers what it is told, and how it was told. */

import { ClusterMemory } from '../../zones/kubernetes/cluster-memory.ts';
import type { Happening } from '../../zones/kubernetes/following.ts';
import { keyOf, objectFrom } from '../../zones/kubernetes/object-text.ts';
import type { ClusterObject, Kind } from '../../zones/kubernetes/objects.ts';
import type { ApiCall, ProgrammedSlice, SourceChange, SourceEvents } from '../../zones/kubernetes/source.ts';

export class ClusterRecorder implements SourceEvents {
  /** Each call of `change`. */
  readonly batches: (readonly SourceChange[])[] = [];
  /** Keys of what was new, as `Kind namespace/name`, in order. */
  readonly news: string[] = [];
  readonly reports: { readonly level: string; readonly text: string }[] = [];
  readonly calls: ApiCall[] = [];
  readonly slices: ProgrammedSlice[] = [];
  readonly happenings: Happening[] = [];
  readonly #memory = new ClusterMemory();
  #waiting: { readonly isMet: () => boolean; readonly resolve: () => void }[] = [];

  readonly change = (changes: readonly SourceChange[]): void => {
    this.batches.push(changes);
    this.#memory.apply(changes, (kind, key) => void this.news.push(`${kind} ${key}`));
    this.#check();
  };

  readonly known = (kind: Kind): ReadonlyMap<string, string> => this.#memory.texts(kind);

  readonly report = (level: string, text: string): void => {
    this.reports.push({ level, text });
    this.#check();
  };

  readonly call = (call: ApiCall): void => void this.calls.push(call);

  readonly programmed = (slice: ProgrammedSlice): void => void this.slices.push(slice);

  readonly happened = (happening: Happening): void => {
    this.happenings.push(happening);
    this.#check();
  };

  /** What was counted of a kind, by what it is and its reason. */
  counted(kind: Kind): Record<string, number> {
    const counts = new Map<string, number>();
    for (const happening of this.happenings) {
      if (happening.kind !== kind) continue;
      const { what } = happening;
      const name =
        'reason' in happening
          ? `${what} ${happening.reason}`
          : 'outcome' in happening
            ? `${what} ${happening.outcome}`
            : what;
      counts.set(name, (counts.get(name) ?? 0) + ('count' in happening ? happening.count : 1));
    }
    return Object.fromEntries(counts);
  }

  /** `namespace/name` of all objects of a kind, sorted. */
  names(kind: Kind): string[] {
    return [...this.#memory.texts(kind).keys()].toSorted();
  }

  get(kind: Kind, namespace: string, name: string): ClusterObject | undefined {
    const text = this.#memory.texts(kind).get(keyOf({ namespace, name }));
    return text === undefined ? undefined : objectFrom(text);
  }

  isSynced(kind: Kind): boolean {
    return this.#memory.isWhole(kind);
  }

  /** How many changes of that verb there were for a kind. */
  count(verb: SourceChange['verb'], kind: Kind): number {
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

  #check(): void {
    const met = this.#waiting.filter(({ isMet }) => isMet());
    this.#waiting = this.#waiting.filter((waiting) => !met.includes(waiting));
    for (const { resolve } of met) resolve();
  }
}

function kindOf(change: SourceChange): Kind {
  switch (change.verb) {
    case 'put':
      return change.object.kind;
    case 'remove':
      return change.kind;
    case 'replace':
      return change.listing.kind;
  }
}
