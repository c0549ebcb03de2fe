/** Are the records of a section proper RRsets (RFC 2181 section 5)? Knows nothing of what they should say. */

import type { ReplyRecord } from './reply.ts';

/** What is wrong, in words; nothing if all is well. */
export function rrsetFaults(section: readonly ReplyRecord[]): readonly string[] {
  if (section.length < 2) return [];
  const faults: string[] = [];
  const records = new Set<string>();
  const ttls = new Map<string, number>();
  for (const record of section) {
    const set = `${record.owner.toLowerCase()} ${record.class} ${record.type}`;
    records.add(`${set} ${comparable(record)}`);
    // Signatures of different sets at one name are no set of one TTL (RFC 4034 section 3).
    if (record.type === 'RRSIG') continue;
    if ((ttls.get(set) ?? record.ttl) !== record.ttl) faults.push('an RRset with two TTLs (RFC 2181 section 5.2)');
    ttls.set(set, record.ttl);
  }
  if (records.size < section.length) faults.push('a record stands twice in a section (RFC 2181 section 5)');
  return faults;
}

/** Letters of names have no case (RFC 4343), those of texts do. */
function comparable({ type, rdata }: ReplyRecord): string {
  return type === 'TXT' || type === 'HINFO' ? rdata : rdata.toLowerCase();
}
