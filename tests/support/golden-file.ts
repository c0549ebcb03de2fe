/**
 * The text of a golden answer file: which server is asked what, and what it says. Knows the format, not how to ask.
 *
 *     ; Kubernetes DNS spec 2.3.2: SRV for a named port          a comment, kept
 *     cluster   fixtures/clusters/example                        manifests
 *     corefile  fixtures/corefiles/golden-default.corefile
 *     address   10.244.0.10/32                                   of the machine, only in answers/in-namespace
 *
 *     ask         web.prod.svc.cluster.local. IN A               norec, cd, ad, z, do, edns=SIZE, version=N, reserved=N,
 *     reply       NOERROR aa rd                                  option=CODE:HEX, udp or tcp (otherwise both) may follow
 *     answer      web.prod.svc.cluster.local. 5 IN A 10.96.1.1   a line for each record, in any order
 *     edns        version=0 size=1232
 *
 * In an expected address record `LOCAL` stands for every address of that family of this machine's interfaces, loopback and
 * link-local ones excepted. `SERIAL` stands for the serial of a cluster zone, which depends on when the cluster changed.
 */

import { networkInterfaces } from 'node:os';
import { isDeepStrictEqual } from 'node:util';

import type { Protocol } from '../../server/query.ts';
import { RRClass } from '../../zones/rr.ts';
import type { PresentedReply } from './present.ts';
import { typeOf, type Asked, type AskedEdns } from './query.ts';

export type GoldenFile = {
  /** Paths from the project's root. */
  readonly cluster: string;
  readonly corefile: string;
  /** An address that the server's machine must have, with its prefix length. */
  readonly address: string | undefined;
  readonly cases: readonly GoldenCase[];
};

export type GoldenCase = {
  /** What stands behind `ask`, for the test's name. */
  readonly title: string;
  readonly asked: Asked;
  readonly protocols: readonly Protocol[];
  readonly expected: PresentedReply;
};

/** @throws Error with the line that cannot be read */
export function parseGolden(text: string, path: string): GoldenFile {
  const head = new Map<string, string>();
  const cases: CaseLines[] = [];
  text.split('\n').forEach((line, index) => {
    const { word, rest } = wordsOf(line);
    const open = cases.at(-1);
    if (word === '' || word.startsWith(';')) return;
    if (word === 'ask') cases.push({ ask: rest, lines: [] });
    else if (open === undefined && HEAD_WORDS.includes(word)) head.set(word, rest);
    else if (open !== undefined && REPLY_WORDS.includes(word)) open.lines.push({ word, rest });
    else throw new Error(`${path}:${index + 1}: "${word}" is not expected here`);
  });
  const cluster = head.get('cluster');
  const corefile = head.get('corefile');
  if (cluster === undefined || corefile === undefined) throw new Error(`${path}: name a cluster and a corefile first`);
  return { cluster, corefile, address: head.get('address'), cases: cases.map((lines) => caseFrom(lines, path)) };
}

/** The file with the expectation of each case that is not met replaced by what was replied, everything else as it was. */
export function rewriteGolden(text: string, path: string, replies: readonly PresentedReply[]): string {
  const { cases } = parseGolden(text, path);
  let asked = -1;
  let isMet = true;
  const lines = text.split('\n').flatMap((line) => {
    const { word } = wordsOf(line);
    if (word !== 'ask') return isMet || !REPLY_WORDS.includes(word) ? [line] : [];
    asked++;
    const reply = replies[asked];
    const golden = cases[asked];
    if (reply === undefined || golden === undefined) throw new Error(`${path}: no reply for "${line}"`);
    isMet = isDeepStrictEqual(reply, expandLocal(golden.expected));
    return isMet ? [line] : [line, ...renderReply(reply)];
  });
  return lines.join('\n');
}

/** The expectation lines of a reply. */
function renderReply(reply: PresentedReply): string[] {
  return [
    padded('reply', reply.reply.slice('reply '.length)),
    ...SECTIONS.flatMap((section) => collapseLocal(reply[section]).map((record) => padded(section, record))),
    ...(reply.edns === undefined ? [] : [padded('edns', reply.edns.slice('edns '.length))]),
  ];
}

/** The expectation with this machine's addresses in place of `LOCAL`. */
export function expandLocal(expected: PresentedReply): PresentedReply {
  const expand = (records: readonly string[]): string[] =>
    records
      .flatMap((record) =>
        record.endsWith(' LOCAL')
          ? localAddresses(familyOf(record)).map((address) => record.replace(/LOCAL$/, address))
          : [record],
      )
      .toSorted();
  return {
    ...expected,
    answer: expand(expected.answer),
    authority: expand(expected.authority),
    additional: expand(expected.additional),
  };
}

