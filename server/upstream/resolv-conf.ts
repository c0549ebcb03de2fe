/** Files in resolv.conf format: their `nameserver` lines, read again when the file changes, and their search domains. Knows nothing of who uses them. */

import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

import { NameError, nameFrom, ROOT, type Name } from '../../zones/name.ts';
import type { Count, Milliseconds } from '../../zones/units.ts';
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

/** As many as the kubelet gives a pod (MaxDNSSearchPaths). */
const SEARCH_DOMAINS_MAX: Count = 32;

/**
 * resolv.conf(5): the domains of the last `search` or `domain` line that has any, in its order. What is no domain name is left out, as are
 * the root, which ends every list by itself, and what is beyond the first 32.
 */
export function searchDomainsFrom(text: string): readonly Name[] {
  let entries: readonly string[] = [];
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line.trim().split(/\s+/);
    if (words.length === 0) continue;
    if (keyword === 'search') entries = words;
    else if (keyword === 'domain') entries = words.slice(0, 1);
  }
  const domains = new Set(entries.flatMap((entry) => domainFrom(entry) ?? []));
  return [...domains].slice(0, SEARCH_DOMAINS_MAX);
}

function domainFrom(text: string): Name | undefined {
  try {
    const name = nameFrom(text);
    return name === ROOT ? undefined : name;
  } catch (error) {
    if (error instanceof NameError) return undefined;
    throw error;
  }
}

/**
 * The file's search domains now.
 * @throws the system's error if it cannot be read
 */
export function readSearchDomains(file: string): readonly Name[] {
  return searchDomainsFrom(readFileSync(file, 'utf8'));
}

/**
 * What the node searches: a pod with dnsPolicy Default, which a cluster's DNS has, sees the node's own. None without a file that can be read
 * (resolv.conf(5)).
 */
export function nodeSearchDomains(): readonly Name[] {
  try {
    return readSearchDomains('/etc/resolv.conf');
  } catch {
    return [];
  }
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
