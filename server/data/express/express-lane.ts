/**
 * The express lane of one listener: says again what the plain lane has said, and denies what zones deny at once. Decides nothing, knows
 * no plugin by name, and leaves to the plain lane whatever is out of the ordinary.
 */

import { isWithin, lowerCase, type Name, type Spelling } from '../../../zones/name.ts';
import { Rcode, type RRset } from '../../../zones/rr.ts';
import type { Bytes, Milliseconds } from '../../../zones/units.ts';
import type { Counter, Counters, Gauge } from '../../counters.ts';
import type { Observer } from '../../pipeline.ts';
import { LEASE_OVER, replyFrom, SAME_TTL, type Query, type Reply } from '../../query.ts';
import { decode, isRejected } from '../../wire/decode.ts';
import { OPT_SIZE, writePlainOpt } from '../../wire/edns.ts';
import { HEADER_SIZE } from '../../wire/gate.ts';
import { MESSAGE_MAX } from '../../wire/pack.ts';
import type { RoutedZone } from '../block.ts';
import type { Asker } from '../lanes.ts';
import { Accounts, type Account } from './accounts.ts';
import { Denial } from './denial.ts';
import { deniersOf, type Denier } from './deniers.ts';
import { OrdinaryQuestion, TYPE_AND_CLASS } from './ordinary-question.ts';
import { prepare, shuffleAddresses, writeTtls, type PreparedReply } from './prepared-reply.ts';
import { PreparedReplies, type PreparedLimits } from './prepared-replies.ts';

/**
 * Of what zones have, which is what somebody has put there: a cluster of 100,000 services whose clients ask for all of them fits in.
 */
const LASTING_MAX: PreparedLimits = { replies: 131_072, octets: 32 * 1024 * 1024 };
/** Of what caches hold and search lists make, which anybody can fill: more than a cache of CoreDNS's size has. */
const PASSING_MAX: PreparedLimits = { replies: 16_384, octets: 4 * 1024 * 1024 };

export type ExpressLaneOptions = {
  readonly zones: ReadonlyMap<Name, RoutedZone>;
  /** Label of the listener, for the counters. */
  readonly server: string;
  readonly counters: Counters;
  /** Monotonic. */
  readonly clock: () => Milliseconds;
  readonly tell: Tell;
};

/** Tells the observers of a zone of an exchange. */
export type Tell = (
  query: Query,
  reply: Reply,
  size: Bytes,
  truncated: boolean,
  zone: string,
  observers: readonly Observer[],
) => void;

export class ExpressLane {
  readonly #clock: () => Milliseconds;
  readonly #tell: Tell;
  readonly #question = new OrdinaryQuestion();
  readonly #lasting: PreparedReplies;
  readonly #passing: PreparedReplies;
  readonly #accounts: ReadonlyMap<RoutedZone, Accounts>;
  readonly #deniers: readonly Denier[];
  readonly #replies: Counter;
  readonly #kept: Gauge;
  readonly #faults: Counter;
  /** The SOA record of the last denial: nearly all denials have the same. */
  #soa: RRset | undefined;
  #denial: Denial | undefined;

