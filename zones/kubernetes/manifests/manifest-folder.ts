/**
 * A source that reads a cluster from a folder of YAML and JSON files and follows their edits.
 * Knows nothing of what the objects mean: manifest-cluster.ts turns texts into a state, and here only differences go out.
 */

import { readdirSync } from 'node:fs';

import type { Count } from '../../units.ts';
import { FolderError, readManifest, type FolderListing } from './folder-files.ts';
import { watchFolder } from './folder-watch.ts';
import { manifestClusterFrom, presentPlace, selectionFrom, type Note } from './manifest-cluster.ts';
import { manifestObjectsFrom, type Complaint, type ManifestFile, type ManifestObject } from './manifest-file.ts';
import { Listing } from '../listing.ts';
import type { ClusterObject, Kind } from '../objects.ts';
import { kindsOf, type Source, type SourceChange, type SourceEvents, type SourceOptions } from '../source.ts';
import { SYSTEM_TIME, type Time } from '../api/time.ts';

/** Errors told of one state of the folder; mending these shows the others. */
export const COMPLAINTS_TOLD: Count = 10;
/** Changed objects named in one line of the log. */
const DIFFERENCES_TOLD: Count = 3;

/**
 * Starts to read the folder and goes on until `close`. A folder with an error in it changes nothing: what was read before
 * stays, and before the first good reading nothing is synced.
 * @throws FolderError if the folder cannot be looked into
 * @throws LabelSelectorError
 */
export function openManifestFolder(
  folder: string,
  options: SourceOptions,
  events: SourceEvents,
  time: Time = SYSTEM_TIME,
): Source {
  const selection = selectionFrom(options);
  refuseUnlessReadable(folder);
  const published = new Published(kindsOf(options));
  const teller = new Teller(folder, events.report, published);

  let isClosed = false;
  const changed = async ({ files }: FolderListing): Promise<boolean> => {
    const objects: ManifestObject[] = [];
    const complaints: Complaint[] = [];
    for (const file of files) {
      // Waiting for each file lets health probes in between: parsing one takes up to a second.
      const read = await objectsIn(file);
      if (read === undefined) return false;
      objects.push(...read.objects);
      complaints.push(...read.complaints);
    }
    if (isClosed) return true;
    const cluster = manifestClusterFrom(objects, selection);
    complaints.push(...cluster.complaints);
    if (complaints.length > 0) {
      teller.wrong(complaints);
      return true;
    }
    const changes = published.advance(cluster.objects);
    if (changes.length > 0) events.change(changes);
    teller.good(changes, cluster.notes, files.length);
    return true;
  };
  const watcher = watchFolder(folder, { changed, failed: (error) => teller.failed(error) }, time);
  return {
    close() {
      isClosed = true;
      watcher.close();
    },
  };
}

/** Undefined if the file is gone. */
async function objectsIn(file: string): Promise<ManifestFile | undefined> {
  try {
    const text = await readManifest(file);
    return text === undefined ? undefined : manifestObjectsFrom(file, text);
  } catch (error) {
    if (!(error instanceof FolderError)) throw error;
    return { objects: [], complaints: [{ place: { file, line: 1, column: 1 }, text: error.message }] };
  }
}

/** What has been given away, so that only differences are given next. */
class Published {
  readonly #kinds: ReadonlyMap<Kind, Map<string, string>>;
  isSynced = false;

  constructor(kinds: readonly Kind[]) {
    this.#kinds = new Map(kinds.map((kind) => [kind, new Map<string, string>()]));
  }

