/**
 * The format of a query's log line, compiled once into pieces. Knows the placeholders, not which queries are logged nor
 * where a line goes.
 */

import { present } from '../../zones/name.ts';
import { className, rcodeName, typeName } from '../../zones/rr.ts';
import type { Bytes, Milliseconds } from '../../zones/units.ts';
import type { Exchange } from '../pipeline.ts';
import type { QueryEdns } from '../query.ts';

/** What `{common}` stands for, and what is used where the Corefile gives no format (CoreDNS plugin/log). */
export const COMMON_FORMAT =
  '{remote}:{port} - {>id} "{type} {class} {name} {proto} {size} {>do} {>bufsize}" {rcode} {>rflags} {rsize} {duration}';

/** Writes the line of one exchange. */
export type LineWriter = (exchange: Exchange) => string;

/** Has an exchange's metadata by name. */
type MetadataReader = (label: string, exchange: Exchange) => string | undefined;

/** Text that is no placeholder stays as it is, unknown words in braces too, as in CoreDNS. */
export function compileFormat(format: string, readMetadata: MetadataReader): LineWriter {
  const whole = format.replaceAll('{combined}', COMBINED_FORMAT).replaceAll('{common}', COMMON_FORMAT);
  const pieces: LineWriter[] = [];
  let text = '';
  for (const part of whole.split(/(\{[^{}]*\})/)) {
    const label = metadataLabelOf(part);
    const placeholder = label === undefined ? PLACEHOLDERS.get(part) : metadataWriter(label, readMetadata);
    if (placeholder === undefined) {
      text += part;
      continue;
    }
    pieces.push(literal(text), placeholder);
    text = '';
  }
  pieces.push(literal(text));
  return (exchange) => {
    let line = '';
    for (const piece of pieces) line += piece(exchange);
    return line;
  };
}

/** The names of the metadata that a format asks for. */
export function metadataLabels(format: string): readonly string[] {
  return format.split(/(\{[^{}]*\})/).flatMap((part) => metadataLabelOf(part) ?? []);
}

const COMBINED_FORMAT = `${COMMON_FORMAT} "{>opcode}"`;

/** Whatever a client can choose comes out of `present`, a table or a number: nothing of it can end a line. */
const PLACEHOLDERS: ReadonlyMap<string, LineWriter> = new Map<string, LineWriter>([
  ['{type}', ({ query }) => typeName(query.question.type)],
  ['{name}', ({ query }) => present(query.question.name)],
  ['{class}', ({ query }) => className(query.question.class)],
  ['{proto}', ({ query }) => query.peer.protocol],
  ['{size}', ({ query }) => String(query.size)],
  ['{remote}', ({ query }) => bracketed(query.peer.address)],
  ['{port}', ({ query }) => String(query.peer.port)],
  ['{local}', ({ query }) => bracketed(query.peer.localAddress)],
  ['{rcode}', ({ reply }) => rcodeName(reply.rcode)],
  ['{rsize}', ({ size }) => String(size)],
  ['{duration}', ({ duration }) => seconds(duration)],
  ['{>id}', ({ query }) => String(query.id)],
  ['{>opcode}', () => '0'], // QUERY: other opcodes are refused before any plugin
  ['{>do}', ({ query }) => String(query.edns?.dnssecOk ?? false)],
  ['{>bufsize}', ({ query }) => String(query.peer.protocol === 'tcp' ? TCP_MAX : payloadSize(query.edns))],
  ['{>rflags}', flags],
]);

/** Largest message over TCP: its length field has 16 bits. RFC 1035 section 4.2.2. */
const TCP_MAX: Bytes = 65_535;
/** Largest message over UDP without EDNS. RFC 1035 section 4.2.1. */
const UDP_MAX: Bytes = 512;

/** What the client says it can take; smaller values count as 512 (RFC 6891 section 6.2.3). */
function payloadSize(edns: QueryEdns | undefined): Bytes {
  return Math.max(UDP_MAX, edns?.payloadSize ?? UDP_MAX);
}

/** `kubernetes/namespace` of `{/kubernetes/namespace}`; undefined if it is another placeholder, or none. */
function metadataLabelOf(part: string): string | undefined {
  return part.startsWith('{/') ? part.slice(2, -1) : undefined;
}

/** Nothing to say is a dash, so that a line always has the same columns. */
function metadataWriter(label: string, read: MetadataReader): LineWriter {
  return (exchange) => {
    const value = read(label, exchange);
    return value === undefined || value === '' ? '-' : value;
  };
}

function literal(text: string): LineWriter {
  return () => text;
}

/** IPv6 in brackets, so that a port can follow (RFC 3986 section 3.2.2). */
function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** `0.000123456s`: nanoseconds without trailing zeros, as CoreDNS prints it. */
function seconds(duration: Milliseconds): string {
  return `${(duration / 1000).toFixed(9).replace(/\.?0+$/, '')}s`;
}

/** The header bits of the reply that are set, in the order of the header (RFC 1035 section 4.1.1, RFC 4035 section 3). */
function flags({ query, reply, truncated }: Exchange): string {
  let text = 'qr';
  if (reply.authoritative) text += ',aa';
  if (truncated) text += ',tc';
  if (query.recursionDesired) text += ',rd';
  if (reply.recursionAvailable) text += ',ra';
  if (reply.authenticData) text += ',ad';
  if (query.checkingDisabled) text += ',cd';
  return text;
}
