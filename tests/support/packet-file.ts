/**
 * The text of a packet file: octets to send and what must come of them. For messages that no ordinary client sends.
 *
 *     ; RFC 9619: one question                        a comment
 *     cluster   fixtures/clusters/example
 *     corefile  fixtures/corefiles/golden-default.corefile
 *
 *     packet    two questions                         a case and its name; udp or tcp in front limits it to one
 *     send      0001 0100 0002 0000 0000 0000         hex, `3"web"` for a label, `00*100` for repeated octets
 *     expect    FORMERR rd                            the rcode and the header bits, then opcode=N and sections=QD,AN,NS,AR;
 *                                                     or `silence`
 */

import type { Protocol } from '../../server/query.ts';

export type PacketFile = { readonly cluster: string; readonly corefile: string; readonly cases: readonly PacketCase[] };

export type PacketCase = {
  readonly title: string;
  readonly protocols: readonly Protocol[];
  readonly octets: Buffer;
  /** As written; `presentHeader` writes the same of a reply. */
  readonly expected: string;
};

/** @throws Error with the line that cannot be read */
export function parsePackets(text: string, path: string): PacketFile {
  const head = new Map<string, string>();
  const cases: { readonly title: string; readonly send: string[]; expected: string }[] = [];
  text.split('\n').forEach((line, index) => {
    const [word = '', ...words] = line.trim().split(/\s+/);
    const rest = words.join(' ');
    const open = cases.at(-1);
    if (word === '' || word.startsWith(';')) return;
    if (word === 'packet') cases.push({ title: rest, send: [], expected: '' });
    else if (open === undefined) head.set(word, rest);
    else if (word === 'send') open.send.push(rest);
    else if (word === 'expect') open.expected = rest;
    else throw new Error(`${path}:${index + 1}: "${word}" is not expected here`);
  });
  return {
    cluster: head.get('cluster') ?? '',
    corefile: head.get('corefile') ?? '',
    cases: cases.map(({ title, send, expected }) => {
      if (expected === '') throw new Error(`${path}: "${title}" expects nothing`);
      const only = /^(udp|tcp) /.exec(title)?.[1];
      return {
        title,
        protocols: only === undefined ? ['udp', 'tcp'] : [only === 'udp' ? 'udp' : 'tcp'],
        octets: Buffer.concat(send.flatMap((line) => line.split(' ')).map((token) => octetsOf(token, path))),
        expected,
      };
    }),
  };
}

function octetsOf(token: string, path: string): Buffer {
  const repeated = /^([0-9a-f]+)\*([0-9]+)$/i.exec(token);
  if (repeated !== null) return Buffer.from((repeated[1] ?? '').repeat(Number(repeated[2])), 'hex');
  if (token.includes('"')) return Buffer.concat([...token.matchAll(/([0-9]+)"([^"]*)"/g)].map(labelOf));
  if (!/^([0-9a-f]{2})+$/i.test(token)) throw new Error(`${path}: "${token}" is not octets`);
  return Buffer.from(token, 'hex');
}

function labelOf([, length, text = '']: RegExpMatchArray): Buffer {
  return Buffer.concat([Buffer.from([Number(length)]), Buffer.from(text, 'latin1')]);
}