  constructor({ zones, server, counters, clock, tell }: ExpressLaneOptions) {
    this.#clock = clock;
    this.#tell = tell;
    const generations = counters.counter('fivedots_express_generations_total', { server });
    this.#lasting = new PreparedReplies(LASTING_MAX, generations);
    this.#passing = new PreparedReplies(PASSING_MAX, generations);
    this.#accounts = new Map(
      Array.from(zones.values(), (routed) => [routed, new Accounts(routed.zone, routed.block.observers)]),
    );
    this.#deniers = deniersOf(zones);
    this.#replies = counters.counter('fivedots_express_replies_total', { server });
    this.#kept = counters.gauge('fivedots_express_prepared_replies', { server });
    this.#kept.set(0);
    this.#faults = counters.counter('fivedots_express_faults_total', { server });
  }

  /** As `ExpressAnswer` says. */
  answer(packet: Buffer, start: number, end: number, reply: Uint8Array, at: number, asker: Asker): Bytes {
    if (!this.#question.read(packet, start, end)) return 0;
    try {
      const prepared = this.#find(packet);
      const size =
        prepared === undefined
          ? this.#deny(packet, end, reply, at, asker)
          : this.#repeat(prepared, packet, end, reply, at, asker);
      if (size > 0) this.#replies.add();
      return size;
    } catch {
      // A fault of a plugin's meets the plain lane too, which says so.
      this.#faults.add();
      return 0;
    }
  }

  /** Keeps what the plain lane has just said to a query, if it can be said again. */
  learn(packet: Buffer, query: Query, reply: Reply, routed: RoutedZone): void {
    const { express } = routed.block;
    if (express === undefined || !this.#question.read(packet, 0, packet.length)) return;
    // What is kept already, and only was not for this asker, stays: else one question asked in that way would fill the tables.
    if (this.#find(packet)?.lease.isOver(query.received) === false) return;
    try {
      const made = prepare(query, reply, express.chance);
      const account = this.#accounts.get(routed)?.of(this.#question.type, reply.plugin, reply.rcode);
      if (made === undefined || account === undefined) return;
      // Anybody can think of a search name for each name of a cluster.
      const isLasting = reply.fresh && reply.lease?.leastSize === undefined;
      const replies = isLasting ? this.#lasting : this.#passing;
      replies.keep(packet, this.#question, made, account, account.told.length === 0 ? undefined : reply);
      this.#kept.set(this.#lasting.size + this.#passing.size);
    } catch {
      // What cannot be encoded is the plain lane's to report.
      this.#faults.add();
    }
  }

  #find(packet: Buffer): PreparedReply | undefined {
    return this.#lasting.find(packet, this.#question) ?? this.#passing.find(packet, this.#question);
  }

  #repeat(prepared: PreparedReply, packet: Buffer, end: number, reply: Uint8Array, at: number, asker: Asker): Bytes {
    const question = this.#question;
    const { octets, at: from, records: size, changes, lease } = prepared;
    if (question.hasUpperCase && !prepared.fitsAnySpelling) return 0;
    const limit = asker.protocol === 'udp' ? question.udpLimit : MESSAGE_MAX;
    if (changes !== undefined && changes.leastSize > limit) return 0;
    const frame = HEADER_SIZE + question.size + (question.hasOpt ? OPT_SIZE : 0);
    const isCut = frame + size > limit;
    // What is left out of a reply of several RRsets is the plain lane's to say.
    if (isCut && frame + (changes?.cuttable ?? 0) <= limit) return 0;
    const ttl = lease.renew(asker.received);
    if (ttl === LEASE_OVER) {
      this.#lasting.forget(prepared);
      this.#passing.forget(prepared);
      this.#kept.set(this.#lasting.size + this.#passing.size);
      return this.#deny(packet, end, reply, at, asker);
    }
    const isAuthentic = question.isAuthenticityAsked && lease.isAuthentic;
    const said = ((octets[from + 2] ?? 0) << 8) | (octets[from + 3] ?? 0);
    const flags = (said & FLAGS_KEPT) | (isCut ? TC : 0) | (isAuthentic ? AD : 0);
    let next = this.#begin(packet, reply, at, flags);
    if (!isCut) {
      copied(octets, from + COUNTS, COUNTS_SIZE, reply, at + COUNTS);
      const records = next;
      next = copied(octets, from + HEADER_SIZE + question.size, size, reply, records);
      if (changes?.ttls !== undefined && ttl !== SAME_TTL)
        writeTtls(reply, records, changes.ttls, ttl, changes.firstTtlMax);
      if (changes?.order !== undefined) shuffleAddresses(reply, records, changes.order);
    }
    next = this.#end(reply, at, next);
    const told = forAsker(prepared.reply, isAuthentic);
    return this.#count(prepared.account, told, packet, end, next - at, isCut, asker);
  }

  #deny(packet: Buffer, end: number, reply: Uint8Array, at: number, asker: Asker): Bytes {
    if (this.#deniers.length === 0) return 0;
    const question = this.#question;
    const begin = question.start + HEADER_SIZE;
    const spelling = packet.toString('latin1', begin, begin + question.size - TYPE_AND_CLASS) as Spelling;
    const name = question.hasUpperCase ? lowerCase(spelling) : (spelling as Name);
    const denier = this.#denierOf(name);
    const answer = denier?.deny(name, spelling, question.type);
    if (denier === undefined || answer === undefined) return 0;
    const denial = this.#denialOf(answer.authority);
    if (denial === undefined || !denial.fits(spelling)) return 0;
    const rcode = answer.outcome === 'nxdomain' ? Rcode.NXDOMAIN : Rcode.NOERROR;
    if (rcode === Rcode.NXDOMAIN) denier.denied(name);
    let next = this.#begin(packet, reply, at, QR | AA | RD | rcode);
    reply[at + AUTHORITIES] = 1;
    next = this.#end(reply, at, denial.write(reply, next, spelling.length));
    const account = denier.account(question.type, rcode);
    const said = account.told.length === 0 ? undefined : replyFrom(answer, denier.plugin);
    return this.#count(account, said, packet, end, next - at, false, asker);
  }

  #denierOf(name: Name): Denier | undefined {
    for (let i = 0; i < this.#deniers.length; i++) {
      const denier = this.#deniers[i];
      if (denier !== undefined && isWithin(name, denier.apex)) return denier;
    }
    return undefined;
  }

  /** Of an authority section with an SOA record and nothing else. */
  #denialOf(authority: readonly RRset[]): Denial | undefined {
    const [soa] = authority;
    if (soa !== this.#soa) {
      this.#soa = soa;
      this.#denial = soa !== undefined && authority.length === 1 ? Denial.of(soa) : undefined;
    }
    return this.#denial;
  }

  /** Writes a header that counts no records, and the question, spelled as it came; returns where they end. */
  #begin(packet: Uint8Array, reply: Uint8Array, at: number, flags: number): number {
    const { start, size } = this.#question;
    reply[at] = packet[start] ?? 0;
    reply[at + 1] = packet[start + 1] ?? 0;
    reply[at + 2] = flags >> 8;
    reply[at + 3] = flags & 0xff;
    reply[at + 4] = 0;
    reply[at + 5] = 1;
    for (let i = COUNTS; i < HEADER_SIZE; i++) reply[at + i] = 0;
    return copied(packet, start + HEADER_SIZE, size, reply, at + HEADER_SIZE);
  }

  /** Writes the OPT record, if the query had one; returns where the reply ends. */
  #end(reply: Uint8Array, at: number, next: number): number {
    if (!this.#question.hasOpt) return next;
    const additionals = ((reply[at + ADDITIONALS] ?? 0) << 8) + (reply[at + ADDITIONALS + 1] ?? 0) + 1;
    reply[at + ADDITIONALS] = additionals >> 8;
    reply[at + ADDITIONALS + 1] = additionals & 0xff;
    return writePlainOpt(reply, next);
  }

  #count(
    account: Account,
    said: Reply | undefined,
    packet: Buffer,
    end: number,
    size: Bytes,
    truncated: boolean,
    asker: Asker,
  ): Bytes {
    const { start } = this.#question;
    account.count(asker, end - start, size, this.#clock() - asker.received);
    if (said === undefined) return size;
    const query = decode(Buffer.from(packet.subarray(start, end)), asker.peer(), asker.received);
    if (!isRejected(query)) this.#tell(query, said, size, truncated, account.zone, account.told);
    return size;
  }
}

