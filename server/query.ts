/** A query that came and the reply that goes, as values. Knows nothing of octets or sockets. */

import type { Answer, Lives } from '../zones/answer.ts';
import type { Life } from '../zones/life.ts';
import type { Name, Spelling } from '../zones/name.ts';
import { Rcode, type RRset } from '../zones/rr.ts';
import type { Bytes, Milliseconds, Seconds } from '../zones/units.ts';

export type Protocol = 'udp' | 'tcp';

/** Who asks, and where. Addresses are canonical text; link-local IPv6 ones end in `%` and the interface (RFC 4007 section 11). */
export type Peer = {
  readonly address: string;
  readonly port: number;
  readonly family: 4 | 6;
  readonly protocol: Protocol;
  readonly localAddress: string;
  readonly localPort: number;
};

export type Question = {
  readonly name: Name;
  /** The name with its letters as they were sent (0x20). */
  readonly spelling: Spelling;
  readonly type: number;
  readonly class: number;
};

/** The OPT record of a query (RFC 6891 section 6.1). Its options are checked for form; only one of them is used. */
export type QueryEdns = {
  /** As sent; below 512 it counts as 512 (RFC 6891 section 6.2.3). */
  readonly payloadSize: Bytes;
  readonly dnssecOk: boolean;
  /** The client asks which server answers (RFC 5001 section 2.1). */
  readonly wantsNsid: boolean;
};

export type Query = {
  readonly id: number;
  readonly recursionDesired: boolean;
  readonly checkingDisabled: boolean;
  readonly authenticData: boolean;
  readonly question: Question;
  readonly edns: QueryEdns | undefined;
  /** Of the client's copy of the zone, in an IXFR that says it (RFC 1995 section 3). */
  readonly serial: number | undefined;
  readonly peer: Peer;
  /** Octets of the message. */
  readonly size: Bytes;
  /** When it came, on the monotonic clock. */
  readonly received: Milliseconds;
  /** How many aliases the server itself followed to get here: 0 for a client's query. */
  readonly aliasDepth: number;
};

/** Codes of Extended DNS Errors. RFC 8914 section 4. */
export const ExtendedErrorCode = {
  OTHER: 0,
  STALE_ANSWER: 3,
  CACHED_ERROR: 13,
  NOT_READY: 14,
  PROHIBITED: 18,
  STALE_NXDOMAIN_ANSWER: 19,
  NOT_AUTHORITATIVE: 20,
  NOT_SUPPORTED: 21,
  NO_REACHABLE_AUTHORITY: 22,
  NETWORK_ERROR: 23,
} as const;

/** An Extended DNS Error (RFC 8914); goes out only to a client that sent an OPT record. */
export type ExtendedError = { readonly code: number; readonly text: string };

/** An option of an OPT record (RFC 6891 section 6.1.2). */
export type EdnsOption = { readonly code: number; readonly data: Uint8Array };

export type Reply = {
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly recursionAvailable: boolean;
  readonly authenticData: boolean;
  /** Already cut short before it came here. The encoder sets TC by itself when the reply does not fit. */
  readonly truncated: boolean;
  readonly answer: readonly RRset[];
  readonly authority: readonly RRset[];
  readonly additional: readonly RRset[];
  readonly extendedError: ExtendedError | undefined;
  /** What else stands in the OPT record, which goes out only to a client that sent one. */
  readonly options: readonly EdnsOption[];
  /** The Corefile word of the plugin that made it; empty if the server did. */
  readonly plugin: string;
  /** The upstream that said it just now, as `host:port`; empty if none did. */
  readonly upstream: string;
  /** Made from the cluster's state just now, or because of it: `cache` leaves it alone. */
  readonly fresh: boolean;
  /** The fault behind a SERVFAIL, in words for the log; `errors` writes it. */
  readonly fault: string | undefined;
  /** For how long every asker of this question gets the same records; undefined if that is not known. */
  readonly lease: Lease | undefined;
};

/** What may be said again without asking the plugin that said it first. */
export type Lease = {
  /** Has the data been authenticated (RFC 4035 section 3.2.3)? Askers who want to know are told. */
  readonly isAuthentic: boolean;
  /** The most that the first record's TTL may be, where that is an alias made here; undefined if it is like the others'. */
  readonly aliasTtlMax?: Seconds | undefined;
  /** The least UDP size that an asker has to take to be told the same; undefined if any will do. */
  readonly leastSize?: Bytes | undefined;
  /** Has the plugin to be asked anew? To ask counts nothing. */
  readonly isOver: (now: Milliseconds) => boolean;
  /**
   * For one more reply: the TTL that all of its records have now, or one of `SAME_TTL` and `LEASE_OVER`. Counts that reply wherever the
   * plugin itself would have counted it.
   */
  readonly renew: (now: Milliseconds) => Seconds;
};

/** The records have the TTLs that they had. */
export const SAME_TTL = -1;
/** The plugin has to be asked anew. */
export const LEASE_OVER = -2;

/** Of what is good as long as nothing else ends it. */
export const ENDLESS: Lease = { isAuthentic: false, isOver: () => false, renew: () => SAME_TTL };

/** The lease of an answer that is good until one of its lives ends. */
function leaseFor(lives: Lives | undefined): Lease | undefined {
  return lives === undefined ? undefined : new LivesLease(lives);
}

class LivesLease implements Lease {
  readonly #own: Life;
  readonly #whole: Life;

  constructor({ own, whole }: Lives) {
    this.#own = own;
    this.#whole = whole;
  }

  get isAuthentic(): boolean {
    return false;
  }

  isOver(): boolean {
    return this.#own.isOver || this.#whole.isOver;
  }

  renew(): Seconds {
    return this.isOver() ? LEASE_OVER : SAME_TTL;
  }
}

/** A reply without records. */
export function emptyReply(rcode: number, plugin = ''): Reply {
  return {
    rcode,
    authoritative: false,
    recursionAvailable: false,
    authenticData: false,
    truncated: false,
    answer: [],
    authority: [],
    additional: [],
    extendedError: undefined,
    options: [],
    plugin,
    upstream: '',
    fresh: false,
    fault: undefined,
    lease: undefined,
  };
}

/** SERVFAIL with the fault for the log and, where it is known, the reason for the client. */
export function servfail(plugin: string, fault: string, extendedError?: ExtendedError): Reply {
  return { ...emptyReply(Rcode.SERVFAIL, plugin), fault, extendedError };
}

/** An authoritative reply from what a zone found. */
export function replyFrom(answer: Answer, plugin: string): Reply {
  return {
    rcode: answer.outcome === 'nxdomain' ? Rcode.NXDOMAIN : Rcode.NOERROR,
    authoritative: true,
    recursionAvailable: false,
    authenticData: false,
    truncated: false,
    answer: answer.answer,
    authority: answer.authority,
    additional: answer.additional,
    extendedError: undefined,
    options: [],
    plugin,
    upstream: '',
    fresh: true,
    fault: undefined,
    lease: leaseFor(answer.lives),
  };
}
