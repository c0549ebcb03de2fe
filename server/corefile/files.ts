/** Reading of Corefiles from disk. Knows nothing of what is in them. */

import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';

import type { Bytes } from '../../zones/units.ts';
import { CHARACTERS_MAX } from './allowance.ts';

/** The access to files that a Corefile needs. Both throw an Error whose message says why. */
export type Files = {
  /** The whole of a file as text; a directory is an error. */
  readonly readFile: (path: string) => string;
  /** The names in a directory. */
  readonly listDirectory: (path: string) => readonly string[];
};

/** The machine's own files. Only regular files are read: a device or a pipe may have no end. */
export const DISK: Files = {
  readFile(path) {
    if (statSync(path).isDirectory()) throw new Error('it is a directory');
    if (!statSync(path).isFile()) throw new Error('it is not a regular file');
    const descriptor = openSync(path, 'r');
    try {
      if (!fstatSync(descriptor).isFile()) throw new Error('it is not a regular file');
      return readToEnd(descriptor);
    } finally {
      closeSync(descriptor);
    }
  },
  listDirectory: (path) => readdirSync(path),
};

/** What comes on standard input until it ends. */
export function readStandardInput(): string {
  return readToEnd(0);
}

function readToEnd(descriptor: number): string {
  const parts: Buffer[] = [];
  let total: Bytes = 0;
  for (;;) {
    const part = Buffer.alloc(READ_SIZE);
    const length = readSync(descriptor, part);
    if (length === 0) return new TextDecoder().decode(Buffer.concat(parts, total));
    parts.push(part.subarray(0, length));
    total += length;
    if (total > CHARACTERS_MAX) throw new Error(`it is larger than ${CHARACTERS_MAX} octets`);
  }
}

/** Octets asked for at once: a Corefile fits. */
const READ_SIZE: Bytes = 65_536;
