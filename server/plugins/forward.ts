/** `forward`: sends what nobody else answered to upstream servers. Knows the Corefile's words for it, nothing of sockets. */

import { isWithin, type Name } from '../../zones/name.ts';
import { Rcode } from '../../zones/rr.ts';
import { transparent, type Handler, type Plugin, type PluginContext } from '../pipeline.ts';
import { emptyReply, ExtendedErrorCode, type Query, type Reply } from '../query.ts';
import { sharedUpstreams, Upstreams } from '../upstream/upstreams.ts';
import { forwardFrom, type ForwardOptions } from './forward-options.ts';
import { metadataOf } from './metadata.ts';
import { zoneSources } from './zone-sources.ts';

/**
 * Several may stand in a block: the first whose FROM holds the name takes it (CoreDNS plugin/forward). A query without RD asks for what
 * this server itself knows, so here it is refused; `cache` lets it pass by, for what is cached tells what others asked for (cache snooping, RFC
 * 8932 section 5.2.5).
 */
export const forward: Plugin<readonly ForwardOptions[]> = {
  name: 'forward',
  parse: (directives) => directives.map(forwardFrom),
  layer(options, context) {
    const forwards = options.map((each, index) => makeForward(each, index, context));
    const { forwarded } = zoneSources(context.shared);
    for (const zone of options.flatMap(({ from, except }) => [from, ...except])) forwarded.add(zone);
    metadataOf(context.shared).publish('forward/upstream', ({ reply }) => reply.upstream);
    return transparent((next) => (query) => ask(forwards, 0, query) ?? next(query));
  },
};

type Forward = { readonly options: ForwardOptions; readonly upstreams: Upstreams };

function makeForward(options: ForwardOptions, index: number, context: PluginContext): Forward {
  const zones = context.block.keys.map((key) => `${key.transport} ${key.zone} ${key.port}`).join();
  const key = `forward ${context.server} ${zones} ${index} ${JSON.stringify(options.upstreams)}`;
  // Not the whole context: what is kept through reloads must not keep the plan that it was made for.
  const { clock, log, counters } = context;
  const upstreams = context.keep(key, () => new Upstreams(options.upstreams, { clock, log, counters }));
  sharedUpstreams(context.shared).add(upstreams);
  return { options, upstreams };
}

/** Undefined if none from `first` on takes the name. */
function ask(forwards: readonly Forward[], first: number, query: Query): ReturnType<Handler> | undefined {
  for (let i = first; i < forwards.length; i++) {
    const each = forwards[i];
    if (each === undefined || !takes(each.options, query.question.name)) continue;
    if (!query.recursionDesired) return NOT_DESIRED;
    const { next, nextOnNodata } = each.options;
    const reply = each.upstreams.resolve(query);
    if (next.length === 0 && !nextOnNodata) return reply;
    return reply.then((first) => (isHandedOver(each.options, first) ? (ask(forwards, i + 1, query) ?? first) : first));
  }
  return undefined;
}

/** RFC 8914 section 4.21. */
const NOT_DESIRED: Reply = {
  ...emptyReply(Rcode.REFUSED, 'forward'),
  recursionAvailable: true,
  extendedError: {
    code: ExtendedErrorCode.NOT_AUTHORITATIVE,
    text: 'this server only forwards that name, and recursion was not desired (RD=0)',
  },
};

function takes({ from, except }: ForwardOptions, name: Name): boolean {
  if (!isWithin(name, from)) return false;
  return name === from || !except.some((zone) => isWithin(name, zone));
}

/** What the server itself made of a silent upstream is no reply and is not handed over. */
function isHandedOver({ next, nextOnNodata }: ForwardOptions, reply: Reply): boolean {
  if (reply.fault !== undefined) return false;
  if (next.includes(reply.rcode)) return true;
  return nextOnNodata && reply.rcode === Rcode.NOERROR && reply.answer.length === 0;
}
