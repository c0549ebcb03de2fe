/**
 * `metadata`: lets log lines say what plugins know of an exchange beside its reply. Knows under which names there is something
 * to know, not what it is.
 */

import { isWithin, type Name } from '../../zones/name.ts';
import { noBody, onlyDirective, zonesOrBlock } from '../corefile/values.ts';
import { transparent, type Exchange, type Plugin } from '../pipeline.ts';

/**
 * One thing that a plugin knows; undefined or empty if there is nothing to say of this exchange. Whoever makes it sees to it
 * that no octet of a client's can end a line.
 */
export type MetadataValue = (exchange: Exchange) => string | undefined;

/** The zones whose names there is metadata for. */
export const metadata: Plugin<readonly Name[]> = {
  name: 'metadata',
  parse(directives, block) {
    const directive = onlyDirective(directives);
    noBody(directive);
    return zonesOrBlock(directive.args, block);
  },
  layer(zones, { shared }) {
    metadataOf(shared).collect(zones);
    return transparent((next) => next); // values are made when a line asks for them, so a query has nothing to pass through
  },
};

/** The values that the plugins of one block publish, by CoreDNS's names for them, such as `kubernetes/namespace`. */
export class Metadata {
  readonly #values = new Map<string, MetadataValue>();
  #zones: readonly Name[] | undefined;

  /** Is `metadata` in the block? Without it there are no values. */
  get isCollected(): boolean {
    return this.#zones !== undefined;
  }

  collect(zones: readonly Name[]): void {
    this.#zones = zones;
  }

  publish(label: string, value: MetadataValue): void {
    this.#values.set(label, value);
  }

  /** Has a plugin published it? Known once all plugins of the block are made. */
  has(label: string): boolean {
    return this.#values.has(label);
  }

  /** Made now, for this exchange; undefined if there is nothing to say. */
  value(label: string, exchange: Exchange): string | undefined {
    const { name } = exchange.query.question;
    const isAsked = this.#zones?.some((zone) => isWithin(name, zone)) ?? false;
    return isAsked ? this.#values.get(label)?.(exchange) : undefined;
  }
}

/** What the plugins of a block share under this name. */
export function metadataOf(shared: Map<string, unknown>): Metadata {
  const known = shared.get(SHARED_KEY);
  if (known instanceof Metadata) return known;
  const made = new Metadata();
  shared.set(SHARED_KEY, made);
  return made;
}

const SHARED_KEY = 'metadata';
