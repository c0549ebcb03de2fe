/**
 * How many octets a reply takes, within bounds: how well names are compressed is the server's affair (RFC 1035 section 4.1.4). Knows
 * nothing of what a reply should say.
 */

import type { ModelQuestion, ModelReply } from '../support/model/world.ts';
import { presentLabels } from '../support/presentation.ts';
import type { Bytes } from '../../zones/units.ts';

/** Without an OPT record. */
export type SizeBounds = { readonly least: Bytes; readonly most: Bytes };

const HEADER: Bytes = 12;
/** Type and class; with a TTL and the length of what follows. */
const QUESTION_TAIL: Bytes = 4;
const RECORD_TAIL: Bytes = 10;
const POINTER: Bytes = 2;

/** Of a reply with an answer of addresses and aliases, without the sections that may be left out behind one (RFC 2181 section 9). */
export function sizeBoundsOf({ labels }: ModelQuestion, { answer }: ModelReply): SizeBounds {
  const names = new Names();
  names.add(presentLabels(labels));
  for (const line of answer) {
    const [owner = '', , , type = '', target = ''] = line.split(' ');
    names.add(owner);
    names.other(RECORD_TAIL);
    if (type === 'A') names.other(4);
    else if (type === 'AAAA') names.other(16);
    else names.add(target);
  }
  const fixed = HEADER + QUESTION_TAIL;
  return { least: fixed + names.least, most: fixed + names.most };
}

/** Names one after the other: at best each end that stood before is pointed to in any spelling, at worst a whole name in the same one. */
class Names {
  least: Bytes = 0;
  most: Bytes = 0;
  readonly #ends = new Set<string>();
  readonly #wholes = new Set<string>();

  other(size: Bytes): void {
    this.least += size;
    this.most += size;
  }

  add(name: string): void {
    const labels = name === '.' ? [] : (name.match(LABEL) ?? []);
    const sizes = labels.map((label) => label.replace(/\\(?:\d{3}|.)/g, 'x').length);
    const full = sizes.reduce((sum, size) => sum + size, 1);
    this.most += this.#wholes.has(name) ? POINTER : full;
    this.#wholes.add(name);
    const ends = labels.map((_, i) => labels.slice(i).join('').toLowerCase());
    const known = ends.findIndex((end) => this.#ends.has(end));
    this.least += known === -1 ? full : sizes.slice(0, known).reduce((sum, size) => sum + size, POINTER);
    for (const end of ends) this.#ends.add(end);
  }
}

/** A label with the dot behind it, which takes as much room as the octet that tells its length. */
const LABEL = /(?:\\\d{3}|\\.|[^.\\])+\./g;
