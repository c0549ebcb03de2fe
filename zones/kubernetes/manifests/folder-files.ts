/**
 * The manifest files below a folder, with a signature that changes when any of them does.
 * Knows nothing of what is in them.
 */

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import type { Bytes, Count } from '../../units.ts';

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
/** Bytes of all files: some 100,000 small objects. */
export const FOLDER_MAX: Bytes = 16_777_216;
/** Everything else in the folder, so that nobody watches a whole disk by mistake. */
export const ENTRIES_MAX: Count = 10_000;
/** Folders within folders. */
export const DEPTH_MAX: Count = 16;

export type FolderListing = {
  /** Paths, the folder's own in front, in the order of their names. */
  readonly files: readonly string[];
  /** The folder itself and those below it. */
  readonly folders: readonly WatchedFolder[];
  /** Changes when a file comes, goes, is written or is replaced by another one. */
  readonly signature: string;
};

/** `identity` tells it from another folder that is put in its place later. */
export type WatchedFolder = { readonly path: string; readonly identity: string };

/**
 * Looks through symbolic links, as a ConfigMap's files are such. Hidden entries are left out: among them are the temporary
 * files of editors, and the real folders behind a ConfigMap's links.
 * @throws FolderError
 */
export async function listFolder(folder: string): Promise<FolderListing> {
  const files: string[] = [];
  const folders: WatchedFolder[] = [];
  const versions: string[] = [];
  const seen = new Set<string>();
  let entries = 0;
  let bytes = 0n;

  const enter = async (path: string, { identity }: Status, depth: Count): Promise<void> => {
    if (seen.has(identity)) return;
    if (depth > DEPTH_MAX)
      throw new FolderError(`${path} is more than ${DEPTH_MAX} folders deep: move the manifests up`);
    seen.add(identity);
    folders.push({ path, identity });
    for (const name of (await readdir(path)).toSorted()) {
      if (name.startsWith('.')) continue;
      if (++entries > ENTRIES_MAX) {
        throw new FolderError(
          `${folder} has more than ${ENTRIES_MAX} files in it: give the manifests a folder of their own`,
        );
      }
      const entry = join(path, name);
      const status = await statusOf(entry);
      if (status?.type === 'folder') await enter(entry, status, depth + 1);
      if (status?.type !== 'file' || !MANIFEST.test(name)) continue;
      files.push(entry);
      versions.push(`${entry} ${status.identity} ${status.version}`);
      bytes += status.size;
      if (files.length > FILES_MAX) {
        throw new FolderError(`${folder} has more than ${FILES_MAX} manifest files: put several objects in one file`);
      }
      if (bytes > FOLDER_MAX)
        throw new FolderError(`${folder} has more than ${FOLDER_MAX} bytes of manifests: that is too much`);
    }
  };

  try {
    const status = await statusOf(folder);
    if (status === undefined) throw new FolderError(`${folder} does not exist any more: put it back`);
    await enter(folder, status, 0);
  } catch (error) {
    throw error instanceof FolderError ? error : unreadable(folder, error);
  }
  return { files, folders, signature: versions.join('\n') };
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
  readonly size: bigint;
};

async function statusOf(path: string): Promise<Status | undefined> {
  try {
    const status = await stat(path, { bigint: true });
    return {
      // Pipes and devices could keep a reader waiting for ever.
      type: status.isDirectory() ? 'folder' : status.isFile() ? 'file' : 'other',
      identity: `${status.dev}:${status.ino}`,
      version: `${status.size}:${status.mtimeNs}:${status.ctimeNs}`,
      size: status.size,
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
  return new FolderError(`${what} cannot be read (${reason}): give the server the right to read it`, { cause: error });
}

const MANIFEST = /\.(?:ya?ml|json)$/i;