/** Does the case speak of addresses of a family that this machine has none of? */
export function lacksLocal(expected: PresentedReply): boolean {
  return SECTIONS.some(
    (section) =>
      expected[section].some((record) => record.endsWith(' LOCAL')) && expandLocal(expected)[section].length === 0,
  );
}

type CaseLines = { readonly ask: string; readonly lines: { readonly word: string; readonly rest: string }[] };

const HEAD_WORDS = ['cluster', 'corefile', 'address'];
const SECTIONS = ['answer', 'authority', 'additional'] as const;
const REPLY_WORDS: readonly string[] = ['reply', ...SECTIONS, 'edns'];

/** One space between words, so that columns may be aligned. */
function wordsOf(line: string): { readonly word: string; readonly rest: string } {
  const [word = '', ...rest] = line.trim().split(/\s+/);
  return { word, rest: rest.join(' ') };
}

function caseFrom({ ask, lines }: CaseLines, path: string): GoldenCase {
  const [name, className, type, ...options] = ask.split(' ');
  if (name === undefined || className === undefined || type === undefined) {
    throw new Error(`${path}: "ask ${ask}" needs a name, a class and a type`);
  }
  const unknown = options.find((option) => !isOption(option));
  if (unknown !== undefined) throw new Error(`${path}: "${unknown}" is not an option of ask`);
  const of = (word: string): string[] => lines.filter((line) => line.word === word).map((line) => line.rest);
  const edns = of('edns')[0];
  const reply = of('reply')[0];
  if (reply === undefined) throw new Error(`${path}: "ask ${ask}" has no reply line`);
  return {
    title: ask,
    asked: {
      name,
      class: classOf(className),
      type: typeOf(type),
      recursionDesired: !options.includes('norec'),
      checkingDisabled: options.includes('cd'),
      authenticData: options.includes('ad'),
      reserved: options.includes('z'),
      edns: ednsFrom(options),
    },
    protocols: PROTOCOLS.filter((protocol) => !options.some((option) => option !== protocol && isProtocol(option))),
    expected: {
      reply: `reply ${reply}`,
      answer: of('answer').toSorted(),
      authority: of('authority').toSorted(),
      additional: of('additional').toSorted(),
      edns: edns === undefined ? undefined : `edns ${edns}`,
    },
  };
}

function isOption(word: string): boolean {
  const plain = ['norec', 'cd', 'ad', 'z', 'do', 'udp', 'tcp'];
  return plain.includes(word) || /^(?:(?:edns|version|reserved)=[0-9]+|option=[0-9]+:[0-9a-f]*)$/.test(word);
}

const PROTOCOLS: readonly Protocol[] = ['udp', 'tcp'];

function isProtocol(word: string): boolean {
  return word === 'udp' || word === 'tcp';
}

function classOf(text: string): number {
  const known = new Map<string, number>(Object.entries(RRClass)).get(text);
  const value = known ?? Number(/^CLASS([0-9]+)$/.exec(text)?.[1]);
  if (!Number.isInteger(value)) throw new Error(`"${text}" is not a class`);
  return value;
}

function ednsFrom(options: readonly string[]): AskedEdns | undefined {
  const valueOf = (key: string): string | undefined =>
    options.find((option) => option.startsWith(`${key}=`))?.slice(key.length + 1);
  const payloadSize = valueOf('edns');
  if (payloadSize === undefined) return undefined;
  return {
    payloadSize: Number(payloadSize),
    version: Number(valueOf('version') ?? 0),
    dnssecOk: options.includes('do'),
    reserved: Number(valueOf('reserved') ?? 0),
    options: options
      .filter((option) => option.startsWith('option='))
      .map((option) => {
        const [code, hex = ''] = option.slice('option='.length).split(':');
        return { code: Number(code), data: Buffer.from(hex, 'hex') };
      }),
  };
}

function collapseLocal(records: readonly string[]): string[] {
  const masked = records.map((record) => {
    const address = record.split(' ').at(-1) ?? '';
    const isLocal = /^ns\.dns\./i.test(record) && localAddresses(familyOf(record)).includes(address);
    return isLocal ? record.replace(address, 'LOCAL') : record;
  });
  return [...new Set(masked)];
}

function familyOf(record: string): 'IPv4' | 'IPv6' {
  return record.includes(' AAAA ') ? 'IPv6' : 'IPv4';
}

function localAddresses(family: 'IPv4' | 'IPv6'): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family: its, address }) => !internal && its === family && !/^fe[89ab]/i.test(address))
    .map((address) => address.address);
}

function padded(word: string, rest: string): string {
  return `${word.padEnd(11)} ${rest}`;
}
