/**
 * Search completion: the first question of a client's walk through its search list is answered with what the last one would bring. Only an
 * optimisation: wherever it is not certain that every client would get the same in the end, the reply is the one without it.
 */

import { isWithin, type Name } from '../../zones/name.ts';
import { Rcode, RRType } from '../../zones/rr.ts';
import type { Milliseconds, Seconds } from '../../zones/units.ts';
import type { Counters } from '../counters.ts';
import type { Schedule } from '../timer.ts';
import type { Log } from '../log.ts';
import { after, type Handler } from '../pipeline.ts';
import { servfail, type Peer, type Query, type Reply } from '../query.ts';
import type { ClusterNames } from './cluster-names.ts';
import { isForAlias } from './completed-reply.ts';
import { CompletionCounters } from './completion-counters.ts';
import { guardedLease } from './completion-lease.ts';
import { foundReply } from './found-reply.ts';
import { Grounds } from './grounds.ts';
import { KnownRefusals, type KnownRefusal } from './known-refusals.ts';
import { isWorthAsking, planFor, withinCluster, type Plan, type PlanOptions } from './plan.ts';
import { placeAsked, type SearchLists } from './search-list.ts';
import { walk, type Ask, type Refusal, type Verdict } from './walk.ts';
import { Walks } from './walks.ts';

export type CompletionOptions = PlanOptions & {
  /** Names below these may be completed. */
  readonly zones: readonly Name[];
  readonly lists: SearchLists;
  /** Below these ask those who search where the node does; only counted. */
  readonly nodeDomains: readonly Name[];
  /** The most that the made alias is kept for. */
  readonly aliasTtlMax: Seconds;
  /** Does the asking pod's own search list count, where it is known? */
  readonly usesPods: boolean;
  /** How long a client waits for the walk made in its place. */
  readonly patience: Milliseconds;
};

export type CompletionContext = {
  readonly server: string;
  readonly counters: Counters;
  readonly schedule: Schedule;
  readonly log: Log;
  /** Monotonic. */
  readonly clock: () => Milliseconds;
  /** Of the block; undefined if it answers for none. */
  readonly cluster: () => ClusterNames | undefined;
  /** Would a client's question for this name be this block's? */
  readonly isOwn: (name: Name) => boolean;
  /** Asks the whole server. */
  readonly resolve: Handler;
};

export class Completion {
  readonly #options: CompletionOptions;
  readonly #context: CompletionContext;
  readonly #counters: CompletionCounters;
  readonly #walks: Walks;
  readonly #next: Handler;
  readonly #refusals: KnownRefusals;
  #looked: Looked | undefined;

  constructor(options: CompletionOptions, context: CompletionContext, next: Handler) {
    this.#options = options;
    this.#context = context;
    this.#counters = new CompletionCounters(context.counters, context.server);
    const { counters, server } = context;
    this.#refusals = new KnownRefusals(counters.gauge('fivedots_express_known_refusals', { server }));
    const tell = (fault: string): void => context.log('error', 'plugin/autopath', fault);
    this.#walks = new Walks(options.patience, context.schedule, this.#counters.upstreamSaved, tell);
    this.#next = next;
  }

