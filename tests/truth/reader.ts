/** Walks the octets of a message, strictly. Knows what its parts look like, not which of them there should be. */

import type { Bytes } from '../../zones/units.ts';
import { typeText } from './mnemonics.ts';
import { presentLabel } from './name-text.ts';

/** Octets of a header (RFC 1035 section 4.1.1). */
export const HEADER: Bytes = 12;

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

/** Octets that are no proper message. */
export class MalformedError extends Error {}

type Opt = {
  readonly payloadSize: Bytes;
  readonly extendedRcode: number;
  readonly version: number;
  readonly flags: number;
};
type Section = { readonly records: readonly PresentedRecord[]; readonly opts: readonly Opt[] };

/** Walks a message. */
export class Reader {
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
      const type = typeText(number);
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
