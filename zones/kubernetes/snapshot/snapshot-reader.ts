/**
 * The octets of a snapshot back to objects, each held to the rules of the API. Nothing of it is given away before all of it
 * has been read and its checksum is right. Knows nothing of files.
 */

import { createHash } from 'node:crypto';

import type { Bytes, Count, Milliseconds } from '../../units.ts';
import { Listing } from '../listing.ts';
import { keyOf } from '../object-text.ts';
import type { Kind } from '../objects.ts';
import type { SourceOptions } from '../source.ts';
import { trim } from '../trim.ts';
import { checksumLine, damaged, headerFrom, parsed } from './snapshot-format.ts';
import { untrimmed } from './untrimmed.ts';

/** Of one line: what etcd stores for one object at most is 1.5 MiB, with all that is trimmed away. */
const LINE_MAX: Bytes = 4 * 1024 * 1024;
const NEWLINE = 0x0a;

export type Snapshot = { readonly listings: readonly Listing[]; readonly written: Milliseconds };

/** Reads one file. */
export class SnapshotReader {
  readonly #source: SourceOptions;
  readonly #hash = createHash('sha256');
  readonly #listings: Listing[] = [];
  #written: Milliseconds | undefined;
  /** Kinds whose objects are still to come, the first of them now. */
  #counts: [kind: Kind, left: Count][] = [];
  #isChecked = false;
  /** The line that has begun. */
  #begun: Buffer[] = [];
  #size: Bytes = 0;

  constructor(source: SourceOptions) {
    this.#source = source;
  }

  /**
   * Takes the next octets; they may be overwritten afterwards.
   * @throws SnapshotFault
   */
  take(chunk: Buffer): void {
    for (let start = 0; start < chunk.length;) {
      const end = chunk.indexOf(NEWLINE, start) + 1;
      const part = chunk.subarray(start, end === 0 ? chunk.length : end);
      this.#size += part.length;
      if (this.#size > LINE_MAX) throw damaged();
      if (end === 0) {
        this.#begun.push(Buffer.from(part));
        return;
      }
      this.#line(this.#begun.length === 0 ? part : Buffer.concat([...this.#begun, part]));
      this.#begun = [];
      this.#size = 0;
      start = end;
    }
  }

  /**
   * There are no more octets.
   * @throws SnapshotFault
   */
  end(): Snapshot {
    if (!this.#isChecked || this.#written === undefined || this.#size > 0) throw damaged();
    return { listings: this.#listings, written: this.#written };
  }

  /** One line, with its end. There is nothing but ASCII in what `trim` lets through, and so in a line that is right. */
  #line(octets: Buffer): void {
    const line = octets.toString('latin1', 0, octets.length - 1);
    if (this.#written === undefined) this.#begin(line);
    else if (this.#counts.length > 0) this.#object(line);
    else if (!this.#isChecked && line === checksumLine(this.#hash)) this.#isChecked = true;
    else throw damaged();
    if (!this.#isChecked) this.#hash.update(octets);
  }

  #begin(line: string): void {
    const { written, counts } = headerFrom(line, this.#source);
    this.#written = written;
    for (const kind of counts.keys()) this.#listings.push(new Listing(kind));
    this.#counts = [...counts].filter(([, count]) => count > 0);
  }

  /** What is kept is a text of our own, never a piece of the file. */
  #object(line: string): void {
    const [first] = this.#counts;
    if (first === undefined) throw damaged();
    const [kind] = first;
    const listing = this.#listings.find((one) => one.kind === kind);
    const object = trim(kind, untrimmed(kind, parsed(line)), this.#source);
    if (listing === undefined || object === undefined || listing.texts.has(keyOf(object))) throw damaged();
    listing.put(object);
    if (listing.texts.get(keyOf(object)) !== line) throw damaged();
    if (--first[1] === 0) this.#counts.shift();
  }
}
