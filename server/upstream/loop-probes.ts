/** Finds upstreams that lead back to this server, by questions that nobody else can ask. Knows nothing of the Corefile. */

import { setTimeout } from 'node:timers/promises';

import { labelsOf, present, under, type Name } from '../../zones/name.ts';
import { Rcode, RRClass, RRType } from '../../zones/rr.ts';
import type { Count, Milliseconds } from '../../zones/units.ts';
import type { Log } from '../log.ts';
import type { Kept } from '../pipeline.ts';
import { emptyReply, type Peer, type Query, type Reply } from '../query.ts';
import { askerOf, type ProbeNumbers, type ProbeTable } from './probe-table.ts';
import type { Upstream } from './upstream.ts';
import type { Upstreams } from './upstreams.ts';

/** How long a probe is asked again while there is no reply, and how long one that comes back is recognised. */
const PROBE_LIFE: Milliseconds = 30_000;
const RETRY_INTERVAL: Milliseconds = 1_000;
/** How often a stopped upstream is tried again: whoever mends the loop elsewhere need not restart us. */
const RECHECK_INTERVAL: Milliseconds = 60_000;
/** Probes that may be under way, far more than a Corefile can have upstreams. */
const PROBES_MAX: Count = 1_000;
/** Two labels of 64 random bits each: at a million guesses a second none is right in the age of the universe. */
const LABEL_BITS: Count = 64;

export type LoopProbesParts = {
  /** The probes' names stand under it. */
  readonly zone: Name;
  /** Label of the listener that they are to come back to. */
  readonly server: string;
  readonly probes: ProbeTable;
  readonly clock: () => Milliseconds;
  readonly log: Log;
  /** Resolves after that time, or at once when the signal says so. */
  readonly pause?: (span: Milliseconds, signal: AbortSignal) => Promise<void>;
};

type Probe = {
  readonly upstream: Upstream;
  readonly name: Name;
  readonly numbers: ProbeNumbers;
  readonly expires: Milliseconds;
  hasComeBack: boolean;
};

export class LoopProbes implements Kept {
  readonly #parts: LoopProbesParts;
  /** Those who probe the same in other data threads are called the same. */
  readonly #asker: bigint;
  readonly #probes = new Map<Name, Probe>();
  #watched: readonly Upstreams[] = [];
  #leave: readonly (() => void)[] = [];
  /** Ends the probing of those that are watched now. */
  #ending = new AbortController();

  constructor(parts: LoopProbesParts) {
    this.#parts = parts;
    this.#asker = askerOf(`${parts.server} ${parts.zone}`);
  }

