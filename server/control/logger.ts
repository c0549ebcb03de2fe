/**
 * The log as it is printed: CoreDNS's text lines on a descriptor that may be read slowly or not at all. Knows nothing of who
 * writes.
 */

import { pino } from 'pino';

import type { Bytes, Count, Milliseconds } from '../../zones/units.ts';
import type { Level, Log } from '../log.ts';
import { openDestination } from './destination.ts';
import { pause, type Timers } from './timers.ts';

export type Logger = {
  readonly log: Log;
  /** Prints text as it is, without a level: the banner. */
  readonly print: (text: string) => void;
  /** Lines that found no room since the start. */
  readonly dropped: () => Count;
  /** Waits until everything is written, at most so long. A reader that does not read costs the lines, not the exit. */
  readonly flush: (limit: Milliseconds) => Promise<void>;
};

/** Octets that wait for a slow reader; beyond them lines are dropped and counted. About 8,000 lines of a query log. */
export const LOG_WAITING_MAX: Bytes = 1024 * 1024;

/** Prints on a descriptor: 1 is the standard output. */
export function openLogger(descriptor: number, timers: Timers): Logger {
  let dropped: Count = 0;
  const destination = openDestination(descriptor, LOG_WAITING_MAX, () => dropped++);
  const print = (text: string): void => destination.write(`${text}\n`);
  const stream: MetadataStream = {
    [NEEDS_METADATA]: true,
    lastLevel: 0,
    lastMsg: '',
    lastObj: undefined,
    write() {
      print(lineOf(this.lastLevel, this.lastObj?.source ?? '', this.lastMsg));
    },
  };
  const logger = pino({ level: 'info', base: {}, timestamp: false }, stream);
  return {
    log: (level, source, text) => logger[PINO_LEVELS[level]]({ source }, text),
    print,
    dropped: () => dropped,
    flush: (limit) => pause(timers, limit, destination.written()),
  };
}

/** One line, whatever is in the text: not too long, and nothing that moves a terminal's cursor, ends the line or turns its direction. */
export function escapeText(text: string): string {
  const cut = text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
  return cut.toWellFormed().replace(UNPRINTABLE, (c) => {
    const code = c.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** Longest text of a line; what is beyond is cut and marked. */
const TEXT_MAX: Count = 8192;

/** C0, DEL, C1, line and paragraph separators, bidirectional controls, byte order mark. */
// oxlint-disable-next-line no-control-regex -- these are what it looks for
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

const PINO_LEVELS = { debug: 'debug', info: 'info', warning: 'warn', error: 'error' } as const satisfies Record<
  Level,
  string
>;

/** pino tells a stream that has this property what it was given, so that its JSON need not be read again. */
const NEEDS_METADATA = Symbol.for('pino.metadata');
type MetadataStream = {
  [NEEDS_METADATA]: true;
  lastLevel: number;
  lastMsg: string;
  lastObj: { readonly source?: string } | undefined;
  write(this: MetadataStream, json: string): void;
};

function lineOf(level: number, source: string, text: string): string {
  const name = level >= 50 ? 'ERROR' : level >= 40 ? 'WARNING' : level >= 30 ? 'INFO' : 'DEBUG';
  return `[${name}] ${source === '' ? '' : `${escapeText(source)}: `}${escapeText(text)}`;
}
