/** `transfer`: gives whole zones to the secondaries named in the Corefile (RFC 5936). Knows who may have them, not what is in them. */

import { addressFrom } from '../../zones/ip.ts';
import { isWithin, type Name } from '../../zones/name.ts';
import { Rcode, RRType, type RRset } from '../../zones/rr.ts';
import type { BlockHead, Directive, Line, Token } from '../corefile/block.ts';
import { refuse, show } from '../corefile/fault.ts';
import { argumentsOf, optionsOf, unknownOption, zonesOrBlock } from '../corefile/values.ts';
import { CorefileError } from '../errors.ts';
import type { Plugin, Transfer } from '../pipeline.ts';
import { emptyReply, type ExtendedError, ExtendedErrorCode, type Peer, type Query, type Reply } from '../query.ts';
import { isInside, networkFrom, type Network } from './network.ts';
import { transferableZones, type TransferableZone } from './transferable-zones.ts';

export type TransferOptions = { readonly rules: readonly TransferRule[] };

/** Who may have which zones. */
type TransferRule = { readonly zones: readonly Name[]; readonly to: readonly Network[] };

const NAME = 'transfer';

/** Several may stand in a block: the one with the longest zone that holds the name decides (CoreDNS plugin/transfer). */
export const transfer: Plugin<TransferOptions> = {
  name: NAME,
  parse: (directives, block) => ({ rules: directives.map((directive) => ruleFrom(directive, block)) }),
  transfers({ rules }, context) {
    const zones = transferableZones(context.shared);
    context.onStart(() => {
      if (zones.size > 0) return;
      const { file, line } = context.block.position;
      context.log(
        'warning',
        SOURCE,
        `${file}:${line}: there is no zone to transfer in this block; add kubernetes to it`,
      );
    });
    return (query) => transferOf(rules, zones, query);
  },
};

const SOURCE = `plugin/${NAME}`;

function transferOf(
  rules: readonly TransferRule[],
  zones: ReadonlyMap<Name, TransferableZone>,
  query: Query,
): Transfer {
  const { name, type } = query.question;
  const rule = ruleFor(rules, name);
  if (rule === undefined) return refusal(Rcode.REFUSED, NOT_OFFERED);
  if (!isNamed(rule, query.peer)) return refusal(Rcode.REFUSED, NOT_FOR_YOU);
  const zone = zones.get(name);
  if (zone === undefined) return refusal(Rcode.NOTAUTH, NO_APEX);
  if (!zone.isComplete()) return refusal(Rcode.SERVFAIL, NOT_READY);
  return type === RRType.IXFR ? incremental(zone, query) : full(zone, query.peer);
}

/** RFC 5936 section 4.2: there is no AXFR over UDP. */
function full(zone: TransferableZone, peer: Peer): Transfer {
  if (peer.protocol !== 'tcp') return refusal(Rcode.REFUSED, ONLY_TCP);
  return { reply: authoritative([]), rrsets: zone.records() };
}

/**
 * No history is kept: who has the newest serial, or one that is newer still (RFC 1982 section 3.2), is told so by the SOA record alone,
 * and everybody else gets the whole zone (RFC 1995 section 4). Over UDP that record says to come again over TCP (section 2).
 */
function incremental(zone: TransferableZone, { serial, peer }: Query): Transfer {
  if (serial === undefined) return refusal(Rcode.FORMERR, NO_SERIAL);
  const isBehind = ((serial - zone.serial()) | 0) < 0;
  if (isBehind && peer.protocol === 'tcp') return full(zone, peer);
  return { reply: authoritative(zone.soa()), rrsets: undefined };
}

function ruleFor(rules: readonly TransferRule[], name: Name): TransferRule | undefined {
  let longest = 0;
  let found: TransferRule | undefined;
  for (const rule of rules) {
    for (const zone of rule.zones) {
      if (zone.length <= longest || !isWithin(name, zone)) continue;
      longest = zone.length;
      found = rule;
    }
  }
  return found;
}

function isNamed({ to }: TransferRule, { address: text }: Peer): boolean {
  // The interface of a link-local address does not count.
  const address = addressFrom(text.replace(/%.*$/, ''));
  return address !== undefined && to.some((network) => isInside(address, network));
}

function refusal(rcode: number, extendedError: ExtendedError): Transfer {
  return { reply: { ...emptyReply(rcode, NAME), extendedError }, rrsets: undefined };
}

function authoritative(answer: readonly RRset[]): Reply {
  return { ...emptyReply(Rcode.NOERROR, NAME), authoritative: true, fresh: true, answer };
}

const NOT_OFFERED = { code: ExtendedErrorCode.NOT_SUPPORTED, text: 'this zone is not transferred from here' } as const;
const NOT_FOR_YOU = { code: ExtendedErrorCode.PROHIBITED, text: 'your address is not among those of `to`' } as const;
const NO_APEX = { code: ExtendedErrorCode.NOT_AUTHORITATIVE, text: 'no zone begins at this name' } as const;
const NOT_READY = { code: ExtendedErrorCode.NOT_READY, text: 'the cluster has not been read in full yet' } as const;
const ONLY_TCP = { code: ExtendedErrorCode.NOT_SUPPORTED, text: 'ask over TCP' } as const;
const NO_SERIAL = {
  code: ExtendedErrorCode.OTHER,
  text: 'no SOA record of the zone in the authority section',
} as const;

const USAGE = 'to ADDRESS…';

function ruleFrom(directive: Directive, block: BlockHead): TransferRule {
  const to = optionsOf(directive).flatMap(clientsFrom);
  if (to.length > 0) return { zones: zonesOrBlock(directive.args, block), to };
  const { position } = directive.name;
  throw new CorefileError(
    position,
    `transfer needs to know who may have the zones: write transfer { ${USAGE} }, or transfer { to * }`,
  );
}

function clientsFrom(line: Line): readonly Network[] {
  const { text, position } = line.name;
  if (text === 'source') {
    const message = `found ${show(text)}, an option of CoreDNS for the NOTIFY messages that fivedots does not send; remove it`;
    throw new CorefileError(position, message);
  }
  if (text !== 'to') unknownOption(line, NAME, ['to']);
  return argumentsOf(line, 1, Infinity, USAGE).flatMap((token) =>
    token.text === '*' ? EVERYBODY : [clientFrom(token)],
  );
}

/** An address may have a port: it is where CoreDNS sends NOTIFY, and says nothing of who may ask. */
function clientFrom(token: Token): Network {
  if (token.text.includes('/')) return networkFrom(token);
  const [, ipv6, ipv4] = /^(?:\[([^\]]+)\]|([^:]+)):[0-9]{1,5}$/.exec(token.text) ?? [];
  const address = addressFrom(ipv6 ?? ipv4 ?? token.text);
  if (address === undefined)
    refuse(token, 'an address such as 192.0.2.1, a network such as 192.0.2.0/24, or * for everybody');
  return { address, bits: 8 * address.length };
}

const EVERYBODY: readonly Network[] = [
  { address: new Uint8Array(4), bits: 0 },
  { address: new Uint8Array(16), bits: 0 },
];
