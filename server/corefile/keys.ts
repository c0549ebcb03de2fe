/**
 * Zones as a Corefile writes them: keys of server blocks, zone arguments of plugins, and networks that stand for reverse
 * zones. Knows nothing of blocks and plugins.
 */

import { addressFrom, type Address } from '../../zones/ip.ts';
import { NAME_MAX, NameError, nameFrom, type Name } from '../../zones/name.ts';
import { CorefileError } from '../errors.ts';
import type { BlockKey, Token, Transport } from './block.ts';
import { printable, refuse, show } from './fault.ts';

/** Every transport that CoreDNS knows, as written before `://`. */
const TRANSPORTS: readonly Transport[] = ['dns', 'tls', 'https', 'https3', 'grpc', 'quic'];
const PORT_MAX = 65_535;
/** Characters that a name may take when each octet is written `\DDD`. */
const ESCAPED_NAME_MAX = 4 * NAME_MAX;

/**
 * The keys that one word at the head of a server block stands for: `[scheme://]zone[:port]`, where the zone may be a
 * network (`10.96.0.0/12`), which becomes one key for each reverse zone.
 * @throws CorefileError
 */
export function keysFrom(token: Token): readonly BlockKey[] {
  const { transport, zone, port } = partsOf(token);
  return zonesOf(token, zone).map((name) => ({ transport, zone: name, port, position: token.position }));
}

/**
 * The zones that one argument of a plugin stands for. A scheme or port is accepted and left aside, as in CoreDNS
 * (plugin.Host.NormalizeExact).
 * @throws CorefileError
 */
export function zonesFrom(token: Token): readonly Name[] {
  return zonesOf(token, partsOf(token).zone);
}

/**
 * The reverse zones of a network: in-addr.arpa by octets (RFC 1035 section 3.5), ip6.arpa by nibbles (RFC 3596 section
 * 2.5). A mask between two boundaries gives all the zones at the longer one; that is 128 for IPv4 and 8 for IPv6 at most.
 */
export function reverseZones(address: Address, prefix: number): readonly Name[] {
  const isIpv4 = address.length === 4;
  const width = isIpv4 ? 8 : 4;
  const digits = isIpv4 ? [...address] : [...address].flatMap((octet) => [octet >> 4, octet & 15]);
  const kept = Math.ceil(prefix / width);
  const count = 2 ** (kept * width - prefix);
  const first = (digits[kept - 1] ?? 0) & ~(count - 1);
  const above = digits.slice(0, Math.max(0, kept - 1));
  return Array.from({ length: count }, (_, i) => {
    const labels = kept === 0 ? [] : [first + i, ...above.toReversed()];
    return nameFrom(
      [...labels.map((label) => label.toString(isIpv4 ? 10 : 16)), isIpv4 ? 'in-addr' : 'ip6', 'arpa'].join('.'),
    );
  });
}

function partsOf(token: Token): { transport: Transport; zone: string; port: number | undefined } {
  const scheme = /^([^:/]*):\/\//.exec(token.text);
  const transport = scheme === null ? 'dns' : TRANSPORTS.find((known) => known === scheme[1]);
  if (transport === undefined) refuse(token, `one of the schemes ${TRANSPORTS.join(', ')} before "://"`);
  const rest = token.text.slice(scheme?.[0].length ?? 0);
  if (rest.endsWith(':')) refuse(token, 'a port number after the last colon');
  const colon = rest.lastIndexOf(':');
  const digits = rest.slice(colon + 1);
  if (colon === -1 || !/^[0-9]+$/.test(digits)) return { transport, zone: rest, port: undefined };
  if (digits.length > 5 || Number(digits) > PORT_MAX) refuse(token, `a port from 0 to ${PORT_MAX}`);
  return { transport, zone: rest.slice(0, colon), port: Number(digits) };
}

function zonesOf(token: Token, text: string): readonly Name[] {
  const network = /^([^/]*)\/([0-9]{1,3})$/.exec(text);
  const address = network === null ? undefined : addressFrom(network[1] ?? '');
  if (network !== null && address !== undefined) {
    const prefix = Number(network[2]);
    const isIpv6 = address.length === 16;
    if (isIpv6 && (text.startsWith(':') || text.startsWith('0'))) {
      refuse(token, 'an IPv6 network that does not begin with ":" or "0"');
    }
    if (prefix > 8 * address.length) refuse(token, `a mask of at most /${8 * address.length}`);
    return reverseZones(address, prefix);
  }
  if (text === '') refuse(token, 'a zone; write "." for all names');
  if (text.includes(':')) refuse(token, 'a zone, or a network with its mask; only a port of digits may follow a colon');
  if (/[\u0080-\uffff]/.test(text)) refuse(token, 'a zone in ASCII; write an internationalised name as xn--');
  if (text.length > ESCAPED_NAME_MAX) refuse(token, `a zone of at most ${NAME_MAX} octets`);
  try {
    return [nameFrom(text)];
  } catch (error) {
    if (!(error instanceof NameError)) throw error;
    throw new CorefileError(
      token.position,
      `found ${show(token.text)}, which is not a domain name: ${printable(error.reason)}`,
    );
  }
}
