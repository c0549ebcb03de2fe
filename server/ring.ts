/**
 * Log lines from a data thread to the control thread: a ring of octets in shared memory with one writer and one reader, who
 * never wait for each other. Knows nothing of what a line says or where it is printed.
 */

import type { Bytes, Count } from '../zones/units.ts';
import type { Level, Log } from './log.ts';

/** Octets of one ring: at the reader's 20 visits a second enough for 10 MB of lines a second, about 70,000 queries logged. */
const LOG_RING_BYTES: Bytes = 512 * 1024;

/** Longest line, as UTF-8; what is beyond is cut and marked. Longer than any query line: a name is at most 1,020 octets in text. */
export const LOG_LINE_MAX: Bytes = 4096;

/** Memory for one ring. */
export function ringMemory(size: Bytes = LOG_RING_BYTES): SharedArrayBuffer {
  return new SharedArrayBuffer(size);
}

/** The writer's end. A line that finds no room is dropped and counted in the ring's header. */
export function ringLog(memory: SharedArrayBuffer): Log {
  const header = headerOf(memory);
  const octets = octetsOf(memory);
  const record = new Uint8Array(RECORD_HEADER + SOURCE_MAX + LOG_LINE_MAX);
  return (level, source, text) => {
    const length = fillRecord(record, level, source, text);
    const written = Atomics.load(header, WRITTEN);
    const read = Atomics.load(header, READ);
    const used = (written - read + octets.length) % octets.length;
    // One octet always stays free, or a full ring would look like an empty one.
    if (length > octets.length - used - 1) {
      Atomics.add(header, DROPPED, 1);
      return;
    }
    const untilEnd = Math.min(length, octets.length - written);
    octets.set(record.subarray(0, untilEnd), written);
    octets.set(record.subarray(untilEnd, length), 0);
    Atomics.store(header, WRITTEN, (written + length) % octets.length);
  };
}

/** The reader's end. */
export class RingReader {
  readonly #header: Int32Array<SharedArrayBuffer>;
  readonly #octets: Uint8Array<SharedArrayBuffer>;

  constructor(memory: SharedArrayBuffer) {
    this.#header = headerOf(memory);
    this.#octets = octetsOf(memory);
  }

  /** Lines that found no room since the ring was made. */
  get dropped(): Count {
    return Atomics.load(this.#header, DROPPED) >>> 0;
  }

  /** Hands over the lines that were there when it was called, oldest first; what is written meanwhile waits for the next call. */
  drain(log: Log): void {
    const end = Atomics.load(this.#header, WRITTEN);
    for (let at = Atomics.load(this.#header, READ); at !== end;) {
      const head = this.#copy(at, RECORD_HEADER);
      const length = ((head[0] ?? 0) << 8) | (head[1] ?? 0);
      const body = this.#copy((at + RECORD_HEADER) % this.#octets.length, length - RECORD_HEADER);
      const sourceLength = head[3] ?? 0;
      at = (at + length) % this.#octets.length;
      Atomics.store(this.#header, READ, at);
      log(LEVELS[head[2] ?? 0] ?? 'error', body.toString('utf8', 0, sourceLength), body.toString('utf8', sourceLength));
    }
  }

  #copy(from: number, length: Bytes): Buffer {
    const untilEnd = Math.min(length, this.#octets.length - from);
    const copy = Buffer.alloc(length);
    copy.set(this.#octets.subarray(from, from + untilEnd));
    copy.set(this.#octets.subarray(0, length - untilEnd), untilEnd);
    return copy;
  }
}

/** Header of the ring: where the next line is written, where the next is read, how many were dropped. */
const WRITTEN = 0;
const READ = 1;
const DROPPED = 2;
const HEADER_BYTES: Bytes = 16;

/** Header of a line: its whole length (two octets), its level, the length of its source. */
const RECORD_HEADER: Bytes = 4;
const SOURCE_MAX: Bytes = 255;
const LEVELS: readonly Level[] = ['debug', 'info', 'warning', 'error'];
const CUT = new TextEncoder().encode('…');
const encoder = new TextEncoder();

function fillRecord(record: Uint8Array, level: Level, source: string, text: string): Bytes {
  const sourceEnd =
    RECORD_HEADER + encoder.encodeInto(source, record.subarray(RECORD_HEADER, RECORD_HEADER + SOURCE_MAX)).written;
  const limit = sourceEnd + LOG_LINE_MAX - CUT.length;
  const { read, written } = encoder.encodeInto(text, record.subarray(sourceEnd, limit));
  let end = sourceEnd + written;
  if (read < text.length) {
    record.set(CUT, end);
    end += CUT.length;
  }
  record[0] = end >> 8;
  record[1] = end & 0xff;
  record[2] = LEVELS.indexOf(level);
  record[3] = sourceEnd - RECORD_HEADER;
  return end;
}

function headerOf(memory: SharedArrayBuffer): Int32Array<SharedArrayBuffer> {
  return new Int32Array(memory, 0, HEADER_BYTES / 4);
}

function octetsOf(memory: SharedArrayBuffer): Uint8Array<SharedArrayBuffer> {
  return new Uint8Array(memory, HEADER_BYTES);
}
