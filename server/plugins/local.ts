/**
 * `local`: names that mean the same on every machine, or nothing at all, and must not be asked of anybody else. Knows their
 * fixed answers, no cluster.
 */

import type { Answer } from '../../zones/answer.ts';
import { reverseNameOf, type Address } from '../../zones/ip.ts';
import { isWithin, nameFrom, ROOT, type Name, type Spelling } from '../../zones/name.ts';
import { addressRdata, nameRdata, soaRdata } from '../../zones/rdata.ts';
import { RRType, type RRset } from '../../zones/rr.ts';
import type { Seconds } from '../../zones/units.ts';
import type { Line } from '../corefile/block.ts';
import { choiceFrom, noArguments, onlyArgument, optionsOf, unknownOption } from '../corefile/values.ts';
import { transparent, type Handler, type Plugin } from '../pipeline.ts';
import { replyFrom, type Question } from '../query.ts';

export type LocalOptions = {
  /** Is every name whose first label is `localhost` this machine? Search lists make such names. */
  readonly localhostPrefix: boolean;
};

/**
 * CoreDNS plugin/local, with three differences: AA is set, without which glibc takes a NODATA for a referral and asks elsewhere; the reverse names
 * of `::` and `::1` are here too (RFC 6303 section 4.3); and `invalid` and `onion` do not exist (RFC 6761 section 6.4, RFC 7686 section 2).
 */
export const local: Plugin<LocalOptions> = {
  name: 'local',
  parse: (directives) =>
    directives.reduce<LocalOptions>(
      (before, directive) => {
        noArguments(directive);
        return optionsOf(directive).reduce(withOption, before);
      },
      { localhostPrefix: true },
    ),
  layer({ localhostPrefix }, { counters }) {
    const counted = counters.counter('coredns_local_localhost_requests_total');
    const takes = (name: Name): boolean =>
      localhostOf(name, localhostPrefix) !== undefined || zoneHolding(name) !== undefined;
    const layer =
      (next: Handler): Handler =>
      (query) => {
        const { question } = query;
        const apex = localhostOf(question.name, localhostPrefix);
        if (apex !== undefined) {
          if (question.name !== LOCALHOST) counted.add();
          return replyFrom(loopback(question, apex), 'local');
        }
        const zone = zoneHolding(question.name);
        return zone === undefined ? next(query) : replyFrom(find(zone, question), 'local');
      };
    return transparent(layer, { takes });
  },
};

function withOption(before: LocalOptions, line: Line): LocalOptions {
  if (line.name.text !== 'localhost_prefix') return unknownOption(line, 'local', ['localhost_prefix']);
  const choice = choiceFrom(onlyArgument(line, 'localhost_prefix on|off'), ['on', 'off']);
  return { ...before, localhostPrefix: choice === 'on' };
}

const TTL: Seconds = 604_800;
const LOCALHOST: Name = nameFrom('localhost');
const LOOPBACK_IPV4: Address = Uint8Array.of(127, 0, 0, 1);
const LOOPBACK_IPV6: Address = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

type Zone = {
  readonly apex: Name;
  /** Does it exist with nothing in it (RFC 6303 section 3), or not even that? */
  readonly exists: boolean;
  /** The name that points to localhost. */
  readonly pointer: Name | undefined;
};

const ZONES: readonly Zone[] = [
  { apex: nameFrom('127.in-addr.arpa'), exists: true, pointer: reverseNameOf(LOOPBACK_IPV4) },
  { apex: nameFrom('0.in-addr.arpa'), exists: true, pointer: undefined },
  { apex: nameFrom('255.in-addr.arpa'), exists: true, pointer: undefined },
  { apex: reverseNameOf(LOOPBACK_IPV6), exists: true, pointer: reverseNameOf(LOOPBACK_IPV6) },
  { apex: reverseNameOf(new Uint8Array(16)), exists: true, pointer: undefined },
  { apex: nameFrom('invalid'), exists: false, pointer: undefined },
  { apex: nameFrom('onion'), exists: false, pointer: undefined },
];

function zoneHolding(name: Name): Zone | undefined {
  return ZONES.find((each) => isWithin(name, each.apex));
}

/** The zone in which the name stands for this machine: `localhost`, or the name itself if it only begins so; undefined if it does not. */
function localhostOf(name: Name, prefix: boolean): Name | undefined {
  if (isWithin(name, LOCALHOST)) return LOCALHOST;
  return prefix && name.startsWith(LOCALHOST_LABEL) ? name : undefined;
}

const LOCALHOST_LABEL = LOCALHOST.slice(0, -ROOT.length);

/** RFC 6761 section 6.3: addresses of the loopback interface for every name, nothing else. */
function loopback({ name, spelling, type }: Question, apex: Name): Answer {
  if (type === RRType.A) return data(spelling, type, addressRdata(LOOPBACK_IPV4));
  if (type === RRType.AAAA) return data(spelling, type, addressRdata(LOOPBACK_IPV6));
  return name === apex ? atApex(apex, type) : denial('nodata', apex);
}

function find({ apex, exists, pointer }: Zone, { name, spelling, type }: Question): Answer {
  if (!exists) return denial('nxdomain', apex);
  if (name === pointer && type === RRType.PTR) return data(spelling, type, nameRdata(LOCALHOST));
  if (name === apex) return atApex(apex, type);
  return denial(pointer !== undefined && isWithin(pointer, name) ? 'nodata' : 'nxdomain', apex);
}

function atApex(apex: Name, type: number): Answer {
  if (type === RRType.SOA) return data(apex, type, SOA);
  return type === RRType.NS ? data(apex, type, nameRdata(LOCALHOST)) : denial('nodata', apex);
}

function data(owner: Spelling, type: number, rdata: Uint8Array): Answer {
  return { outcome: 'data', answer: [rrset(owner, type, rdata)], authority: [], additional: [] };
}

function denial(outcome: 'nodata' | 'nxdomain', apex: Name): Answer {
  return { outcome, answer: [], authority: [rrset(apex, RRType.SOA, SOA)], additional: [] };
}

function rrset(owner: Spelling, type: number, rdata: Uint8Array): RRset {
  return { owner, type, ttl: TTL, rdatas: [rdata] };
}

/** Nobody transfers these zones, so their timers mean nothing. */
const SOA = soaRdata({
  mname: LOCALHOST,
  rname: nameFrom('root.localhost'),
  serial: 1,
  refresh: 0,
  retry: 0,
  expire: 0,
  minimum: TTL,
});
