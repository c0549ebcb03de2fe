/**
 * A snapshot as a file that is there whole or not at all, and that only its owner can write. Knows nothing of when it is
 * read and written.
 */

import { constants } from 'node:fs';
import { lstat, open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import type { Bytes } from '../../units.ts';
import type { SourceOptions } from '../source.ts';
import { BEGINNING, SNAPSHOT_MAX, SnapshotFault } from './snapshot-format.ts';
import { SnapshotReader, type Snapshot } from './snapshot-reader.ts';

/** Octets that are read at once; what is in them is two milliseconds of work. */
const READ_SIZE: Bytes = 64 * 1024;
/** A FIFO that nobody writes would be waited for, and a link leads to where others may write. */
const READING = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** Nothing is there, a link, or what another user has left in our folder. */
const REPLACED_UNREAD: ReadonlySet<string> = new Set(['ENOENT', 'ELOOP', 'EACCES']);
const OWNER_ONLY = 0o600;
const WRITABLE_BY_OTHERS = 0o022;

export type SnapshotReading =
  | { readonly kind: 'read'; readonly snapshot: Snapshot }
  | { readonly kind: 'missing' }
  /** Why it is not used: words that follow "it". */
  | { readonly kind: 'refused'; readonly why: string };

/** Reads the file in small pieces, other work between them. Whatever is wrong with it is an outcome. */
export async function readSnapshot(file: string, source: SourceOptions): Promise<SnapshotReading> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, READING);
    const refusal = await refusalOf(handle);
    if (refusal !== undefined) return { kind: 'refused', why: refusal };
    return { kind: 'read', snapshot: await readAll(handle, source) };
  } catch (error) {
    if (error instanceof SnapshotFault) return { kind: 'refused', why: error.message };
    if (codeOf(error) === 'ENOENT') return { kind: 'missing' };
    if (codeOf(error) === 'ELOOP') return { kind: 'refused', why: 'is a symbolic link' };
    return { kind: 'refused', why: `cannot be read: ${messageOf(error)}` };
  } finally {
    await handle?.close();
  }
}

/**
 * Writes the file beside its place and moves it there, so that it is never there in part: not for a reader, and not after
 * the machine has failed. There is no other file left, whatever goes wrong, and what is something else stays.
 * @throws Error of the file system, or of the signal
 */
export async function writeSnapshot(
  file: string,
  content: Iterable<Buffer>,
  signal: AbortSignal,
  max: Bytes = SNAPSHOT_MAX,
): Promise<void> {
  if (!(await mayReplace(file)))
    throw new Error('there is something that is no snapshot; move it, or name another file');
  const temporary = join(dirname(file), `.${basename(file)}.tmp`);
  const handle = await openNew(temporary);
  try {
    let size: Bytes = 0;
    for (const octets of content) {
      signal.throwIfAborted();
      size += octets.length;
      if (size > max) throw new Error(`the cluster is larger than the ${max} octets of a snapshot`);
      await handle.writeFile(octets);
    }
    await handle.sync();
    signal.throwIfAborted();
    if (!(await isAt(handle, temporary))) throw new Error('another program writes the same snapshot');
    await rename(temporary, file);
  } catch (error) {
    if (await isAt(handle, temporary)) await unlink(temporary);
    throw error;
  } finally {
    await handle.close();
  }
  const folder = await open(dirname(file), constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Is there nothing that would be missed: a snapshot, the beginning of one, a link, or nothing at all? */
async function mayReplace(file: string): Promise<boolean> {
  let handle: FileHandle;
  try {
    handle = await open(file, READING);
  } catch (error) {
    if (REPLACED_UNREAD.has(codeOf(error))) return true;
    throw error;
  }
  try {
    if (!(await handle.stat()).isFile()) return false;
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(BEGINNING.length));
    return buffer.subarray(0, bytesRead).equals(BEGINNING.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}

/** A file that was not there before: what a crash has left in its place, or somebody has put there, is taken away. */
async function openNew(file: string): Promise<FileHandle> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  try {
    return await open(file, flags, OWNER_ONLY);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    await unlink(file);
    return open(file, flags, OWNER_ONLY);
  }
}

/** Is the open file the one of that name? */
async function isAt(handle: FileHandle, file: string): Promise<boolean> {
  try {
    const [own, there] = [await handle.stat(), await lstat(file)];
    return own.ino === there.ino && own.dev === there.dev;
  } catch {
    return false;
  }
}

async function refusalOf(handle: FileHandle): Promise<string | undefined> {
  const status = await handle.stat();
  if (!status.isFile()) return 'is not a regular file';
  if ((status.mode & WRITABLE_BY_OTHERS) !== 0) {
    return `can be written by others than its owner (mode ${(status.mode & 0o777).toString(8)})`;
  }
  if (status.uid !== 0 && status.uid !== process.geteuid?.()) return `belongs to another user (${status.uid})`;
  if (status.size > SNAPSHOT_MAX) return `is larger than ${SNAPSHOT_MAX} octets`;
  return undefined;
}

async function readAll(handle: FileHandle, source: SourceOptions): Promise<Snapshot> {
  const reader = new SnapshotReader(source);
  const buffer = Buffer.alloc(READ_SIZE);
  for (let size: Bytes = 0; size <= SNAPSHOT_MAX;) {
    const { bytesRead } = await handle.read(buffer);
    if (bytesRead === 0) return reader.end();
    reader.take(buffer.subarray(0, bytesRead));
    size += bytesRead;
  }
  throw new SnapshotFault(`is larger than ${SNAPSHOT_MAX} octets`);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