/** Where a header has the numbers of records (RFC 1035 section 4.1.1). */
const COUNTS = 6;
const COUNTS_SIZE: Bytes = 6;
const AUTHORITIES = 9;
const ADDITIONALS = 10;
/** QR, AA, RD, RA and the rcode. RD is set in all queries that are answered here; TC and AD depend on the asker. */
const FLAGS_KEPT = 0x858f;
/** Flags of a header (RFC 1035 section 4.1.1, RFC 4035 section 3.2.3). */
const QR = 0x8000;
const AA = 0x0400;
const TC = 0x0200;
const RD = 0x0100;
const AD = 0x0020;
/** Fewer octets are copied faster one by one than by a call: 1 ns each against 60. */
const COPY_MIN: Bytes = 64;

/** The reply was prepared for somebody who may have wanted to know what this asker does not, or the other way round. */
function forAsker(reply: Reply | undefined, isAuthentic: boolean): Reply | undefined {
  if (reply === undefined || reply.authenticData === isAuthentic) return reply;
  return { ...reply, authenticData: isAuthentic };
}

/** Copies octets; returns where they end. */
function copied(from: Uint8Array, start: number, size: Bytes, to: Uint8Array, at: number): number {
  if (size < COPY_MIN) for (let i = 0; i < size; i++) to[at + i] = from[start + i] ?? 0;
  else to.set(from.subarray(start, start + size), at);
  return at + size;
}
