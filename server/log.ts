/** The face of the log that every part writes to. What becomes of a line is known only to control/logger.ts. */

export type Level = 'debug' | 'info' | 'warning' | 'error';

/**
 * Writes one line. `source` is empty or names who speaks, such as `plugin/forward`; the text says what happened, why, and
 * what to do. Never blocks: a line that finds no room is dropped and counted.
 */
export type Log = (level: Level, source: string, text: string) => void;
