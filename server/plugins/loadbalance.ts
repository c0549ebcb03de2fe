/** `loadbalance`: a new order of the addresses in each reply. Knows nothing of where a reply came from. */

import { Rcode, RRType, type RRset } from '../../zones/rr.ts';
import type { Directive, Line } from '../corefile/block.ts';
import { argumentsOf, choiceFrom, optionsOf, unknownOption } from '../corefile/values.ts';
import { CorefileError } from '../errors.ts';
import { after, transparent, type Chance, type Handler, type Plugin } from '../pipeline.ts';
import type { Reply } from '../query.ts';
import { isInside, networkFrom, type Network } from './network.ts';
import { seededChance, shuffled } from './shuffle.ts';

export type LoadbalanceOptions = {
  /** Addresses in the first of these networks come first, then those in the second, and so on; the others last. */
  readonly prefer: readonly Network[];
};

export const loadbalance: Plugin<LoadbalanceOptions> = loadbalanceBy(seededChance());

/** The plugin with other chances than those of this process. */
export function loadbalanceBy(chance: Chance): Plugin<LoadbalanceOptions> {
  return {
    name: 'loadbalance',
    parse: (directives) => ({ prefer: directives.flatMap(preferFrom) }),
    layer({ prefer }) {
      const arrange = prefer.length === 0 ? roundRobin(chance) : preferring(prefer, chance);
      const balance = (reply: Reply): Reply => balanced(reply, arrange);
      const layer = (next: Handler): Handler => {
        return (query) => after(next(query), balance);
      };
      return prefer.length === 0 ? transparent(layer, { chance }) : layer;
    },
  };
}

/** Puts one section in order; gives the same array back where there is nothing to order. */
type Arrange = (rrsets: readonly RRset[]) => readonly RRset[];

/** RRsets by kind, each kind in the order in which it came (CoreDNS plugin/loadbalance). */
type Kinds = {
  readonly aliases: RRset[];
  readonly addresses: RRset[];
  readonly exchanges: RRset[];
  readonly rest: RRset[];
};

function balanced(reply: Reply, arrange: Arrange): Reply {
  if (reply.rcode !== Rcode.NOERROR) return reply;
  const answer = arrange(reply.answer);
  const authority = arrange(reply.authority);
  const additional = arrange(reply.additional);
  if (answer === reply.answer && authority === reply.authority && additional === reply.additional) return reply;
  return { ...reply, answer, authority, additional };
}

/** Aliases first, for some resolvers read no further than the chain; then the rest, then shuffled addresses and mail exchanges. */
function roundRobin(chance: Chance): Arrange {
  return (rrsets) => {
    if (isSettled(rrsets)) return rrsets;
    const { aliases, addresses, exchanges, rest } = kindsOf(rrsets);
    return [...aliases, ...rest, ...reordered(addresses, chance), ...reordered(exchanges, chance)];
  };
}

/** The addresses sorted by preference, equal ones shuffled; an RRset stands where its best address does. */
function preferring(networks: readonly Network[], chance: Chance): Arrange {
  const rank = (rdata: Uint8Array | undefined): number => {
    const found = rdata === undefined ? -1 : networks.findIndex((network) => isInside(rdata, network));
    return found === -1 ? networks.length : found;
  };
  return (rrsets) => {
    if (isSettled(rrsets)) return rrsets;
    const { aliases, addresses, exchanges, rest } = kindsOf(rrsets);
    const sorted = reordered(addresses, chance)
      .map((set) =>
        withRdatas(
          set,
          set.rdatas.toSorted((a, b) => rank(a) - rank(b)),
        ),
      )
      .toSorted((a, b) => rank(a.rdatas[0]) - rank(b.rdatas[0]));
    return [...aliases, ...sorted, ...reordered(exchanges, chance), ...rest];
  };
}

/** The RRsets in a new order, and the records of each too. */
function reordered(rrsets: readonly RRset[], chance: Chance): RRset[] {
  return shuffled(rrsets, chance).map((set) =>
    set.rdatas.length < 2 ? set : withRdatas(set, shuffled(set.rdatas, chance)),
  );
}

function withRdatas({ owner, type, ttl }: RRset, rdatas: readonly Uint8Array[]): RRset {
  return { owner, type, ttl, rdatas };
}

/** Most sections: nothing in them, or one RRset that has one order only. */
function isSettled(rrsets: readonly RRset[]): boolean {
  const [only] = rrsets;
  if (only === undefined) return true;
  return (
    rrsets.length === 1 && (only.rdatas.length < 2 || kindOf(only.type) === 'rest' || kindOf(only.type) === 'aliases')
  );
}

function kindsOf(rrsets: readonly RRset[]): Kinds {
  const kinds: Kinds = { aliases: [], addresses: [], exchanges: [], rest: [] };
  for (const set of rrsets) kinds[kindOf(set.type)].push(set);
  return kinds;
}

function kindOf(type: number): keyof Kinds {
  switch (type) {
    case RRType.CNAME:
      return 'aliases';
    case RRType.A:
    case RRType.AAAA:
      return 'addresses';
    case RRType.MX:
      return 'exchanges';
    default:
      return 'rest';
  }
}

function preferFrom(directive: Directive): readonly Network[] {
  const [policy] = argumentsOf(directive, 0, Infinity, 'loadbalance [round_robin]');
  if (policy?.text === 'weighted') {
    const message = 'weighted is not supported yet: write round_robin, or leave it out, for equal shares';
    throw new CorefileError(policy.position, message);
  }
  if (policy !== undefined) choiceFrom(policy, ['round_robin']);
  argumentsOf(directive, 0, 1, 'loadbalance [round_robin]');
  return optionsOf(directive).flatMap(networksFrom);
}

function networksFrom(line: Line): readonly Network[] {
  if (line.name.text !== 'prefer') unknownOption(line, 'loadbalance', ['prefer']);
  return argumentsOf(line, 1, Infinity, 'prefer NETWORK…').map(networkFrom);
}
