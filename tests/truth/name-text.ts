/** Names as lists of labels, in wire form and as text. Knows nothing of what a name may be. */

/** In wire form, one character per octet; of any length, sensible or not. */
export function wireName(labels: readonly string[]): string {
  return `${labels.map((label) => String.fromCharCode(label.length) + label).join('')}\0`;
}

/** Escaped as in RFC 1035 section 5.1, with a final dot. */
export function presentLabels(labels: readonly string[]): string {
  return labels.length === 0 ? '.' : labels.map((label) => `${presentLabel(label)}.`).join('');
}

const PLAIN = /^[a-zA-Z0-9_*/-]*$/;

/** Escaped as in RFC 1035 section 5.1. */
export function presentLabel(label: string): string {
  if (PLAIN.test(label)) return label;
  return label.replace(/[^a-zA-Z0-9_*/-]/g, (character) => {
    const code = character.charCodeAt(0);
    return code > 0x20 && code < 0x7f ? `\\${character}` : `\\${String(code).padStart(3, '0')}`;
  });
}
