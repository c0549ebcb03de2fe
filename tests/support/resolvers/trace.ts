/** Recorded look-ups of real resolvers, as fixtures/resolver-traces has them. Knows no resolver. */

import type { AddressType, Outcome, Question, Rcode, ResolvConf, Said } from './resolver.ts';

/** One name, looked up by each client with the same resolv.conf. */
export type Trace = {
  readonly name: string;
  readonly conf: ResolvConf;
  readonly clients: ReadonlyMap<string, Recorded>;
  /** What was said to a question, whoever asked it. */
  readonly said: (question: Question) => Said | undefined;
};

export type Recorded = {
  readonly outcome: string;
  /** One line for each question, as `presentQuestion` writes it. */
  readonly asked: readonly string[];
};

/** `KEYWORD VALUE` lines, then for each client `CLIENT: OUTCOME` with a line `TYPE NAME PROTOCOL SERVER REPLY` for each question. */
export function traceFrom(text: string): Trace {
  const head = (keyword: string): string => new RegExp(`^${keyword} (.*)$`, 'm').exec(text)?.[1] ?? '';
  const options = head('options').split(' ');
  const ndots = options.find((word) => word.startsWith('ndots:'))?.slice('ndots:'.length);
  const replies = new Map<string, string>();
  const clients = new Map<string, Recorded>();
  for (const paragraph of text.split('\n\n').slice(1)) {
    const [title = '', ...lines] = paragraph.trimEnd().split('\n');
    const [client = '', outcome = ''] = title.split(': ');
    const asked = lines.map((line) => {
      const [type = '', name = '', protocol = '', server = '', reply = ''] = line.trim().split(' ');
      const question = `${type} ${name} ${protocol} ${server}`;
      replies.set(question, reply);
      return question;
    });
    clients.set(client, { outcome, asked });
  }
  return {
    name: head('name'),
    conf: {
      search: head('search').split(' '),
      ndots: Number(ndots),
      servers: Number(head('servers')),
      options: new Set(options),
    },
    clients,
    said(question) {
      const reply = replies.get(presentQuestion(question));
      if (reply === undefined) throw new Error(`nobody asked for ${presentQuestion(question)}`);
      return saidFrom(reply, question);
    },
  };
}

export function presentQuestion({ type, name, protocol, server }: Question): string {
  return `${type} ${name} ${protocol} ${server}`;
}

export function presentOutcome(outcome: Outcome): string {
  return 'error' in outcome ? `error ${outcome.error}` : [...outcome.addresses].toSorted().join(' ');
}

const ADDRESS: Readonly<Record<AddressType, string>> = { A: '192.0.2.10', AAAA: '2001:db8::1' };

function saidFrom(reply: string, { name, type }: Question): Said | undefined {
  if (reply === 'DROP') return undefined;
  const isGood = reply === 'NOERROR' || reply === 'NODATA' || reply === 'TC';
  return {
    rcode: isGood ? 'NOERROR' : (reply as Rcode), // what the file has is checked by what the resolvers make of it
    truncated: reply === 'TC',
    isReferral: false,
    answer: reply === 'NOERROR' ? [{ owner: name, type, rdata: ADDRESS[type] }] : [],
  };
}