  /** The steps from the last state to this one; the first time a `replace` for every kind. */
  advance(objects: ReadonlyMap<Kind, readonly ClusterObject[]>): readonly SourceChange[] {
    const changes: SourceChange[] = [];
    for (const [kind, known] of this.#kinds) {
      const now = new Map((objects.get(kind) ?? []).map((object) => [keyOf(object), object]));
      for (const key of known.keys()) {
        if (now.has(key)) continue;
        const slash = key.indexOf('/');
        const namespace = key.slice(0, Math.max(slash, 0));
        changes.push({ verb: 'remove', kind, namespace, name: key.slice(slash + 1) });
        known.delete(key);
      }
      for (const [key, object] of now) {
        const text = JSON.stringify(object);
        if (known.get(key) === text) continue;
        changes.push({ verb: 'put', object });
        known.set(key, text);
      }
    }
    if (this.isSynced) return changes;
    this.isSynced = true;
    return [...this.#kinds.keys()].map((kind) => ({
      verb: 'replace',
      listing: new Listing(kind, objects.get(kind)),
    }));
  }

  /** `5 Namespaces, 14 Services, …`. */
  summary(): string {
    return [...this.#kinds].map(([kind, { size }]) => `${size} ${kind}${size === 1 ? '' : 's'}`).join(', ');
  }
}

/** Tells people what became of the folder, and nothing twice. */
class Teller {
  readonly #folder: string;
  readonly #report: SourceEvents['report'];
  readonly #published: Published;
  readonly #told = new Set<string>();
  #failure: string | undefined;
  #isWrong = false;

  constructor(folder: string, report: SourceEvents['report'], published: Published) {
    this.#folder = folder;
    // Parts of these texts stand in files: what is in a file must not be able to forge a line of the log.
    this.#report = (level, text) => report(level, text.replace(/\p{Cc}/gu, '\uFFFD'));
    this.#published = published;
  }

  wrong(complaints: readonly Complaint[]): void {
    for (const { place, text } of complaints.slice(0, COMPLAINTS_TOLD)) {
      this.#report('error', `${presentPlace(place)}: ${text}`);
    }
    const count = complaints.length === 1 ? 'an error' : `${complaints.length} errors`;
    this.#report('warning', `${this.#folder} has ${count}: ${this.#consequence()} until that is mended`);
    this.#isWrong = true;
    this.#failure = undefined;
  }

  good(changes: readonly SourceChange[], notes: readonly Note[], files: Count): void {
    const wasWrong = this.#isWrong || this.#failure !== undefined;
    const counts = `${files} ${files === 1 ? 'file' : 'files'}, ${this.#published.summary()}`;
    if (files === 0) {
      this.#report('warning', `${this.#folder} has no *.yaml, *.yml or *.json in it: the cluster is empty`);
    } else if (wasWrong || changes.length > 0) {
      const differences = differencesIn(changes);
      const what = differences === '' ? counts : `${differences}; now ${counts}`;
      this.#report('info', `${this.#folder} ${wasWrong ? 'is mended' : 'was read'}: ${what}`);
    }
    for (const { level, text } of notes) {
      if (!this.#told.has(text)) this.#report(level, text);
    }
    this.#told.clear();
    for (const { text } of notes) this.#told.add(text);
    this.#isWrong = false;
    this.#failure = undefined;
  }

  failed(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    if (this.#failure === reason) return;
    this.#report('error', `${reason}; ${this.#consequence()} until then`);
    this.#failure = reason;
  }

  #consequence(): string {
    return this.#published.isSynced ? 'the last good state keeps being served' : 'no cluster name is served';
  }
}

/** `Service shop/web put, Service shop/old removed and 7 more`; empty if there are none, or all is new. */
function differencesIn(changes: readonly SourceChange[]): string {
  const texts = changes.flatMap((change) => {
    switch (change.verb) {
      case 'put':
        return [`${change.object.kind} ${keyOf(change.object)} put`];
      case 'remove':
        return [`${change.kind} ${keyOf(change)} removed`];
      case 'replace':
        return [];
    }
  });
  const more = texts.length - DIFFERENCES_TOLD;
  return texts.slice(0, DIFFERENCES_TOLD).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function refuseUnlessReadable(folder: string): void {
  try {
    readdirSync(folder);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const text = `manifests folder ${folder} cannot be looked into (${reason}): name a folder that has YAML files of API objects in it`;
    throw new FolderError(text, { cause: error });
  }
}

/** Neither part can have a slash in it. */
function keyOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}
