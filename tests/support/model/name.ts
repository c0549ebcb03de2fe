/**
 * Domain names as lists of labels, the root as the empty list, and how they compare (RFC 1035, RFC 4343). Knows nothing of
 * clusters.
 */

export type Name = readonly string[];

/** @param text with or without the final dot */
export function nameFrom(text: string): Name {
  const relative = text.endsWith('.') ? text.slice(0, -1) : text;
  return relative === '' ? [] : relative.split('.');
}

/** What could be taken for something else is escaped (RFC 1035 section 5.1). */
export function textOf(name: Name): string {
  return `${name.map(escaped).join('.')}.`;
}

function escaped(label: string): string {
  return label.replace(/[^a-zA-Z0-9_*/-]/g, (character) => {
    const octet = character.charCodeAt(0);
    return octet > 0x20 && octet < 0x7f ? `\\${character}` : `\\${String(octet).padStart(3, '0')}`;
  });
}

/** Only the letters of ASCII have a case (RFC 4343 section 3). */
export function lower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

export function isSame(one: Name, other: Name): boolean {
  return one.length === other.length && one.every((label, index) => lower(label) === lower(other[index] ?? ''));
}

/** Is the name the ancestor itself or below it? */
export function isWithin(name: Name, ancestor: Name): boolean {
  return name.length >= ancestor.length && isSame(name.slice(name.length - ancestor.length), ancestor);
}

/** Can the text be one label of a name in the cluster's zone? */
export function isLabel(text: string): boolean {
  return text.length >= 1 && text.length <= 63 && !text.includes('.');
}

/** Does it fit into a message (RFC 1035 section 3.1)? Each label has an octet for its length, and so has the root. */
export function isEncodable(name: Name): boolean {
  const octets = name.reduce((sum, label) => sum + 1 + label.length, 1);
  return name.every(isLabel) && octets <= 255;
}
