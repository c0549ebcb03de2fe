/**
 * DNS messages as the truth run writes and reads them: strict, and label by label, so that a dot inside a label stays one.
 * Shares no code with the server's codec, and knows nothing of what a reply should say.
 */

import type { Bytes } from '../../zones/units.ts';

/** What is asked. A label holds any octets, one character each (latin1). */
export type Question = { readonly labels: readonly string[]; readonly type: string };

/** How it is asked. */
export type Manner = {
  /** Payload size of the OPT record; undefined without one. */
  readonly payloadSize: Bytes | undefined;
  readonly dnssecOk: boolean;
  readonly recursionDesired: boolean;
  readonly checkingDisabled: boolean;
};

/** One record as text. */
export type PresentedRecord = {
  readonly owner: string;
  readonly type: string;
  readonly ttl: number;
  /** `owner ttl IN type rdata`; the serial of a cluster zone's SOA is `SERIAL`. */
  readonly text: string;
  /** Of a CNAME; undefined for the rest. */
  readonly target: string | undefined;
};

/** A reply taken apart. */
export type Message = {
  readonly id: number;
  readonly flags: number;
  readonly rcode: number;
  /** The question as it stands in the message. */
  readonly question: string;
  readonly answer: readonly PresentedRecord[];
  readonly authority: readonly PresentedRecord[];
  readonly additional: readonly PresentedRecord[];
  readonly edns: { readonly payloadSize: Bytes; readonly version: number; readonly flags: number } | undefined;
  /** Serials of the cluster zones' SOA records in it. */
  readonly serials: readonly number[];
};

/** Octets that are no proper message. */
export class MalformedError extends Error {}

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

/** In wire form, one character per octet; of any length, sensible or not. */
export function wireName(labels: readonly string[]): string {
  return `${labels.map((label) => String.fromCharCode(label.length) + label).join('')}\0`;
}

/** Escaped as in RFC 1035 section 5.1, with a final dot. */
export function presentLabels(labels: readonly string[]): string {
  return labels.length === 0 ? '.' : labels.map((label) => `${presentLabel(label)}.`).join('');
}

/** `NOERROR` and its like. */
export function rcodeText(rcode: number): string {
  return RCODES[rcode] ?? `RCODE${rcode}`;
}

/** The number of what `rcodeText` gives. */
export function rcodeNumber(text: string): number {
  return RCODES.indexOf(text);
}

/** A query with id 0. */
export function queryOctets({ labels, type }: Question, manner: Manner): Buffer {
  const name = wireName(labels);
  const end = HEADER + name.length + 4;
  const octets = Buffer.alloc(manner.payloadSize === undefined ? end : end + 11);
  octets.writeUInt16BE((manner.recursionDesired ? 0x0100 : 0) | (manner.checkingDisabled ? 0x0010 : 0), 2);
  octets.writeUInt16BE(1, 4);
  octets.write(name, HEADER, 'latin1');
  octets.writeUInt16BE(typeNumber(type), end - 4);
  octets.writeUInt16BE(1, end - 2);
  if (manner.payloadSize === undefined) return octets;
  octets.writeUInt16BE(1, 10);
  octets.writeUInt16BE(41, end + 1);
  octets.writeUInt16BE(manner.payloadSize, end + 3);
  octets.writeUInt16BE(manner.dnssecOk ? 0x8000 : 0, end + 7);
  return octets;
}

/**
 * Reads a reply to one question whole.
 * @throws MalformedError at anything a strict reader could stumble over
 */
export function decodeMessage(octets: Buffer): Message {
  const reader = new Reader(octets);
  const id = reader.uint16();
  const flags = reader.uint16();
  const counts = [reader.uint16(), reader.uint16(), reader.uint16(), reader.uint16()] as const;
  const questionStart = reader.at;
  for (let i = 0; i < counts[0]; i++) {
    reader.name(false);
    reader.skip(4);
  }
  const question = octets.toString('latin1', questionStart, reader.at);
  const answer = reader.records(counts[1]);
  const authority = reader.records(counts[2]);
  const additional = reader.records(counts[3]);
  if (reader.at !== octets.length)
    throw new MalformedError(`${octets.length - reader.at} octets behind the last record`);
  const opts = [answer, authority, additional].flatMap(({ opts }) => opts);
  if (opts.length > additional.opts.length || opts.length > 1) throw new MalformedError('a misplaced OPT record');
  const [edns] = additional.opts;
  return {
    id,
    flags,
    rcode: ((edns?.extendedRcode ?? 0) << 4) | (flags & 0x0f),
    question,
    answer: answer.records,
    authority: authority.records,
    additional: additional.records,
    edns,
    serials: reader.serials,
  };
}

const HEADER: Bytes = 12;
/** RFC 1035 section 4.1.1. */
const RCODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

type Opt = {
  readonly payloadSize: Bytes;
  readonly extendedRcode: number;
  readonly version: number;
  readonly flags: number;
};
type Section = { readonly records: readonly PresentedRecord[]; readonly opts: readonly Opt[] };

/** Walks a message. */
class Reader {
  readonly serials: number[] = [];
  readonly #octets: Buffer;
  at: Bytes = 0;

  constructor(octets: Buffer) {
    this.#octets = octets;
  }

  uint16(): number {
    this.skip(2);
    return this.#octets.readUInt16BE(this.at - 2);
  }

  uint32(): number {
    this.skip(4);
    return this.#octets.readUInt32BE(this.at - 4);
  }

