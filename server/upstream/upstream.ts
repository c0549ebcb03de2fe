/** One upstream server: asks it over UDP or TCP, remembers what it cannot do. Knows nothing of other upstreams. */

import type { Name } from '../../zones/name.ts';
import { Rcode, RRClass, RRType } from '../../zones/rr.ts';
import type { Count, Milliseconds } from '../../zones/units.ts';
import { MessageError, UpstreamError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Protocol } from '../query.ts';
import { UDP_PAYLOAD } from '../wire/edns.ts';
import type { UpstreamQuestion, UpstreamReply } from '../wire/upstream-message.ts';
import { Asked, isTruncated } from './asked.ts';
import type { CallOff } from './calling.ts';
import type { Endpoint } from './endpoint.ts';
import { Health } from './health.ts';
import { TcpPool } from './tcp-pool.ts';
import { exchangeUdp, type UdpOutcome } from './udp-exchange.ts';
import type { UpstreamSeries } from './upstream-series.ts';

/** Queries that may wait for one upstream at once in one data thread, as many as kubeadm's `max_concurrent` lets wait for all. */
export const IN_FLIGHT_MAX: Count = 1_000;
/** How long it is remembered that an upstream does not take EDNS, or does not keep the letters of a name. */
const MEMORY: Milliseconds = 15 * 60_000;
/** How long a health check waits for its reply (CoreDNS plugin/forward). */
const CHECK_TIMEOUT: Milliseconds = 1_000;

/** What the Corefile says of each upstream of a `forward`; plain data. */
export type UpstreamOptions = {
  readonly forceTcp: boolean;
  /** Local address, or undefined for the system's choice. */
  readonly source: string | undefined;
  readonly readTimeout: Milliseconds;
  readonly expire: Milliseconds;
  readonly maxAge: Milliseconds;
  readonly maxIdle: Count;
  readonly maxFails: Count;
  readonly check: { readonly interval: Milliseconds; readonly recursionDesired: boolean; readonly name: Name };
};

export type UpstreamParts = {
  readonly clock: () => Milliseconds;
  readonly log: Log;
  readonly series: UpstreamSeries;
};

export class Upstream {
  readonly endpoint: Endpoint;
  readonly health: Health;
  /** Why it is not asked any more, if it is not; `loop` sets this. */
  stopped: string | undefined;
  readonly #options: UpstreamOptions;
  readonly #parts: UpstreamParts;
  readonly #tcp: TcpPool;
  readonly #closing = new AbortController();
  #inFlight: Count = 0;
  #plainUntil: Milliseconds = -Infinity;
  #tcpUntil: Milliseconds = -Infinity;

