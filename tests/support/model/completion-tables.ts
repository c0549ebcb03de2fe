/** Tables of questions that are completed or not: the world that they are asked in, and how a row is checked. Knows no rule. */

import type { ExecutionContext } from 'ava';

import { rawNamespace } from '../raw-objects.ts';
import { completedReply, type Completed } from './completion.ts';
import { aliasService, exampleWorld } from './example-world.ts';
import type { ModelCompletion, ModelOptions, ModelQuestion, ModelReply, World } from './world.ts';

export const DIRECTIVE: ModelCompletion = {
  zones: ['.'],
  searches: 'cluster',
  nodeDomains: [],
  except: [],
  suffixes: [],
  tlds: new Set(['com', 'org', 'dev']),
  ttl: 5,
};

/** Names asked, with `P` for `prod.svc.cluster.local.`; types; what comes of it; what was found and the rest of the answer, none for NODATA. */
export type Row = readonly [names: string, types: string, outcome: Completed['outcome'], answer?: readonly string[]];

export const FOUND: readonly string[] = ['5 CNAME www.example.com.', 'www.example.com. 300 A 192.0.2.1'];

export function world(
  directive: Partial<ModelCompletion> = {},
  options: Partial<ModelOptions> = {},
  more: World['objects'] = [],
): World {
  const aliases = [aliasService('prod/cut', 'cut.example.com')];
  const example = exampleWorld(options, [...aliases, ...more]);
  return { ...example, completion: { ...DIRECTIVE, ...directive }, outside };
}

export function annotated(name: string, value: string): World['objects'][number] {
  const namespace = rawNamespace(name);
  return {
    ...namespace,
    metadata: { ...namespace.metadata, annotations: { 'fivedots.dev/search-completion': value } },
  };
}

export function check(t: ExecutionContext, asked: World, rows: readonly Row[]): void {
  for (const [names, types, outcome, answer = []] of rows) {
    for (const name of names.split(' ')) {
      for (const type of types.split(' ')) {
        const { reply, outcome: actual } = ask(asked, name, type);
        t.is(actual, outcome, `${name} ${type}`);
        const [alias = '', ...others] = answer;
        const lines = answer.length === 0 ? [] : [`${expand(name)} ${alias}`, ...others];
        const expected = lines.map((each) => each.replace(/^(\S+ \d+)/, '$1 IN'));
        if (outcome !== 'plain') t.deepEqual([...reply.answer], expected, `${name} ${type}`);
        if (outcome !== 'plain') t.is(reply.rcode, outcome === 'completed' ? 'NOERROR' : 'NXDOMAIN', `${name} ${type}`);
      }
    }
  }
}

export function ask(asked: World, name: string, type: string): Completed {
  return completedReply(asked, { labels: expand(name).slice(0, -1).split('.'), type });
}

function expand(name: string): string {
  return name.replace(/(^|\.)P$/, '$1prod.svc.cluster.local.');
}

const SOA = 'example.com. 60 IN SOA ns.example.com. hostmaster.example.com. 1 2 3 4 60';

/** Lines of those that exist; what else is said, with `T` for the type. */
const RECORDS: readonly string[] = [
  'www.example.com. 300 IN A 192.0.2.1',
  'www.example.com. 3 IN HTTPS 1 .',
  'brief.example.com. 2 IN A 192.0.2.2',
  'brief.example.com. 2 IN AAAA 2001:db8::2',
  'six.example.com. 4 IN AAAA 2001:db8::6',
  'up.example.com.local. 60 IN A 192.0.2.5',
  'www.example.com.dev. 60 IN A 192.0.2.4',
  'bare.example.com.dev. 60 IN TXT "nothing else"',
  'alias.example.com.dev. 60 IN A 192.0.2.4',
  'www.example.org. 300 IN A 192.0.2.9',
  'www.corp.internal. 60 IN A 192.0.2.7',
  'cut.example.com. 60 IN A 192.0.2.3',
  'half.example.com. 60 IN A 192.0.2.3',
  'torn.example.com. 60 IN A 192.0.2.3',
  'bare.example.com. 60 IN TXT "nothing else"',
];
const RCODES: ReadonlyMap<string, string> = new Map([
  ['servfail.example.com. A', 'SERVFAIL'],
  ['refused.example.com. AAAA', 'REFUSED'],
  ['half.example.com. AAAA', 'SERVFAIL'],
  ['torn.example.com. AAAA', 'NXDOMAIN'],
  ['silent.example.com. AAAA', 'SILENCE'],
  ['brief.example.com.dev. A', 'SERVFAIL'],
  ['alias.example.com.dev. AAAA', 'NXDOMAIN'],
  ['six.example.com.dev. A', 'SILENCE'],
  ['www.example.com. MX', 'REFUSED'],
]);

function outside({ labels, type }: ModelQuestion): ModelReply {
  const name = `${labels.join('.')}.`;
  const lines = linesOf(name, type);
  const exists =
    lines.length > 0 || RECORDS.some((each) => each.startsWith(`${name} `)) || RCODES.has(`${name} A`) || isWild(name);
  const rcode = RCODES.get(`${name} ${type}`) ?? (exists ? 'NOERROR' : 'NXDOMAIN');
  return {
    rcode,
    isTruncated: name.startsWith('cut.'),
    authoritative: false,
    answer: new Set(rcode === 'NOERROR' ? lines : []),
    authority: new Set(lines.length > 0 || rcode !== 'NOERROR' ? [] : [SOA]),
    additional: new Set(),
  };
}

function isWild(name: string): boolean {
  return name.endsWith('.wild.example.com.');
}

function linesOf(name: string, type: string): readonly string[] {
  if (isWild(name)) return type === 'A' ? [`${name} 60 IN A 192.0.2.8`] : [];
  if (name === 'alias.example.com.')
    return [`${name} 7 IN CNAME brief.example.com.`, ...linesOf('brief.example.com.', type)];
  if (name === 'round.example.com.') {
    const back = 'round.example.com.prod.svc.cluster.local.';
    return [`${name} 7 IN CNAME ${back}`, ...(type === 'A' ? [`${back} 7 IN A 192.0.2.6`] : [])];
  }
  return RECORDS.filter((each) => each.startsWith(`${name} `) && each.split(' ')[3] === type);
}