  skip(count: Bytes): void {
    this.at += count;
    if (this.at > this.#octets.length) throw new MalformedError('it ends in the middle of something');
  }

  /** Presented. Pointers lead back only, to something that is not before the first question (RFC 1035 section 4.1.4). */
  name(mayPoint: boolean): string {
    const octets = this.#octets;
    let text = '';
    let wireLength = 1;
    let at = this.at;
    let least = at;
    let end = -1;
    for (;;) {
      const length = octets[at] ?? 0xff;
      if (length === 0) break;
      if (length >= 0xc0) {
        const target = ((length & 0x3f) << 8) | (octets[at + 1] ?? 0);
        if (!mayPoint || at + 1 >= octets.length || target >= least || target < HEADER) {
          throw new MalformedError(`a pointer at ${at} to ${target}`);
        }
        if (end === -1) end = at + 2;
        at = target;
        least = target;
        continue;
      }
      if (length > 63) throw new MalformedError(`a label of ${length} octets at ${at}`);
      const next = at + 1 + length;
      if (next >= octets.length) throw new MalformedError('a name that does not end');
      text += `${presentLabel(octets.toString('latin1', at + 1, next))}.`;
      wireLength += 1 + length;
      at = next;
    }
    if (wireLength > 255) throw new MalformedError(`a name of ${wireLength} octets`);
    this.at = end === -1 ? at + 1 : end;
    return text === '' ? '.' : text;
  }

  records(count: number): Section {
    const records: PresentedRecord[] = [];
    const opts: Opt[] = [];
    for (let i = 0; i < count; i++) {
      const owner = this.name(true);
      const number = this.uint16();
      const rrclass = this.uint16();
      const ttl = this.uint32();
      const length = this.uint16();
      const end = this.at + length;
      if (end > this.#octets.length) throw new MalformedError('rdata that goes beyond the message');
      if (number === 41) {
        if (owner !== '.') throw new MalformedError('an OPT record that is not at the root');
        this.#readOptions(end);
        opts.push({
          payloadSize: rrclass,
          extendedRcode: ttl >>> 24,
          version: (ttl >>> 16) & 0xff,
          flags: ttl & 0xffff,
        });
        continue;
      }
      if (rrclass !== 1) throw new MalformedError(`class ${rrclass} of ${owner}`);
      if (ttl > 0x7fffffff) throw new MalformedError(`a TTL of ${ttl} (RFC 2181 section 8)`);
      const type = TYPE_NAMES.get(number) ?? `TYPE${number}`;
      const rdata = this.#rdata(type, end);
      if (this.at !== end) throw new MalformedError(`rdata of ${owner} ${type} that does not end where it says`);
      const target = type === 'CNAME' ? rdata : undefined;
      records.push({ owner, type, ttl, text: `${owner} ${ttl} IN ${type} ${rdata}`, target });
    }
    return { records, opts };
  }

  /** Only Extended DNS Errors are expected (RFC 8914). */
  #readOptions(end: Bytes): void {
    while (this.at < end) {
      const code = this.uint16();
      const length = this.uint16();
      if (code !== 15 || length < 2) throw new MalformedError(`EDNS option ${code} of ${length} octets`);
      this.skip(length);
    }
    if (this.at !== end) throw new MalformedError('an EDNS option that goes beyond its record');
  }

  #rdata(type: string, end: Bytes): string {
    switch (type) {
      case 'A':
        return [this.#octet(), this.#octet(), this.#octet(), this.#octet()].join('.');
      case 'AAAA':
        return presentIpv6(Array.from({ length: 8 }, () => this.uint16()));
      case 'CNAME':
      case 'NS':
      case 'PTR':
        return this.name(true);
      case 'SRV': {
        // RFC 2782: the target is not compressed.
        const numbers = [this.uint16(), this.uint16(), this.uint16()].join(' ');
        return `${numbers} ${this.name(false)}`;
      }
      case 'SOA': {
        const mname = this.name(true);
        const rname = this.name(true);
        const serial = this.uint32();
        const isClusters = /^ns\.dns\./i.test(mname);
        if (isClusters) this.serials.push(serial);
        const timers = [this.uint32(), this.uint32(), this.uint32(), this.uint32()].join(' ');
        return `${mname} ${rname} ${isClusters ? 'SERIAL' : serial} ${timers}`;
      }
      case 'TXT': {
        const strings: string[] = [];
        while (this.at < end) {
          const length = this.#octet();
          this.skip(length);
          const text = this.#octets.toString('latin1', this.at - length, this.at);
          strings.push(`"${text.replace(/["\\]/g, '\\$&')}"`);
        }
        return strings.join(' ');
      }
      default: {
        const length = end - this.at;
        this.skip(length);
        return `\\# ${length} ${this.#octets.toString('hex', end - length, end)}`.trimEnd();
      }
    }
  }

  #octet(): number {
    this.skip(1);
    return this.#octets[this.at - 1] ?? 0;
  }
}

const PLAIN = /^[a-zA-Z0-9_*/-]*$/;

function presentLabel(label: string): string {
  if (PLAIN.test(label)) return label;
  return label.replace(/[^a-zA-Z0-9_*/-]/g, (character) => {
    const code = character.charCodeAt(0);
    return code > 0x20 && code < 0x7f ? `\\${character}` : `\\${String(code).padStart(3, '0')}`;
  });
}

/** RFC 5952 section 4: the longest run of zero groups, the first of several, at least two, is `::`. */
function presentIpv6(groups: readonly number[]): string {
  const text = groups.map((group) => group.toString(16)).join(':');
  const runs = [...text.matchAll(/(?<=^|:)0(?::0)+(?=:|$)/g)];
  const longest = runs.toSorted((a, b) => b[0].length - a[0].length || a.index - b.index)[0];
  if (longest === undefined) return text;
  const before = text.slice(0, longest.index).replace(/:$/, '');
  const after = text.slice(longest.index + longest[0].length).replace(/^:/, '');
  return `${before}::${after}`;
}
