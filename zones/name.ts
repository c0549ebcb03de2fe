/** Domain names: RFC 1035 section 3.1, compared as RFC 4343 says. Knows nothing of messages, records or zones. */

import type { Bytes } from './units.ts';

declare const nameBrand: unique symbol;
declare const spellingBrand: unique symbol;

/**
 * An absolute domain name in wire form: every label behind its length octet, the root label (`\0`) last, one character
 * per octet (latin1), spelled as it was sent. A label that contains a dot stays one label.
 */
export type Spelling = string & { readonly [spellingBrand]: true };

/** A `Spelling` in ASCII lower case, so that `===` and `Map` compare names as RFC 4343 section 3 wants. */
export type Name = Spelling & { readonly [nameBrand]: true };

/** Longest name in wire form, root label included. RFC 1035 section 2.3.4. */
export const NAME_MAX: Bytes = 255;
/** Longest label. RFC 1035 section 2.3.4. */
export const LABEL_MAX: Bytes = 63;

/** The root, `.`. */
export const ROOT: Name = '\0' as Name;

/** A text that is not a domain name. `reason` finishes the sentence "… is not a domain name: ". */
export class NameError extends Error {
  readonly code = 'NAME';
  readonly reason: string;

  constructor(text: string, reason: string) {
    super(`"${text}" is not a domain name: ${reason}`);
    this.name = 'NameError';
    this.reason = reason;
  }
}

/**
 * Reads presentation format (RFC 1035 section 5.1: `\.` and `\DDD` escapes) into a lower-case name. A missing final dot is
 * added: there are no relative names here.
 * @throws NameError
 */
export function nameFrom(text: string): Name {
  return lowerCase(spellingFrom(text));
}

/**
 * Reads presentation format and keeps the letters as they are.
 * @throws NameError
 */
export function spellingFrom(text: string): Spelling {
  if (text === '' || text === '.') return ROOT;
  const labels: string[] = [];
  let label = '';
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === DOT) {
      labels.push(label);
      label = '';
    } else if (c === BACKSLASH) {
      const digits = text.slice(i + 1, i + 4);
      if (/^[0-9]{3}$/.test(digits)) {
        const octet = Number(digits);
        if (octet > 255) throw new NameError(text, `\\${digits} is more than 255`);
        label += String.fromCharCode(octet);
        i += 3;
      } else {
        if (i + 1 >= text.length) throw new NameError(text, 'it ends in a lone backslash');
        label += octetAt(text, ++i);
      }
    } else label += octetAt(text, i);
  }
  if (label !== '') labels.push(label);
  const wire = wireOf(labels, text);
  if (wire.length > NAME_MAX)
    throw new NameError(text, `it is ${wire.length} octets long, at most ${NAME_MAX} are allowed`);
  return wire;
}

/** Writes a name in presentation format, final dot included; everything but letters, digits, `-`, `_`, `*` and `/` is escaped. */
export function present(name: Spelling): string {
  if (name === ROOT) return '.';
  let text = '';
  for (let at = 0; name.charCodeAt(at) !== 0;) {
    const end = at + 1 + name.charCodeAt(at);
    text += `${presentLabel(name.slice(at + 1, end))}.`;
    at = end;
  }
  return text;
}

/** Writes one label as `present` does: nothing in it can be taken for a dot, a quote or the end of a line. */
export function presentLabel(label: string): string {
  let text = '';
  for (let i = 0; i < label.length; i++) text += presentOctet(label.charCodeAt(i));
  return text;
}

/** The name in ASCII lower case; octets above 127 are left alone (RFC 4343 section 3). Length octets are below 64 and never letters. */
export function lowerCase(name: Spelling): Name {
  for (let i = 0; i < name.length; i++) {
    const c = name.charCodeAt(i);
    if (c >= UPPER_A && c <= UPPER_Z) return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) as Name;
  }
  return name as Name;
}

