/** What the model expects of one moment of a cluster. Knows no server. */

import { KINDS, type Kind } from '../../zones/kubernetes/objects.ts';
import { nameSize } from '../support/message-octets.ts';
import { modelReply } from '../support/model/reply.ts';
import type { ModelQuestion, ModelReply, World } from '../support/model/world.ts';
import { asSent } from './agreement.ts';
import type { ClusterState } from './events.ts';
import { outside } from './outside.ts';
import type { AskedQuestion } from './questions.ts';
import type { Setting } from './settings.ts';

/** What should come back. The model knows of no flags: who does not desire recursion gets nothing that is not ours (RFC 8499). */
export function replyOf(world: World, { question, manner }: AskedQuestion): ModelReply {
  const reply = modelReply(world, question);
  const isOurs = manner.recursionDesired || !saidOutside.has(reply);
  return isOurs ? asSent(reply, question) : NOT_DESIRED;
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

function markedOutside(question: ModelQuestion): ModelReply {
  const reply = outside(question);
  saidOutside.add(reply);
  return reply;
}

/** What the model is told of a moment. */
export function worldOf({ options, localAddresses }: Setting, state: ClusterState): World {
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
    outside: markedOutside,
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
