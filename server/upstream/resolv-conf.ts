/** The `nameserver` lines of a file in resolv.conf format, read again when the file changes. Knows nothing of who uses them. */

import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

import type { Milliseconds } from '../../zones/units.ts';
import { endpointFrom, type Endpoint } from './endpoint.ts';

/** How often a file is looked at: soon after a node's network changed, and a few hundred octets each time. */
const WATCH_INTERVAL: Milliseconds = 5_000;

/** resolv.conf(5): other keywords and comments are not ours; scope identifiers are dropped, as CoreDNS does. */
export function nameserversFrom(text: string): readonly Endpoint[] {
  return text.split('\n').flatMap((line) => {
    const [keyword, address = ''] = line.trim().split(/\s+/);
    if (keyword !== 'nameserver') return [];
    return endpointFrom(address.replace(/%.*$/, '')) ?? [];
  });
}

/**
 * The file's nameservers now.
 * @throws the system's error if it cannot be read
 */
export function readNameservers(file: string): readonly Endpoint[] {
  return nameserversFrom(readFileSync(file, 'utf8'));
}

export type ResolvConfEvents = {
  readonly changed: () => void;
  /** It cannot be read any more, or names no server; what it said before stays in use. */
  readonly failed: (reason: string) => void;
};

export class ResolvConf {
  readonly #file: string;
  readonly #events: ResolvConfEvents;
  readonly #timer: NodeJS.Timeout;
  #text: string;
  #nameservers: readonly Endpoint[];

  /** @throws the system's error if the file cannot be read */
  constructor(file: string, events: ResolvConfEvents) {
    this.#file = file;
    this.#events = events;
    this.#text = readFileSync(file, 'utf8');
    this.#nameservers = nameserversFrom(this.#text);
    this.#timer = setInterval(() => void this.look(), WATCH_INTERVAL);
  }

  get nameservers(): readonly Endpoint[] {
    return this.#nameservers;
  }

  /** Reads the file again now. */
  async look(): Promise<void> {
    const text = await readFile(this.#file, 'utf8').catch((error: unknown) => {
      return error instanceof Error ? error : new Error(String(error));
    });
    const content = text instanceof Error ? text.message : text;
    if (content === this.#text) return;
    this.#text = content;
    if (text instanceof Error) return this.#events.failed(text.message);
    const nameservers = nameserversFrom(text);
    if (nameservers.length === 0) return this.#events.failed('it has no nameserver line');
    this.#nameservers = nameservers;
    return this.#events.changed();
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
