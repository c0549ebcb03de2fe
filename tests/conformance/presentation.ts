/** Rcodes, types and rdata in words (RFC 1035 section 5, RFC 3597 section 5). Knows nothing of whole messages. */

/** RFC 1035 section 4.1.1, RFC 2136 section 2.2, RFC 6891 section 9, RFC 7873 section 8. */
export const RCODES: ReadonlyMap<number, string> = new Map([
  [0, 'NOERROR'],
  [1, 'FORMERR'],
  [2, 'SERVFAIL'],
  [3, 'NXDOMAIN'],
  [4, 'NOTIMP'],
  [5, 'REFUSED'],
  [6, 'YXDOMAIN'],
  [7, 'YXRRSET'],
  [8, 'NXRRSET'],
  [9, 'NOTAUTH'],
  [10, 'NOTZONE'],
  [11, 'DSOTYPENI'],
  [16, 'BADVERS'],
  [23, 'BADCOOKIE'],
]);

const TYPES: ReadonlyMap<number, string> = new Map([
  [1, 'A'],
  [2, 'NS'],
  [5, 'CNAME'],
  [6, 'SOA'],
  [12, 'PTR'],
  [13, 'HINFO'],
  [15, 'MX'],
  [16, 'TXT'],
  [28, 'AAAA'],
  [33, 'SRV'],
  [41, 'OPT'],
  [43, 'DS'],
  [46, 'RRSIG'],
  [47, 'NSEC'],
  [48, 'DNSKEY'],
  [50, 'NSEC3'],
]);

export function typeName(type: number): string {
  return TYPES.get(type) ?? `TYPE${type}`;
}

/** Reads the name at an offset of the message. */
type NameAt = (at: number) => { readonly name: string; readonly end: number };

/** The rdata between `start` and `end` of a message; undefined if a record of that type cannot have it. */
export function presentRdata(
  type: number,
  message: Buffer,
  start: number,
  end: number,
  nameAt: NameAt,
): string | undefined {
  const rdata = message.subarray(start, end);
  switch (typeName(type)) {
    case 'A':
      return rdata.length === 4 ? [...rdata].join('.') : undefined;
    case 'AAAA':
      return rdata.length === 16 ? presentIPv6(rdata) : undefined;
    case 'NS':
    case 'CNAME':
    case 'PTR':
      return nameTo(end, nameAt(start));
    case 'MX':
      return rdata.length < 3 ? undefined : withNumbers(rdata, 1, nameTo(end, nameAt(start + 2)));
    case 'SRV':
      return rdata.length < 7 ? undefined : withNumbers(rdata, 3, nameTo(end, nameAt(start + 6)));
    case 'SOA': {
      const mname = nameAt(start);
      const rname = nameAt(mname.end);
      if (end - rname.end !== 20) return undefined;
      const numbers = [0, 4, 8, 12, 16].map((at) => message.readUInt32BE(rname.end + at));
      return [mname.name, rname.name, ...numbers].join(' ');
    }
    case 'TXT':
    case 'HINFO':
      return presentStrings(rdata);
    default:
      return `\\# ${rdata.length} ${rdata.toString('hex')}`.trimEnd();
  }
}

/** The name, if it fills the rdata to its end. */
function nameTo(end: number, read: { readonly name: string; readonly end: number }): string | undefined {
  return read.end === end ? read.name : undefined;
}

function withNumbers(rdata: Buffer, count: number, name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  return [...Array.from({ length: count }, (_, i) => rdata.readUInt16BE(2 * i)), name].join(' ');
}

function presentStrings(rdata: Buffer): string | undefined {
  const strings: string[] = [];
  for (let at = 0; at < rdata.length;) {
    const end = at + 1 + (rdata[at] ?? 0);
    if (end > rdata.length) return undefined;
    strings.push(`"${rdata.toString('latin1', at + 1, end).replace(/["\\]/g, '\\$&')}"`);
    at = end;
  }
  return strings.length === 0 ? undefined : strings.join(' ');
}

/** RFC 5952: the URL parser writes addresses so. */
function presentIPv6(rdata: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => rdata.readUInt16BE(2 * i).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