  readonly handle: Handler = (query) => {
    const plain = this.#next(query);
    if (query.aliasDepth > 0) return plain;
    return plain instanceof Promise ? plain.then((late) => this.#reply(query, late)) : this.#reply(query, plain);
  };

  /** Might a question for this name, which the cluster denies, be completed for somebody? */
  mightComplete(name: Name): boolean {
    const known = this.#refusals.find(name, this.#context.clock());
    const plan = known === undefined ? this.#planFor(name) : undefined;
    this.#looked = { name, known, plan };
    if (plan === undefined) return false;
    if (this.#options.usesPods || isWorthAsking(plan, this.#context.cluster())) return true;
    this.#learn(name, plan, plan.end, []);
    return false;
  }

  /** Counts a question whose name was denied without asking here; it was looked at just before. */
  denied(name: Name): void {
    this.#countDenied(name);
    if (this.#looked?.name !== name) return;
    const { known, plan } = this.#looked;
    known?.grounds.repeat(this.#context.clock());
    const reason = known?.reason ?? plan?.end;
    if (reason !== undefined) this.#counters.refused(reason);
  }

  #reply(query: Query, plain: Reply): Reply | Promise<Reply> {
    const { name, type } = query.question;
    if (this.#isFromNode(name)) return this.#countedFromNode(plain);
    if (plain.rcode !== Rcode.NXDOMAIN) return plain;
    this.#countDenied(name);
    const isWalk = query.recursionDesired && !isMeta(type) && isPlainDenial(plain);
    if (!isWalk || this.#context.cluster()?.isSynced() === false) return this.#guarded(name, plain);
    const plan = this.#planFor(name, query.peer);
    if (plan === undefined) return this.#guarded(name, plain);
    const ask: Ask = (candidate, wanted) => this.#ask(query, candidate, wanted);
    const other = isForAddresses(type) ? undefined : type;
    const verdict = this.#walks.verdict(keyOf(query, plan, other), (mayLeave, isWanted) =>
      walk(mayLeave ? plan : withinCluster(plan, this.#context.cluster()), other, ask, isWanted),
    );
    return verdict instanceof Promise
      ? verdict.then((late) => this.#said(query, plain, plan, late))
      : this.#said(query, plain, plan, verdict);
  }

  /**
   * As the client itself would ask: a name may be another block's. What that says is not known to hold for everybody. A fault is one of the walk,
   * not of the question, to which there is a reply.
   */
  #ask(query: Query, name: Name, type: number): Reply | Promise<Reply> {
    const asked: Query = { ...query, question: { ...query.question, name, spelling: name, type } };
    try {
      if (this.#context.isOwn(name)) return caught(this.#next(asked));
      const reply = caught(this.#context.resolve({ ...asked, aliasDepth: query.aliasDepth + 1 }));
      return after(reply, (other) => ({ ...other, lease: undefined }));
    } catch (error) {
      return faultOf(error);
    }
  }

  #said(query: Query, plain: Reply, plan: Plan, verdict: Verdict): Reply {
    if ('refused' in verdict) {
      if (isOrdinary(query)) this.#learn(query.question.name, plan, verdict.refused, [plain, ...verdict.asked]);
      return this.#refused(plain, verdict.refused, verdict.fault);
    }
    const { aliasTtlMax, usesPods } = this.#options;
    const settings = {
      aliasTtlMax,
      isForAll: !usesPods,
      cluster: this.#context.cluster(),
      counters: this.#counters,
    };
    const said = foundReply(query, plain, plan, verdict, settings);
    return typeof said === 'string' ? this.#refused(plain, said) : said;
  }

  /** Keeps that a name is not completed, for those who are told so without asking here. */
  #learn(name: Name, plan: Plan, reason: Refusal, asked: readonly Reply[]): void {
    if (this.#options.usesPods || !LASTING.has(reason)) return;
    const grounds = Grounds.of(plan, asked, this.#context.cluster());
    if (grounds !== undefined) this.#refusals.keep(name, reason, grounds, this.#context.clock());
  }

  /** The reply without completion; but soon there may be one with it. */
  #refused(plain: Reply, reason: Refusal, fault?: string): Reply {
    this.#counters.refused(reason);
    return plain.lease === undefined && fault === undefined ? plain : { ...plain, fault, lease: undefined };
  }

  /** What somebody else says of a name that the cluster lacks; with a new namespace it may become one that is completed. */
  #guarded(name: Name, plain: Reply): Reply {
    const cluster = this.#context.cluster();
    if (plain.lease === undefined || cluster?.apexes.some((apex) => isWithin(name, apex)) !== true) return plain;
    const lease = guardedLease(plain.lease, cluster.life(), () => this.#countDenied(name));
    return { ...plain, lease };
  }

  /** A list of a file may begin with a domain of the node's; what stands below that is completed. */
  #isFromNode(name: Name): boolean {
    const { nodeDomains, lists } = this.#options;
    const cluster = this.#context.cluster();
    const isWithinDomain = nodeDomains.some((domain) => isWithin(name, domain)) && cluster?.holds(name) !== true;
    return isWithinDomain && lists(name, cluster) === undefined;
  }

  #countedFromNode(reply: Reply): Reply {
    const count = (): void => this.#counters.searched('node');
    count();
    return reply.lease === undefined ? reply : { ...reply, lease: guardedLease(reply.lease, undefined, count) };
  }

  #countDenied(name: Name): void {
    const cluster = this.#context.cluster();
    const suffix = cluster === undefined ? undefined : placeAsked(name, cluster);
    if (suffix !== undefined) this.#counters.searched(suffix);
  }

  /** Undefined for a name that nobody's walk begins with. */
  #planFor(name: Name, peer?: Peer): Plan | undefined {
    const { zones, lists, usesPods } = this.#options;
    if (!zones.some((zone) => isWithin(name, zone))) return undefined;
    const cluster = this.#context.cluster();
    const searched = lists(name, cluster);
    if (searched === undefined) return undefined;
    const pod = usesPods && peer !== undefined ? cluster?.podAt(peer.address) : undefined;
    return planFor(searched, cluster, this.#options, pod);
  }
}

/** The last name that somebody asked about who may deny it. */
type Looked = { readonly name: Name; readonly known: KnownRefusal | undefined; readonly plan: Plan | undefined };

/** Those that hold as long as the replies do, and no service and no namespace comes. */
const LASTING: ReadonlySet<Refusal> = new Set([
  'private',
  'ambiguous',
  'nowhere',
  'no_address',
  'disagreement',
  'failure',
]);

/** Only such questions are answered without asking here; with DO or CD the replies on the way may be others. */
function isOrdinary({ edns, checkingDisabled, question }: Query): boolean {
  return edns?.dnssecOk !== true && !checkingDisabled && isForAddresses(question.type);
}

function caught(reply: Reply | Promise<Reply>): Reply | Promise<Reply> {
  return reply instanceof Promise ? reply.catch(faultOf) : reply;
}

function faultOf(error: unknown): Reply {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return servfail('autopath', `a walk met a fault of fivedots; please report it: ${text}`);
}

/** NXDOMAIN and no more: an alias that leads nowhere is something, and an error with a reason is somebody's decision. */
function isPlainDenial({ rcode, answer, extendedError, fault, truncated }: Reply): boolean {
  return (
    rcode === Rcode.NXDOMAIN && answer.length === 0 && extendedError === undefined && fault === undefined && !truncated
  );
}

function isForAddresses(type: number): boolean {
  return type === RRType.A || type === RRType.AAAA || isForAlias(type);
}

/** RFC 6895 section 3.1; ANY is answered like a type of data. */
function isMeta(type: number): boolean {
  return type === RRType.OPT || (type >= 128 && type <= 255 && type !== RRType.ANY);
}

/** Walks with the same candidates differ in what they get by DO and CD, as the cache's entries do, and by a type that is no address's. */
function keyOf({ edns, checkingDisabled }: Query, { candidates }: Plan, other = 0): string {
  const flags = (edns?.dnssecOk === true ? 1 : 0) | (checkingDisabled ? 2 : 0);
  return String.fromCharCode(flags, other) + candidates.map(({ name }) => name).join('');
}
