/** How addresses are spelled as labels: dashed below a service, reversed below `arpa`. Knows nothing of what has an address. */

/** With dashes for dots and colons: as it is written, in full, and with the zero that a trailing colon wants. */
export function dashedLabels(address: string): readonly string[] {
  const own = address.replace(/[.:]/g, '-').toLowerCase();
  const full = address.includes(':')
    ? hextets(address)
        .map((group) => group.toString(16))
        .join('-')
    : own;
  return [...new Set([own.endsWith('-') ? `${own}0` : own, own, full])];
}

/** The whole reverse name (RFC 1035 section 3.5, RFC 3596 section 2.5). */
export function reverseLabels(address: string): readonly string[] {
  if (!address.includes(':')) return [...address.split('.').toReversed(), 'in-addr', 'arpa'];
  const nibbles = hextets(address).flatMap((group) => group.toString(16).padStart(4, '0').split(''));
  return [...nibbles.toReversed(), 'ip6', 'arpa'];
}

function hextets(address: string): readonly number[] {
  const plain = address.replace(/([0-9]+)\.([0-9]+)\.([0-9]+)\.([0-9]+)$/, (_, a, b, c, d) =>
    [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map((group) => group.toString(16)).join(':'),
  );
  const [before = [], after = []] = plain.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const gap = plain.includes('::') ? Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0') : [];
  return [...before, ...gap, ...after].map((group) => Number.parseInt(group, 16));
}
