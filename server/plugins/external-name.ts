/** Where an alias of the cluster leaves the cluster's zone: the whole server is asked for its target. Knows no cluster. */

import { aliasTarget } from '../../zones/kubernetes/alias.ts';
import { lowerCase, present } from '../../zones/name.ts';
import { Rcode, rcodeName, RRClass, type RRset } from '../../zones/rr.ts';
import type { Count } from '../../zones/units.ts';
import { after, type Handler } from '../pipeline.ts';
import { emptyReply, servfail, type Query, type Reply } from '../query.ts';

/** How often one client's query may leave a zone and come back before it is taken for a loop. */
export const ALIAS_DEPTH_MAX: Count = 8;

/** The reply to `query` when its name is an alias: `chain`, of CNAMEs, and what the server has for the last one's target. */
export function resolveAlias(
  query: Query,
  chain: readonly RRset[],
  plugin: string,
  resolve: Handler,
): ReturnType<Handler> {
  const target = aliasTarget(chain);
  if (target === undefined) return servfail(plugin, 'an alias without a target');
  if (query.aliasDepth >= ALIAS_DEPTH_MAX) {
    const start = present(query.question.name);
    const fault = `${start} leads through more than ${ALIAS_DEPTH_MAX} aliases; look for ExternalNames that point to each other`;
    return { ...servfail(plugin, fault), fresh: true };
  }
  const question = { name: lowerCase(target), spelling: target, type: query.question.type, class: RRClass.IN };
  const asked: Query = {
    ...query,
    recursionDesired: true,
    question,
    aliasDepth: query.aliasDepth + 1,
  };
  return after(resolve(asked), (reply) => joined(chain, reply, plugin, present(target)));
}

/** RFC 6604 section 3: the rcode is that of the last name, AA speaks of the first (RFC 1035 section 4.1.1). */
function joined(chain: readonly RRset[], reply: Reply, plugin: string, target: string): Reply {
  const { rcode, answer, authority, additional, truncated, extendedError, upstream } = reply;
  const alias: Reply = { ...emptyReply(Rcode.NOERROR, plugin), authoritative: true, fresh: true, answer: chain };
  if (rcode === Rcode.NOERROR || rcode === Rcode.NXDOMAIN) {
    return {
      ...alias,
      rcode,
      answer: [...chain, ...answer],
      authority,
      additional,
      truncated,
      extendedError,
      upstream,
    };
  }
  // Not refused by anybody: this server answers for its zones only, and a resolver that asks it follows aliases by itself.
  if (rcode === Rcode.REFUSED && reply.plugin === '') return alias;
  const fault = `${target}, the target of an ExternalName: ${reply.fault ?? rcodeName(rcode)}`;
  // The failure itself was cached where it happened (RFC 9520).
  return { ...servfail(plugin, fault, extendedError), fresh: true };
}