  constructor(endpoint: Endpoint, options: UpstreamOptions, parts: UpstreamParts) {
    this.endpoint = endpoint;
    this.#options = options;
    this.#parts = parts;
    const { clock, log, series } = parts;
    this.#tcp = new TcpPool({
      ...options,
      to: endpoint,
      clock,
      mismatched: series.mismatched,
      picked: series.tcpPicked,
    });
    this.health = new Health({
      ...options.check,
      maxFails: options.maxFails,
      clock,
      check: () => this.#check(),
      failed: series.checkFailed,
      changed: (isDown, fails) =>
        log(isDown ? 'warning' : 'info', 'plugin/forward', healthText(endpoint, isDown, fails)),
    });
  }

  /** Has it refused TCP lately? Then there is no use in trying that when UDP is silent. */
  get isUdpOnly(): boolean {
    return this.#tcp.isRefused;
  }

  /**
   * Asks once: over UDP, then over TCP if the reply was truncated or could not be told from a forgery.
   * @throws UpstreamError
   */
  async ask(question: UpstreamQuestion, over: Protocol, signal: CallOff): Promise<UpstreamReply> {
    if (this.#inFlight >= IN_FLIGHT_MAX) {
      throw new UpstreamError('limit', `${IN_FLIGHT_MAX} queries wait for ${this.endpoint.label} already`);
    }
    const { clock, series } = this.#parts;
    const started = clock();
    this.#inFlight++;
    try {
      const edns = this.#plainUntil <= started;
      const first = await this.#askOver(question, edns, over, signal);
      const reply = edns && disdainsEdns(first) ? await this.#askPlain(question, over, signal) : first;
      series.answered(reply.rcode, clock() - started);
      return reply;
    } finally {
      this.#inFlight--;
    }
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  close(): void {
    this.#closing.abort();
    this.health.close();
    this.#tcp.close();
  }

  /** RFC 6891 section 7: a server that says FORMERR or NOTIMP without an OPT record does not know EDNS; it is asked once more in plain DNS. */
  async #askPlain(question: UpstreamQuestion, over: Protocol, signal: CallOff): Promise<UpstreamReply> {
    const plain = await this.#askOver(question, false, over, signal);
    if (!disdainsEdns(plain)) this.#plainUntil = this.#parts.clock() + MEMORY;
    return plain;
  }

  async #askOver(question: UpstreamQuestion, edns: boolean, over: Protocol, signal: CallOff): Promise<UpstreamReply> {
    const isTcp = over === 'tcp' || this.#options.forceTcp || this.#tcpUntil > this.#parts.clock();
    if (isTcp) return this.#askTcp(question, edns, signal);
    const asked = new Asked(question, edns);
    this.#parts.series.udpAsked();
    const outcome = await this.#exchangeUdp(asked, this.#options.readTimeout, signal);
    const udp = outcome === 'doubtful' ? outcome : this.#read(asked, outcome.octets);
    return udp !== 'doubtful' && !udp.truncated ? udp : this.#askTcpInstead(question, edns, signal, udp);
  }

  #exchangeUdp(asked: Asked, timeout: Milliseconds, signal: CallOff): Promise<UdpOutcome> {
    const { source } = this.#options;
    const { mismatched } = this.#parts.series;
    return exchangeUdp({ asked, to: this.endpoint, source, timeout, signal, mismatched });
  }

  #read(asked: Asked, octets: Buffer): UpstreamReply | 'doubtful' {
    // More than we said we take comes in IP fragments, into which others can mix theirs (RFC 9715 section 3).
    if (isTruncated(octets) || octets.length > UDP_PAYLOAD) return CUT_SHORT;
    try {
      return asked.read(octets);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      this.#parts.series.mismatched();
      return 'doubtful';
    }
  }

  async #askTcpInstead(
    question: UpstreamQuestion,
    edns: boolean,
    signal: CallOff,
    udp: UpstreamReply | 'doubtful',
  ): Promise<UpstreamReply> {
    try {
      return await this.#askTcp(question, edns, signal, udp === 'doubtful');
    } catch (error) {
      // Whoever cannot be reached over TCP has at least said that there is more (RFC 2181 section 9).
      if (udp !== 'doubtful' && !signal.aborted) return udp;
      if (udp !== 'doubtful' || !(error instanceof UpstreamError)) throw error;
      const reason = 'it was asked there because its reply over UDP could not be told from a forgery';
      throw new UpstreamError(error.code, `${error.message}; ${reason}`, { cause: error });
    }
  }

  async #askTcp(
    question: UpstreamQuestion,
    edns: boolean,
    signal: CallOff,
    wasDoubtful = false,
  ): Promise<UpstreamReply> {
    const { clock, log } = this.#parts;
    const { label } = this.endpoint;
    const { readTimeout } = this.#options;
    const { reply, verdict } = await this.#tcp.ask({ question, edns, timeout: readTimeout, signal });
    if (reply.truncated) throw new UpstreamError('malformed', `${label} says TC over TCP`);
    if (wasDoubtful && verdict === 'near' && reply.question !== undefined && this.#tcpUntil <= clock()) {
      this.#tcpUntil = clock() + MEMORY;
      log(
        'warning',
        'plugin/forward',
        `${label} changes the letters of the names it is asked for, which forged replies do too; it is asked over TCP for ${MEMORY / 60_000} minutes. A newer version of that server keeps them (0x20).`,
      );
    }
    return reply;
  }

  /** Any reply at all is good (CoreDNS plugin/forward). */
  async #check(): Promise<void> {
    const { check, forceTcp } = this.#options;
    const question = {
      spelling: check.name,
      type: RRType.NS,
      class: RRClass.IN,
      recursionDesired: check.recursionDesired,
      checkingDisabled: false,
      authenticData: false,
      dnssecOk: false,
    };
    const { signal } = this.#closing;
    try {
      if (forceTcp) await this.#tcp.ask({ question, edns: false, timeout: CHECK_TIMEOUT, signal });
      else await this.#exchangeUdp(new Asked(question, false), CHECK_TIMEOUT, signal);
    } catch (error) {
      // That we could not ask says nothing about the upstream.
      if (!(error instanceof UpstreamError && error.code === 'limit')) throw error;
    }
  }
}

/** A reply with TC: its records are a part of an answer, and never used. */
const CUT_SHORT: UpstreamReply = {
  id: 0,
  rcode: Rcode.NOERROR,
  authoritative: false,
  truncated: true,
  recursionAvailable: true,
  authenticData: false,
  question: undefined,
  answer: [],
  authority: [],
  additional: [],
  hasOpt: false,
  extendedError: undefined,
};

function disdainsEdns(reply: UpstreamReply): boolean {
  if (reply.rcode === Rcode.BADVERS) return true;
  return !reply.hasOpt && (reply.rcode === Rcode.FORMERR || reply.rcode === Rcode.NOTIMP);
}

function healthText(endpoint: Endpoint, isDown: boolean, fails: Count): string {
  if (!isDown) return `${endpoint.label} answers again and is asked again`;
  return `${endpoint.label} is down: ${fails} health checks in a row got no reply; it is passed over while another upstream is up. Is the address right, and may this pod reach its port over UDP?`;
}