  /** Probes all upstreams now, those that join later when they do. */
  watch(sets: Iterable<Upstreams>): void {
    this.#end();
    this.#ending = new AbortController();
    this.#watched = [...sets];
    this.#leave = this.#watched.map((set) => set.onJoin((joined) => this.#probeAll(joined)));
    for (const set of this.#watched) this.#probeAll(set.members);
  }

  /** The answer to one of our own probes, or undefined: then the query is somebody else's. */
  recognise(query: Query): Reply | undefined {
    if (query.question.type !== RRType.HINFO) return undefined;
    const probe = this.#probes.get(query.question.name);
    if (probe === undefined) return this.#isOfAnother(query) ? emptyReply(Rcode.NXDOMAIN, 'loop') : undefined;
    if (this.#parts.clock() >= probe.expires) return undefined;
    probe.hasComeBack = true;
    this.#stop(probe, `${remoteOf(query.peer)} -> ${ownOf(query.peer)}`);
    return emptyReply(Rcode.NXDOMAIN, 'loop');
  }

  /** Without probes nobody would find out that a stopped upstream may be asked again. */
  close(): void {
    this.#end();
    for (const set of this.#watched) for (const upstream of set.members) upstream.stopped = undefined;
  }

  #end(): void {
    this.#ending.abort();
    for (const leave of this.#leave) leave();
    for (const { numbers } of this.#probes.values()) this.#parts.probes.remove(numbers);
    this.#probes.clear();
  }

  #probeAll(upstreams: readonly Upstream[]): void {
    for (const upstream of upstreams) void this.#probe(upstream, this.#ending.signal);
  }

  async #probe(upstream: Upstream, ending: AbortSignal): Promise<void> {
    if (this.#probes.size >= PROBES_MAX || ending.aborted || upstream.isClosed) return;
    const { clock, log, probes, zone } = this.#parts;
    const numbers = probes.add(this.#asker);
    if (numbers === undefined) return;
    const name = under([String(numbers.first), String(numbers.second)], zone);
    const probe: Probe = { upstream, name, numbers, expires: clock() + PROBE_LIFE, hasComeBack: false };
    this.#probes.set(name, probe);
    const isAnswered = await this.#ask(probe, ending);
    if (isAnswered && !probe.hasComeBack && upstream.stopped !== undefined) {
      upstream.stopped = undefined;
      log('info', 'plugin/loop', `${upstream.endpoint.label} does not lead back here any more; it is asked again`);
    }
    await this.#pause(Math.max(0, probe.expires - clock()), ending);
    if (this.#probes.delete(name)) probes.remove(numbers);
    if (upstream.stopped === undefined) return;
    await this.#pause(RECHECK_INTERVAL - PROBE_LIFE, ending);
    void this.#probe(upstream, ending);
  }

  /** Until there is a reply; false if there was none. */
  async #ask(probe: Probe, ending: AbortSignal): Promise<boolean> {
    const { upstream, expires } = probe;
    const question = {
      spelling: probe.name,
      type: RRType.HINFO,
      class: RRClass.IN,
      recursionDesired: true,
      checkingDisabled: false,
      authenticData: false,
      dnssecOk: false,
    };
    while (!ending.aborted && !upstream.isClosed && this.#parts.clock() < expires) {
      try {
        await upstream.ask(question, 'udp', ending);
        this.#lookElsewhere(probe);
        return true;
      } catch {
        await this.#pause(RETRY_INTERVAL, ending);
        this.#lookElsewhere(probe);
      }
    }
    return false;
  }

  /** Whoever answers a probe that came back has marked it before. */
  #lookElsewhere(probe: Probe): void {
    if (probe.hasComeBack || this.#probes.get(probe.name) !== probe || !this.#parts.probes.hasComeBack(probe.numbers))
      return;
    probe.hasComeBack = true;
    this.#stop(probe, `${probe.upstream.endpoint.label} -> another data thread`);
  }

  /** The thread that sent it will see that it was here. */
  #isOfAnother({ question }: Query): boolean {
    const [first = '', second = ''] = labelsOf(question.name);
    if (!NUMBER.test(first) || !NUMBER.test(second)) return false;
    if (question.name !== under([first, second], this.#parts.zone)) return false;
    return this.#parts.probes.recognise(this.#asker, BigInt(first), BigInt(second));
  }

  #stop({ upstream, name }: Probe, way: string): void {
    if (upstream.stopped !== undefined) return;
    const { label } = upstream.endpoint;
    upstream.stopped = `queries that are sent to ${label} come back to this server (a forwarding loop)`;
    this.#parts.log(
      'error',
      'plugin/loop',
      `Loop (${way}) detected for zone "${present(this.#parts.zone)}", ` +
        `see https://coredns.io/plugins/loop#troubleshooting. Query: "HINFO ${present(name)}". ` +
        `It came back through the upstream ${label}, which is not asked any more; cluster names are still answered. ` +
        `Let forward name a server that does not ask this one: where /etc/resolv.conf names a local stub such as ` +
        `127.0.0.53, use the file that stub reads itself (/run/systemd/resolve/resolv.conf). ` +
        `It is tried again every ${RECHECK_INTERVAL / 1000} s.`,
    );
  }

  /** Whoever waits looks at the signal afterwards. */
  #pause(span: Milliseconds, ending: AbortSignal): Promise<void> {
    const { pause = sleep } = this.#parts;
    return pause(span, ending);
  }
}

/** A label of a probe. */
const NUMBER = /^[0-9]{1,20}$/;

/** Octets of a probe's two labels at most, length octets included. */
export const PROBE_LABELS_SIZE: Count = 2 * (1 + String(2n ** BigInt(LABEL_BITS)).length);

async function sleep(span: Milliseconds, signal: AbortSignal): Promise<void> {
  await setTimeout(span, undefined, { signal }).catch(() => {});
}

function remoteOf({ address, port }: Peer): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function ownOf({ localAddress, localPort }: Peer): string {
  return localAddress.includes(':') ? `[${localAddress}]:${localPort}` : `${localAddress}:${localPort}`;
}
