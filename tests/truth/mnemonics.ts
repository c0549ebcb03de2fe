/** The words for types and rcodes. Shares nothing with the server's own. */

/** Mnemonics of the types that are asked or answered. RFC 1035, 2782, 3403, 3596, 4034, 6672, 8659, 9460. */
const TYPE_NUMBERS: ReadonlyMap<string, number> = new Map([
  ['A', 1],
  ['NS', 2],
  ['CNAME', 5],
  ['SOA', 6],
  ['NULL', 10],
  ['PTR', 12],
  ['HINFO', 13],
  ['MX', 15],
  ['TXT', 16],
  ['AAAA', 28],
  ['SRV', 33],
  ['NAPTR', 35],
  ['DNAME', 39],
  ['DS', 43],
  ['DNSKEY', 48],
  ['SVCB', 64],
  ['HTTPS', 65],
  ['AXFR', 252],
  ['ANY', 255],
  ['CAA', 257],
]);
const TYPE_NAMES: ReadonlyMap<number, string> = new Map([...TYPE_NUMBERS].map(([name, number]) => [number, name]));

/** Every type that is asked of a single name. */
export const QUESTION_TYPES: readonly string[] = [
  ...[...TYPE_NUMBERS.keys()].filter((type) => type !== 'AXFR'),
  'TYPE65280',
];

/** @throws Error if there is no such type here */
export function typeNumber(type: string): number {
  const number = TYPE_NUMBERS.get(type) ?? Number(/^TYPE([0-9]+)$/.exec(type)?.[1]);
  if (Number.isNaN(number)) throw new Error(`the truth run knows no type "${type}"`);
  return number;
}

/** `TYPE65280` for a type without a name here (RFC 3597 section 5). */
export function typeText(number: number): string {
  return TYPE_NAMES.get(number) ?? `TYPE${number}`;
}

/** `NOERROR` and its like. */
export function rcodeText(rcode: number): string {
  return RCODES[rcode] ?? `RCODE${rcode}`;
}

/** The number of what `rcodeText` gives. */
export function rcodeNumber(text: string): number {
  return RCODES.indexOf(text);
}

/** RFC 1035 section 4.1.1. */
const RCODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];
