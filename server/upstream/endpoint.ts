/** Address and port of an upstream server, as text and as sockets want it. Knows nothing of what is said to it. */

import { addressFrom, presentAddress } from '../../zones/ip.ts';

export type Endpoint = {
  /** Canonical text; a link-local IPv6 address keeps its zone identifier (RFC 4007 section 11). */
  readonly address: string;
  readonly port: number;
  readonly family: 4 | 6;
  /** `192.0.2.1:53`, `[2001:db8::1]:53`: in logs and as the label `to` of metrics. */
  readonly label: string;
};

/** The well-known port, RFC 1035 section 4.2. */
const DNS_PORT = 53;

/** The endpoint of `IP`, `IP:PORT` or `[IPv6]:PORT`; undefined if the text is none of these. */
export function endpointFrom(text: string): Endpoint | undefined {
  const [, bracketed, bare, digits] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::([0-9]{1,5}))?$/.exec(text) ?? [
    undefined,
    undefined,
    text,
  ];
  const [host = '', zone] = (bracketed ?? bare ?? '').split('%');
  const octets = addressFrom(host);
  const port = Number(digits ?? DNS_PORT);
  if (octets === undefined || (zone !== undefined && octets.length === 4) || port === 0 || port > 65_535)
    return undefined;
  const address = presentAddress(octets) + (zone === undefined ? '' : `%${zone}`);
  const family = octets.length === 4 ? 4 : 6;
  return { address, port, family, label: `${family === 6 ? `[${address}]` : address}:${port}` };
}
