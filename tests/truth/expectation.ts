/** What the model expects of one moment of a cluster. Knows no server. */

import { KINDS, type Kind } from '../../zones/kubernetes/objects.ts';
import type { Bytes, Seconds } from '../../zones/units.ts';
import { nameSize } from '../support/message-octets.ts';
import { completedReply, type Completed } from '../support/model/completion.ts';
import type { ModelReply, World } from '../support/model/world.ts';
import { asSent, udpLimit } from './agreement.ts';
import type { ClusterState } from './events.ts';
import { cached, outside } from './outside.ts';
import type { AskedQuestion } from './questions.ts';
import { completionOf, type Setting } from './settings.ts';
import { sizeBoundsOf } from './sizes.ts';

/** What should come back, and what search completion had to do with it. */
export type Expected = {
  readonly reply: ModelReply;
  readonly outcome: Completed['outcome'];
  /** Over UDP it is one of these. */
  readonly overUdp: readonly ModelReply[];
};

/** Who does not desire recursion gets nothing that is not ours (RFC 8499): the model knows of no flags but for completion. */
export function expectedOf(world: World, { question, manner }: AskedQuestion): Expected {
  const { reply: said, outcome, unless } = completedReply(world, question, manner.recursionDesired);
  const isOurs = manner.recursionDesired || !saidOutside.has(said);
  const reply = isOurs ? asSent(said, question) : NOT_DESIRED;
  if (unless === undefined) return { reply, outcome, overUdp: [reply] };
  const limit = udpLimit(manner.payloadSize) - OPT_SIZE;
  const bounds = unless.tooLarge.map((each) => sizeBoundsOf(question, each));
  const isSurelyCut = bounds.some(({ least }) => least > limit);
  const isSurelyWhole = bounds.every(({ most }) => most <= limit);
  const plain = asSent(unless.plain, question);
  return { reply, outcome, overUdp: [...(isSurelyCut ? [] : [reply]), ...(isSurelyWhole ? [] : [plain])] };
}

/** Whether the client asked with an OPT record or not. */
const OPT_SIZE: Bytes = 11;

export function replyOf(world: World, asked: AskedQuestion): ModelReply {
  return expectedOf(world, asked).reply;
}

const NOT_DESIRED: ModelReply = {
  rcode: 'REFUSED',
  authoritative: false,
  answer: new Set(),
  authority: new Set(),
  additional: new Set(),
};

/** Replies that the model may hand on as they are. */
const saidOutside = new WeakSet<ModelReply>();

function markedOutside(cache: Seconds | undefined): World['outside'] {
  return (question) => {
    const reply = cache === undefined ? outside(question) : cached(outside(question), cache);
    saidOutside.add(reply);
    return reply;
  };
}

/** What the model is told of a moment. */
export function worldOf(setting: Setting, state: ClusterState): World {
  const { options, localAddresses, cache } = setting;
  const isUnused: Partial<Record<Kind, boolean>> = {
    Pod: options.pods !== 'verified',
    EndpointSlice: options.noendpoints && options.multicluster.length === 0,
    ServiceImport: options.multicluster.length === 0,
  };
  const needed = KINDS.filter((kind) => isUnused[kind] !== true);
  return {
    // What is read over two watches is not told of before both have listed it.
    objects: state.objects.filter(
      ({ kind }) => options.endpoints === 'all' || kind !== 'EndpointSlice' || state.isListed(kind),
    ),
    options,
    localAddresses,
    unlisted: new Set(needed.filter((kind) => !state.isListed(kind))),
    completion: completionOf(setting),
    outside: markedOutside(cache),
  };
}

/** May the name stand in a message at all (RFC 1035 section 2.3.4)? */
export function isAskable({ question }: AskedQuestion): boolean {
  return nameSize(question.labels) <= 255;
}

/** Do they say the same, whatever the serial? */
export function isSameReply(a: ModelReply, b: ModelReply): boolean {
  return (
    a.rcode === b.rcode &&
    a.authoritative === b.authoritative &&
    isSameSet(a.answer, b.answer) &&
    isSameSet(a.authority, b.authority) &&
    isSameSet(a.additional, b.additional)
  );
}

function isSameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && a.isSubsetOf(b);
}
