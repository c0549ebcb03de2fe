/** The world outside a cluster, in the place of `forward`: it answers, is slow, or is silent until it is given up. Knows no sockets and no time. */

import { emptyReply, servfail, type Query, type Reply } from '../../server/query.ts';
import { isWithin, nameFrom, type Name } from '../../zones/name.ts';
import { nameRdata, soaRdata } from '../../zones/rdata.ts';
import { Rcode, RRType, type RRset } from '../../zones/rr.ts';
import type { Count } from '../../zones/units.ts';
import type { Fate, OutsideName } from './scenario.ts';

/** Aliases in a chain; a longer one is cut, as resolvers do. */
const ALIASES_MAX: Count = 4;

type Waiting = { readonly reply: Reply; readonly isSilent: boolean; readonly resolve: (reply: Reply) => void };

export class Outside {
  #names: readonly OutsideName[];
  #waiting: readonly Waiting[] = [];

  constructor(names: readonly OutsideName[]) {
    this.#names = names;
  }

  readonly reply = (query: Query): Promise<Reply> => {
    const { name, type } = query.question;
    const met: OutsideName[] = [];
    const reply = this.#found(name, type, met);
    const isSilent = reply === undefined;
    if (!isSilent && !met.some(({ isSlow }) => isSlow)) return Promise.resolve(reply);
    return new Promise((resolve) => {
      this.#waiting = [...this.#waiting, { reply: reply ?? GIVEN_UP, isSilent, resolve }];
    });
  };

  /** Has something else from now on. */
  change(names: readonly OutsideName[]): void {
    this.#names = names;
  }

  /** What is slow answers now. */
  answerSlow(): void {
    const slow = this.#waiting.filter(({ isSilent }) => !isSilent);
    this.#waiting = this.#waiting.filter(({ isSilent }) => isSilent);
    for (const { resolve, reply } of slow) resolve(reply);
  }

  /** Nobody waits any longer. */
  giveUp(): void {
    const all = this.#waiting;
    this.#waiting = [];
    for (const { resolve, reply } of all) resolve(reply);
  }

  /** Undefined for silence. @param met the names on the way */
  #found(name: Name, type: number, met: OutsideName[]): Reply | undefined {
    const own =
      this.#names.find((each) => !isWildcard(each) && nameFrom(each.name) === name) ??
      this.#names.find((each) => isWildcard(each) && isBelow(name, nameFrom(each.name.slice(2))));
    if (own === undefined) return { ...GOOD, rcode: Rcode.NXDOMAIN, authority: [SOA] };
    met.push(own);
    if (own.alias !== undefined && met.length <= ALIASES_MAX) {
      const target = nameFrom(own.alias);
      const rest = this.#found(target, type, met);
      const cname: RRset = { owner: name, type: RRType.CNAME, ttl: own.ttl, rdatas: [nameRdata(target)] };
      return rest === undefined ? undefined : { ...rest, answer: [cname, ...rest.answer] };
    }
    return replyFor(name, type, own);
  }
}

function replyFor(name: Name, type: number, { a, aaaa, ttl }: OutsideName): Reply | undefined {
  const fate: Fate = type === RRType.A ? a : type === RRType.AAAA ? aaaa : 0;
  if (fate === 'silence') return undefined;
  if (fate === 'NXDOMAIN') return { ...GOOD, rcode: Rcode.NXDOMAIN, authority: [SOA] };
  if (fate === 'SERVFAIL') return servfail('forward', 'the test says so');
  if (fate === 'REFUSED') return { ...GOOD, rcode: Rcode.REFUSED };
  if (fate === 0) return { ...GOOD, authority: [SOA] };
  // Different names have different addresses, so that who is found matters.
  const mark = Buffer.from(name, 'latin1').reduce((sum, octet) => (sum * 31 + octet) & 0xffff, 7);
  const rdatas = Array.from({ length: fate }, (_, i) => {
    const rdata = new Uint8Array(type === RRType.A ? 4 : 16);
    rdata.set([type === RRType.A ? 203 : 0x20, mark >> 8, mark & 0xff]);
    rdata.set([i], rdata.length - 1);
    return rdata;
  });
  return { ...GOOD, answer: [{ owner: name, type, ttl, rdatas }] };
}

function isWildcard({ name }: OutsideName): boolean {
  return name.startsWith('*.');
}

function isBelow(name: Name, domain: Name): boolean {
  return name !== domain && isWithin(name, domain);
}

const GOOD: Reply = { ...emptyReply(Rcode.NOERROR, 'forward'), recursionAvailable: true, upstream: '192.0.2.1:53' };
const GIVEN_UP: Reply = servfail('forward', 'no upstream has answered');

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
