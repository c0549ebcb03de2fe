/** A world outside in a few lines, for tests that put it in the place of `forward`. Knows no sockets. */

import { emptyReply, servfail, type Query, type Reply } from '../../server/query.ts';
import { addressFrom } from '../../zones/ip.ts';
import { isWithin, nameFrom, present, type Name } from '../../zones/name.ts';
import { addressRdata, nameRdata, soaRdata } from '../../zones/rdata.ts';
import { Rcode, RRType, type RRset } from '../../zones/rr.ts';

export type SmallWorld = {
  readonly reply: (query: Query) => Reply;
  /** `name TYPE` of each question that came, in order. */
  readonly asked: string[];
};

/**
 * One name in each line: `NAME TTL` and what it has, `A ADDRESS`, `AAAA ADDRESS`, `CNAME NAME`, or what comes of asking for it: `nodata`,
 * `servfail`, `refused`, and `servfail/TYPE`, `nxdomain/TYPE` for one type only. A name that begins with `*.` stands for all below it.
 */
export function smallWorld(text: string): SmallWorld {
  const lines = text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((words) => words.length > 1)
    .map(([name = '', ttl = '', what = '', target = '']) => ({
      isWildcard: name.startsWith('*.'),
      name: nameFrom(name.replace(/^\*\./, '')),
      ttl: Number(ttl),
      what,
      target,
    }));
  const asked: string[] = [];
  const reply = (query: Query): Reply => {
    const { name, type } = query.question;
    asked.push(`${present(name).slice(0, -1)} ${typeText(type)}`);
    return found(name, type, 0);
  };
  const found = (name: Name, type: number, depth: number): Reply => {
    const own = lines.filter((line) =>
      line.isWildcard ? line.name !== name && isWithin(name, line.name) : line.name === name,
    );
    const good: Reply = { ...emptyReply(Rcode.NOERROR, 'forward'), recursionAvailable: true, upstream: '192.0.2.1:53' };
    const rule = own.find(
      ({ what }) => what === 'servfail' || what === 'refused' || what.endsWith(`/${typeText(type)}`),
    );
    if (rule !== undefined) {
      if (rule.what.startsWith('nxdomain')) return { ...good, rcode: Rcode.NXDOMAIN, authority: [SOA] };
      return rule.what === 'refused' ? { ...good, rcode: Rcode.REFUSED } : servfail('forward', 'the test says so');
    }
    if (own.length === 0) return { ...good, rcode: Rcode.NXDOMAIN, authority: [SOA] };
    const alias = own.find(({ what }) => what === 'CNAME');
    if (alias !== undefined && depth < 3) {
      const target = nameFrom(alias.target);
      const rest = found(target, type, depth + 1);
      const cname: RRset = { owner: name, type: RRType.CNAME, ttl: alias.ttl, rdatas: [nameRdata(target)] };
      return { ...rest, answer: [cname, ...rest.answer] };
    }
    const records = own.filter(({ what }) => what === typeText(type));
    const [first] = records;
    if (first === undefined) return { ...good, authority: [SOA] };
    const rdatas = records.flatMap(({ target }) => addressFrom(target) ?? []).map(addressRdata);
    return { ...good, answer: [{ owner: name, type, ttl: first.ttl, rdatas }] };
  };
  return { reply, asked };
}

function typeText(type: number): string {
  return { [RRType.A]: 'A', [RRType.AAAA]: 'AAAA', [RRType.MX]: 'MX' }[type] ?? `TYPE${type}`;
}

const SOA: RRset = {
  owner: nameFrom('example.com'),
  type: RRType.SOA,
  ttl: 60,
  rdatas: [
    soaRdata({
      mname: nameFrom('ns.example.com'),
      rname: nameFrom('admin.example.com'),
      serial: 7,
      refresh: 1,
      retry: 1,
      expire: 1,
      minimum: 60,
    }),
  ],
};
