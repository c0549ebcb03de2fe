/**
 * How a cluster's objects stand in a file: a line that says what follows, a line for each object (object-text.ts), and a line
 * with the checksum of all before it. Knows nothing of files, and of an object only that it is one line.
 */

import { createHash, type Hash } from 'node:crypto';

import type { Bytes, Count, Milliseconds } from '../../units.ts';
import { fieldsOf, isFields } from '../api-values.ts';
import type { ClusterMemory } from '../cluster-memory.ts';
import { hasApiName } from '../object-text.ts';
import type { Kind } from '../objects.ts';
import { kindsOf, type SourceOptions } from '../source.ts';

/** Moves on when the same line would mean something else: another layout, or another set of fields in an object. */
const VERSION = 2;
const FORMAT = 'fivedots snapshot';

/** How every snapshot begins, and nothing else does. */
export const BEGINNING: Buffer = Buffer.from(JSON.stringify({ format: FORMAT }).slice(0, -1));

/** Of the whole file: ten times that of 10,000 services, 100,000 endpoints and 150,000 pods. */
export const SNAPSHOT_MAX: Bytes = 256 * 1024 * 1024;
/** However small they are: each costs half a kilobyte of memory while it is read. Five times that of such a cluster. */
const OBJECTS_MAX: Count = 1_000_000;
/** Octets that are made at once: half a millisecond of work. */
const CHUNK: Bytes = 64 * 1024;

/** Objects as their texts, by kind; references only. */
export type SnapshotContent = ReadonlyMap<Kind, readonly string[]>;

export type SnapshotHeader = {
  readonly counts: ReadonlyMap<Kind, Count>;
  /** Since 1970, on the clock of whoever wrote it. */
  readonly written: Milliseconds;
};

/** What stands in the file may be used no further, and why: words that follow "it". */
export class SnapshotFault extends Error {}

/** What of a cluster is kept: without what a source has added for itself. Undefined while a kind has not been read whole. */
export function contentOf(memory: ClusterMemory, kinds: readonly Kind[]): SnapshotContent | undefined {
  if (!kinds.every((kind) => memory.isWhole(kind))) return undefined;
  return new Map(
    kinds.map((kind) => {
      const texts = memory.texts(kind);
      if (kind !== 'EndpointSlice') return [kind, [...texts.values()]];
      const kept: string[] = [];
      for (const [key, text] of texts) if (hasApiName(key)) kept.push(text);
      return [kind, kept];
    }),
  );
}

/**
 * The file's octets, piece by piece.
 * @throws Error if there are more objects than would be read
 */
export function* encodeSnapshot(
  source: SourceOptions,
  content: SnapshotContent,
  written: Milliseconds,
): Generator<Buffer, void, void> {
  const total = sumOf(Array.from(content.values(), (texts) => texts.length));
  if (total > OBJECTS_MAX) throw new Error(`the cluster has more than the ${OBJECTS_MAX} objects of a snapshot`);
  const hash = createHash('sha256');
  const finish = (lines: readonly string[]): Buffer => {
    const octets = Buffer.from(`${lines.join('\n')}\n`);
    hash.update(octets);
    return octets;
  };
  const counts = Object.fromEntries(Array.from(content, ([kind, texts]) => [kind, texts.length]));
  const header = { format: FORMAT, version: VERSION, of: identityOf(source), written: isoTime(written), counts };
  let lines = [JSON.stringify(header)];
  let size: Bytes = 0;
  for (const texts of content.values()) {
    for (const text of texts) {
      lines.push(text);
      size += text.length;
      if (size < CHUNK) continue;
      yield finish(lines);
      lines = [];
      size = 0;
    }
  }
  if (lines.length > 0) yield finish(lines);
  yield Buffer.from(`${checksumLine(hash)}\n`);
}

/** The last line, for everything that went into the hash. */
export function checksumLine(hash: Hash): string {
  return JSON.stringify({ sha256: hash.digest('hex') });
}

/**
 * Reads the first line.
 * @throws SnapshotFault if there is nothing behind it that can be read here
 */
export function headerFrom(line: string, source: SourceOptions): SnapshotHeader {
  const { format, version, of, written, counts } = fieldsOf(parsed(line));
  if (format !== FORMAT) throw new SnapshotFault('is not a snapshot of fivedots');
  if (version !== VERSION) {
    if (typeof version !== 'number' || !(version >= 1)) throw damaged();
    const why = `was written by ${version > VERSION ? 'a newer' : 'an older'} version of fivedots`;
    throw new SnapshotFault(`${why}: it has format ${version}, and this one reads ${VERSION}`);
  }
  if (of !== identityOf(source)) {
    throw new SnapshotFault('is of another cluster, or was made with other options of `kubernetes`');
  }
  const time = typeof written === 'string' ? Date.parse(written) : Number.NaN;
  const kinds = kindsOf(source);
  const found = fieldsOf(counts);
  if (Number.isNaN(time) || !isFields(counts) || Object.keys(found).join() !== kinds.join()) throw damaged();
  const counted = new Map(kinds.map((kind) => [kind, countFrom(found[kind])]));
  if (sumOf(counted.values()) > OBJECTS_MAX) throw new SnapshotFault(`has more than ${OBJECTS_MAX} objects`);
  return { written: time, counts: counted };
}

/** A line as JSON; undefined if it is none. */
export function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** For what can only be an accident, or malice. */
export function damaged(): SnapshotFault {
  return new SnapshotFault('is damaged');
}

/** Everything that decides which objects are read and what is kept of them; not how, nor how fast. */
function identityOf(source: SourceOptions): string {
  const { from } = source;
  const place = from.kind === 'endpoint' ? { kind: from.kind, url: from.url } : from;
  return createHash('sha256')
    .update(JSON.stringify({ ...source, from: place, requests: undefined }))
    .digest('hex');
}

function countFrom(value: unknown): Count {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw damaged();
  return value;
}

function sumOf(counts: Iterable<Count>): Count {
  return [...counts].reduce((sum, count) => sum + count, 0);
}

function isoTime(time: Milliseconds): string {
  return new Date(time).toISOString();
}