/** The labels from left to right, without the root label. */
export function labelsOf(name: Spelling): string[] {
  const labels: string[] = [];
  for (let at = 0; name.charCodeAt(at) !== 0;) {
    const end = at + 1 + name.charCodeAt(at);
    labels.push(name.slice(at + 1, end));
    at = end;
  }
  return labels;
}

/**
 * Puts labels in front of a name.
 * @throws NameError if a label is empty or longer than 63 octets, or the whole longer than 255
 */
export function under<N extends Spelling>(labels: readonly string[], parent: N): N {
  const front = wireOf(labels, labels.join('.')).slice(0, -1);
  if (front.length + parent.length > NAME_MAX) {
    throw new NameError(labels.join('.'), `with the name it stands under it is longer than ${NAME_MAX} octets`);
  }
  return (front + parent) as N;
}

/** A label behind its length octet, to be put in front of a name. The caller knows that it is 1 to 63 octets long. */
export function wireLabel(label: string): string {
  return String.fromCharCode(label.length) + label;
}

/** The name made of wire labels and the name that they stand under; undefined if it is longer than a name may be. */
export function nameUnder<N extends Spelling>(wireLabels: string, parent: N): N | undefined {
  return wireLabels.length + parent.length <= NAME_MAX ? ((wireLabels + parent) as N) : undefined;
}

/** The label whose length octet is at `at`. */
export function labelAt(name: Spelling, at: number): string {
  return name.slice(at + 1, at + 1 + name.charCodeAt(at));
}

/** The name without its leftmost label; the root is its own parent. */
export function parentOf<N extends Spelling>(name: N): N {
  return name.length === 1 ? name : (name.slice(1 + name.charCodeAt(0)) as N);
}

/** Is `name` equal to `ancestor` or below it? Compared label by label, never as text. */
export function isWithin(name: Name, ancestor: Name): boolean {
  return suffixStart(name, ancestor) !== -1;
}

/** Where in `name` the labels of `ancestor` begin, or -1 if it is not an ancestor-or-self. */
export function suffixStart(name: Name, ancestor: Name): number {
  const start = name.length - ancestor.length;
  if (start < 0 || !name.endsWith(ancestor)) return -1;
  let at = 0;
  while (at < start) at += 1 + name.charCodeAt(at);
  return at === start ? start : -1;
}

/** How many labels, the root label not counted. */
export function labelCount(name: Spelling): number {
  let count = 0;
  for (let at = 0; name.charCodeAt(at) !== 0; at += 1 + name.charCodeAt(at)) count++;
  return count;
}

const DOT = 0x2e;
const BACKSLASH = 0x5c;
const UPPER_A = 0x41;
const UPPER_Z = 0x5a;

function octetAt(text: string, at: number): string {
  const character = text.charAt(at);
  if (character > '\xff')
    throw new NameError(text, `"${character}" is not one octet; write internationalised names as xn--`);
  return character;
}

function wireOf(labels: readonly string[], text: string): Spelling {
  let wire = '';
  for (const label of labels) {
    if (label.length === 0) throw new NameError(text, 'it has an empty label');
    if (label.length > LABEL_MAX) {
      throw new NameError(text, `label "${label}" is ${label.length} octets long, at most ${LABEL_MAX} are allowed`);
    }
    wire += String.fromCharCode(label.length) + label;
  }
  return (wire + '\0') as Spelling;
}

function presentOctet(c: number): string {
  const isPlain =
    (c >= 0x61 && c <= 0x7a) || (c >= 0x41 && c <= 0x5a) || (c >= 0x30 && c <= 0x39) || PLAIN_SIGNS.includes(c);
  if (isPlain) return String.fromCharCode(c);
  if (c > 0x20 && c < 0x7f) return '\\' + String.fromCharCode(c);
  return '\\' + String(c).padStart(3, '0');
}

const PLAIN_SIGNS = [0x2d, 0x5f, 0x2a, 0x2f]; // - _ * /
