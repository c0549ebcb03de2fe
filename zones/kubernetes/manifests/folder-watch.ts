/**
 * Tells when the manifest files below a folder have changed and the writing is over. Knows nothing of what is in them.
 */

import { watch, type FSWatcher } from 'node:fs';

import type { Count, Milliseconds } from '../../units.ts';
import { listFolder, type FolderListing, type WatchedFolder } from './folder-files.ts';
import type { Time } from '../api/time.ts';

/** The kernel's notices miss network file systems and the targets of links; this does not. A change is seen within a second. */
export const POLL_PERIOD: Milliseconds = 500;
/** A file must have been left alone this long, for editors write in several steps. */
export const SETTLE_PERIOD: Milliseconds = 50;
/** A file that is written without end is read anyway. */
export const SETTLES_MAX: Count = 8;

export type FolderEvents = {
  /**
   * The files are others than last time, or it is the first time. The next look waits for the promise; false means that
   * files went away meanwhile, and that it must be said again.
   */
  readonly changed: (listing: FolderListing) => Promise<boolean>;
  /** The folder could not be looked at; said again at every look. */
  readonly failed: (error: unknown) => void;
};

/** Looks at once, and then until `close`. */
export function watchFolder(folder: string, events: FolderEvents, time: Time): { close(): void } {
  const notices = new Notices();
  const closed = new AbortController();

  const look = async (known: string | undefined): Promise<string | undefined> => {
    try {
      let listing = await listFolder(folder);
      if (listing.signature === known) {
        notices.follow(listing.folders);
        return known;
      }
      if (known !== undefined) listing = await settled(listing);
      // Before the files are read: what changes from here on must be noticed.
      notices.follow(listing.folders);
      if (closed.signal.aborted) return known;
      return (await events.changed(listing)) ? listing.signature : STALE;
    } catch (error) {
      if (!closed.signal.aborted) events.failed(error);
      return STALE;
    }
  };

  const settled = async (first: FolderListing): Promise<FolderListing> => {
    let listing = first;
    for (let i = 0; i < SETTLES_MAX && !closed.signal.aborted; i++) {
      await time.sleep(SETTLE_PERIOD, closed.signal);
      const next = await listFolder(folder);
      if (next.signature === listing.signature) return next;
      listing = next;
    }
    return listing;
  };

  const run = async (): Promise<void> => {
    let known: string | undefined;
    while (!closed.signal.aborted) {
      notices.arm();
      known = await look(known);
      // A pause even after a notice: something else in the folder may be written all the time.
      await time.sleep(SETTLE_PERIOD, closed.signal);
      await time.sleep(POLL_PERIOD - SETTLE_PERIOD, notices.signal);
    }
    notices.close();
  };
  // It has no end but `close`, and every fault in it goes to `failed`.
  void run();
  return {
    close() {
      closed.abort();
      notices.notice();
    },
  };
}

/** The kernel's notices about some folders: "look now". */
class Notices {
  readonly #watchers = new Map<string, FSWatcher>();
  #noticed = new AbortController();

  /** From here on notices count. */
  arm(): void {
    this.#noticed = new AbortController();
  }

  /** Look now. */
  notice(): void {
    this.#noticed.abort();
  }

  /** Aborted by the first notice since `arm`. */
  get signal(): AbortSignal {
    return this.#noticed.signal;
  }

  /** Watches these folders and no others. A folder that was replaced is another one. */
  follow(folders: readonly WatchedFolder[]): void {
    const wanted = new Map(folders.map(({ path, identity }) => [`${identity} ${path}`, path]));
    for (const [key, watcher] of this.#watchers) {
      if (wanted.has(key)) continue;
      watcher.close();
      this.#watchers.delete(key);
    }
    for (const [key, path] of wanted) if (!this.#watchers.has(key)) this.#start(key, path);
  }

  close(): void {
    this.follow([]);
  }

  #start(key: string, path: string): void {
    try {
      const watcher = watch(path, () => this.notice());
      // Out of watches, or the folder is gone: the poll goes on without it.
      watcher.on('error', () => {
        watcher.close();
        this.#watchers.delete(key);
      });
      this.#watchers.set(key, watcher);
    } catch {
      this.#watchers.delete(key);
    }
  }
}

/** A signature that no listing has: the next one counts as changed. */
const STALE = '\0';
