/**
 * A descriptor that text is written to without ever waiting for its reader: what it does not take in time is dropped. Knows
 * nothing of levels.
 *
 * pino's own destination is not used: at the end of the process it writes synchronously until everything is gone, which on a
 * full disk or before a reader that does not read is for ever.
 */

import { constants, fstatSync, openSync, write } from 'node:fs';
import { Socket } from 'node:net';

import type { Bytes, Milliseconds } from '../../zones/units.ts';

export type Destination = {
  /** A line, with its end. */
  readonly write: (line: string) => void;
  /** Resolves when everything that was accepted is written or lost; never while the reader does not read. */
  readonly written: () => Promise<void>;
};

/** Until a pipe that is full is tried again. */
const RETRY_DELAY: Milliseconds = 100;
/** Written at once: as much as a reader of pipes usually takes (a pipe holds 64 KiB). */
const CHUNK_MAX: Bytes = 16 * 1024;

/**
 * A write that blocks would hold one of libuv's threads, and a process whose threads are held does not end. So a pipe or
 * terminal is opened a second time, as a description of its own that does not block; a socket, which cannot be opened again,
 * is told not to block. A file is used as it is: it does not block, and whoever shares it shares the place in it.
 * @param limit octets that may wait
 * @param onDrop told of each line that found no room or whose reader has gone
 */
export function openDestination(descriptor: number, limit: Bytes, onDrop: () => void): Destination {
  const kind = fstatSync(descriptor);
  if (kind.isSocket()) return socketDestination(descriptor, limit, onDrop);
  return fileDestination(kind.isFile() ? descriptor : withoutBlocking(descriptor), limit, onDrop);
}

function fileDestination(descriptor: number, limit: Bytes, onDrop: () => void): Destination {
  let lines: Buffer[] = [];
  let waiting: Bytes = 0;
  let isWriting = false;
  let settle: (() => void)[] = [];

  const next = (): void => {
    const [chunk, count] = chunkOf(lines);
    isWriting = count > 0;
    if (count === 0) for (const resolve of settle.splice(0)) resolve();
    else write(descriptor, chunk, (error, octets) => done(error, octets, chunk, count));
  };
  const done = (error: NodeJS.ErrnoException | null, octets: number, chunk: Buffer, count: number): void => {
    if (error?.code === 'EAGAIN') {
      setTimeout(next, RETRY_DELAY).unref();
      return;
    }
    // The reader has gone, or the disk is full: these lines are lost, the next ones are tried.
    if (error !== null) for (let i = 0; i < count; i++) onDrop();
    const taken = error === null ? octets : chunk.length;
    waiting -= taken;
    lines = lines.slice(count);
    if (taken < chunk.length) lines.unshift(chunk.subarray(taken));
    next();
  };
  return {
    write(line) {
      const octets = Buffer.from(line);
      if (waiting + octets.length > limit) return onDrop();
      waiting += octets.length;
      lines.push(octets);
      if (isWriting) return;
      isWriting = true;
      // What is written in one turn goes out together.
      setImmediate(next);
    },
    written: () => (isWriting ? new Promise((resolve) => (settle = [...settle, resolve])) : Promise.resolve()),
  };
}

/** As many lines as fit into a chunk, at least one, and how many they are. */
function chunkOf(lines: readonly Buffer[]): [Buffer, number] {
  let length: Bytes = 0;
  let count = 0;
  for (const line of lines) {
    if (count > 0 && length + line.length > CHUNK_MAX) break;
    length += line.length;
    count++;
  }
  return [Buffer.concat(lines.slice(0, count)), count];
}

function socketDestination(descriptor: number, limit: Bytes, onDrop: () => void): Destination {
  const socket = new Socket({ fd: descriptor, readable: false, writable: true });
  // The reader has gone; each line is told so itself.
  socket.on('error', () => {});
  return {
    write(line) {
      if (!socket.writable || socket.writableLength + Buffer.byteLength(line) > limit) return onDrop();
      // What is written in one turn goes out together.
      if (socket.writableCorked === 0) {
        socket.cork();
        setImmediate(() => socket.uncork());
      }
      socket.write(line, (error) => {
        if (error !== null && error !== undefined) onDrop();
      });
    },
    written: () => new Promise((resolve) => socket.write('', () => resolve())),
  };
}

/** Where it cannot be opened again (a pipe of another user) the descriptor is used as it is. */
function withoutBlocking(descriptor: number): number {
  try {
    return openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return descriptor;
  }
}
