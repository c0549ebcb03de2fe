/**
 * The manifest files below a folder, with a signature that changes when any of them does.
 * Knows nothing of what is in them.
 */

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import type { Bytes, Count } from '../units.ts';

/** A folder that is no use: missing, unreadable, too big. */
export class FolderError extends Error {
  readonly code = 'FOLDER';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'FolderError';
  }
}

/** Bytes of one file. As much as a ConfigMap can hold; it takes the YAML parser most of a second. */
export const FILE_MAX: Bytes = 1_048_576;
/** Manifest files in a folder, each looked at twice a second. */
export const FILES_MAX: Count = 1000;
/** Everything else in the folder, so that nobody watches a whole disk by mistake. */
export const ENTRIES_MAX: Count = 10_000;
/** Folders within folders. */
export const DEPTH_MAX: Count = 16;

export type FolderListing = {
  /** Paths, the folder's own in front, in the order of their names. */
  readonly files: readonly string[];
  /** The folder and those below it, each as something to be watched: a path, and what is there now. */
  readonly folders: readonly { readonly path: string; readonly identity: string }[];
  readonly signature: string;
};

/**
 * Looks through symbolic links, as a ConfigMap's files are such. Hidden entries are left out: among them are the temporary
 * files of editors, and the real folders behind a ConfigMap's links.
 * @throws FolderError
 */
export async function listFolder(folder: string): Promise<FolderListing> {
  const listing = { files: [] as string[], folders: [] as FolderListing['folders'][number][], signature: '' };
  const lines: string[] = [];
  const seen = new Set<string>();
  let entries = 0;

  const enter = async (path: string, depth: Count): Promise<void> => {
    const status = await statusOf(path);
    if (status === undefined || seen.has(status.identity)) return;
    if (depth > DEPTH_MAX)
      throw new FolderError(`${path} is more than ${DEPTH_MAX} folders deep: move the manifests up`);
    seen.add(status.identity);
    listing.folders.push({ path, identity: status.identity });
    const names = await readdir(path);
    for (const name of names.toSorted()) {
      if (name.startsWith('.')) continue;
      if (++entries > ENTRIES_MAX) {
        throw new FolderError(
          `${folder} has more than ${ENTRIES_MAX} files in it: keep the manifests in a folder of their own`,
        );
      }
      const entry = join(path, name);
      const kind = await statusOf(entry);
      if (kind?.type === 'folder') await enter(entry, depth + 1);
      if (kind?.type !== 'file' || !MANIFEST.test(name)) continue;
      listing.files.push(entry);
      lines.push(`${entry}\n${kind.identity}\n${kind.version}`);
      if (listing.files.length > FILES_MAX) {
        throw new FolderError(`${folder} has more than ${FILES_MAX} manifest files: put several objects in one file`);
      }
    }
  };

  try {
    await enter(folder, 0);
  } catch (error) {
    if (error instanceof FolderError) throw error;
    throw unreadable(folder, error);
  }
  if (listing.folders.length === 0)
    throw new FolderError(`${folder} does not exist any more: put it back, or name another one`);
  listing.signature = lines.join('\n');
  return listing;
}

/**
 * The text of a file; undefined if it is gone.
 * @throws FolderError if it cannot be read, is too big or not UTF-8
 */
export async function readManifest(path: string): Promise<string | undefined> {
  let octets: Uint8Array;
  try {
    const { size } = await stat(path);
    if (size > FILE_MAX) throw new FolderError(`must be at most ${FILE_MAX} bytes long, found ${size}: split it`);
    octets = await readFile(path);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error instanceof FolderError ? error : unreadable('the file', error);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(octets);
  } catch (error) {
    throw new FolderError('must be UTF-8, found octets that are not', { cause: error });
  }
}

type Status = {
  readonly type: 'file' | 'folder' | 'other';
  readonly identity: string;
  readonly version: string;
};

async function statusOf(path: string): Promise<Status | undefined> {
  try {
    const status = await stat(path, { bigint: true });
    return {
      // Pipes and devices could keep a reader waiting for ever.
      type: status.isDirectory() ? 'folder' : status.isFile() ? 'file' : 'other',
      identity: `${status.dev}:${status.ino}`,
      version: `${status.size}:${status.mtimeNs}:${status.ctimeNs}`,
    };
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ELOOP');
}

function unreadable(what: string, error: unknown): FolderError {
  const reason = error instanceof Error ? error.message : String(error);
  return new FolderError(`${what} cannot be read (${reason}): give the server the right to`, { cause: error });
}

const MANIFEST = /\.(?:ya?ml|json)$/i;
