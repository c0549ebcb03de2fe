/**
 * The world outside the clusters: a pure function that the model is given and that the upstream answers from. Knows nothing
 * of sockets or of what is inside.
 */

import type { Seconds } from '../../zones/units.ts';
import type { ModelQuestion, ModelReply } from '../support/model/world.ts';

/** Names that something can be found out about, for ExternalNames and questions. All else does not exist. */
export const OUTSIDE_NAMES: readonly string[] = [
  'www.example.org',
  'dual.example.org',
  'alias.example.org',
  'far.example.org',
  'lost.example.org',
  'gone.example.org',
  'big.example.org',
  'refused.example.org',
  'fail.example.org',
  'edge.example.net',
  'example.org',
];

/** Further names that exist out there, although a cluster's zone may hold them: for `fallthrough`. */
export const SHADOWED_NAMES: readonly string[] = [
  'extra.default.svc.cluster.local',
  'printer.cluster.local',
  '9.0.0.10.in-addr.arpa',
];

/** Names that search completion leads to, or past: found in one family or both, odd in other types, failing, silent, leading back. */
export const SEARCHED_NAMES: readonly string[] = [
  ...OUTSIDE_NAMES,
  'v6.example.org',
  'mail.example.org',
  'spread.example.org',
  'zero.example.org',
  'half.example.org',
  'half6.example.org',
  'torn.example.org',
  'typed.example.org',
  'silent.example.org',
  'silent6.example.org',
  'cut.example.org',
  'cut6.example.org',
  'round.example.org',
  'dangling.example.org',
  'api.example.com',
  'web.com',
  'web.dev',
  'db.app',
  'www.corp.internal',
  'corp.internal',
  'printer.lan',
  'anything.wild.example.com',
  'www.example.net',
  'x.down.example.com',
];

/** What the nodes' own search lists may hold. */
export const NODE_DOMAINS: readonly string[] = [
  'wild.example.com.',
  'node.example.net.',
  'down.example.com.',
  'corp.internal.',
  'lan.',
  'clusterset.local.',
  'cluster.local.',
  'svc.cluster.local.',
  'x.cluster.local.',
  'local.',
  '.',
];

/** Last labels of public names, of all that anybody asks for here (IANA's root zone). */
export const PUBLIC_TLDS: readonly string[] = ['arpa', 'app', 'com', 'dev', 'net', 'org', 'prod', 'shop'];

/** Owner, TTL, type, rdata. Lower case. */
type Data = readonly [owner: string, ttl: number, type: string, rdata: string];

const DATA: readonly Data[] = [
  ['www.example.org.', 300, 'A', '192.0.2.80'],
  ['dual.example.org.', 60, 'A', '192.0.2.81'],
  ['dual.example.org.', 60, 'A', '192.0.2.82'],
  ['dual.example.org.', 90, 'AAAA', '2001:db8::81'],
  ['dual.example.org.', 0, 'TXT', '"two  families"'],
  ['alias.example.org.', 7, 'CNAME', 'dual.example.org.'],
  ['far.example.org.', 8, 'CNAME', 'edge.example.net.'],
  ['edge.example.net.', 9, 'A', '198.51.100.1'],
  ['lost.example.org.', 10, 'CNAME', 'gone.example.org.'],
  ...Array.from({ length: 120 }, (_, i): Data => ['big.example.org.', 30, 'A', `198.51.100.${i}`]),
  ['v6.example.org.', 20, 'AAAA', '2001:db8::6'],
  ['mail.example.org.', 40, 'A', '192.0.2.25'],
  ['mail.example.org.', 41, 'MX', '10 mail.example.org.'],
  ['mail.example.org.', 3, 'HTTPS', '\\# 3 000100'],
  // The two families end at different times.
  ['spread.example.org.', 30, 'A', '192.0.2.26'],
  ['spread.example.org.', 7, 'AAAA', '2001:db8::26'],
  ['zero.example.org.', 0, 'A', '192.0.2.27'],
  ['zero.example.org.', 0, 'AAAA', '2001:db8::27'],
  ['half.example.org.', 50, 'A', '192.0.2.28'],
  ['half6.example.org.', 50, 'AAAA', '2001:db8::28'],
  ['torn.example.org.', 50, 'A', '192.0.2.29'],
  ['typed.example.org.', 50, 'A', '192.0.2.30'],
  ['silent6.example.org.', 50, 'A', '192.0.2.31'],
  ['cut.example.org.', 50, 'A', '192.0.2.32'],
  ['cut6.example.org.', 50, 'A', '192.0.2.41'],
  ['round.example.org.', 6, 'CNAME', 'round.example.org.default.svc.cluster.local.'],
  ['round.example.org.default.svc.cluster.local.', 6, 'A', '192.0.2.33'],
  ['dangling.example.org.', 6, 'CNAME', 'dangling.example.org.default.svc.cluster.local.'],
  ['api.example.com.', 15, 'A', '192.0.2.34'],
  ['api.example.com.', 25, 'AAAA', '2001:db8::34'],
  ['api.example.com.node.example.net.', 18, 'A', '192.0.2.35'],
  ['web.com.', 16, 'A', '192.0.2.36'],
  ['web.dev.', 17, 'AAAA', '2001:db8::36'],
  ['db.app.', 17, 'A', '192.0.2.37'],
  ['www.corp.internal.', 19, 'A', '192.0.2.38'],
  ['web.corp.internal.', 19, 'A', '192.0.2.39'],
  ['printer.lan.', 21, 'A', '192.0.2.40'],
  // What is found outside, once more below domains that namespaces are called like: there, without an address, in one family.
  ['www.example.net.', 22, 'A', '192.0.2.42'],
  ['www.example.net.', 23, 'AAAA', '2001:db8::42'],
  ['api.example.com.prod.', 22, 'A', '192.0.2.43'],
  ['api.example.com.dev.', 22, 'TXT', '"no  address"'],
  ['www.example.net.prod.', 22, 'AAAA', '2001:db8::43'],
  ['mail.example.org.com.', 22, 'A', '192.0.2.44'],
  ['www.example.net.dev.', 22, 'A', '192.0.2.45'],
  // Below a domain that the cluster's own may be below.
  ['www.example.net.local.', 24, 'AAAA', '2001:db8::46'],
  ['api.example.com.local.', 24, 'A', '192.0.2.46'],
  ['extra.default.svc.cluster.local.', 11, 'A', '192.0.2.90'],
  ['printer.cluster.local.', 12, 'AAAA', '2001:db8::90'],
  ['9.0.0.10.in-addr.arpa.', 13, 'PTR', 'printer.example.org.'],
];
/** Wildcards: what every name below such a domain has. */
const WILD: readonly Data[] = [
  ['wild.example.com.', 14, 'A', '203.0.113.99'],
  ['example.org.local.', 14, 'A', '203.0.113.98'],
  ['example.org.shop.', 14, 'TXT', '"no  address"'],
  ['example.org.node.example.net.', 18, 'TXT', '"no  address"'],
];
const OWNERS: ReadonlySet<string> = new Set([...DATA, ...WILD].map(([owner]) => owner));
/** Of a name, or of one type there. */
const FAILURES: ReadonlyMap<string, string> = new Map([
  ['refused.example.org.', 'REFUSED'],
  ['fail.example.org.', 'SERVFAIL'],
  ['half.example.org. AAAA', 'SERVFAIL'],
  ['half6.example.org. A', 'REFUSED'],
  ['torn.example.org. AAAA', 'NXDOMAIN'],
  ['typed.example.org. HTTPS', 'SERVFAIL'],
  ['typed.example.org. MX', 'NXDOMAIN'],
  ['www.example.net.dev. AAAA', 'NXDOMAIN'],
  ['dual.example.org.app.', 'SERVFAIL'],
  ['web.com.prod.', 'SILENCE'],
  ['silent.example.org.', 'SILENCE'],
  ['silent6.example.org. AAAA', 'SILENCE'],
]);
const SOA = '. 60 IN SOA a.root-servers.example. admin.example.net. 7 1 2 3 60';
const NONE: ReadonlySet<string> = new Set();

/** An answer is authoritative for example.org only, so that the AA bit of a forwarded reply is seen to be the upstream's. */
export function outside({ labels, type }: ModelQuestion): ModelReply {
  const isPlain = labels.every((label) => /^[A-Za-z0-9_-]+$/.test(label));
  const spelled = isPlain ? `${labels.join('.')}.` : '\\';
  const name = spelled.toLowerCase();
  const authoritative = name.endsWith('.example.org.');
  const failure = failureOf(name, type);
  if (failure !== undefined) {
    return { rcode: failure, authoritative: false, answer: NONE, authority: NONE, additional: NONE };
  }
  const answer = new Set<string>();
  let owner = name;
  for (;;) {
    const found = dataOf(owner).filter(([, , kind]) => kind === type || kind === 'CNAME');
    for (const [each, ttl, kind, rdata] of found) {
      answer.add(`${each === name ? spelled : each} ${ttl} IN ${kind} ${rdata}`);
    }
    const [first] = found;
    if (first === undefined || first[2] === type) break;
    owner = first[3];
  }
  const rcode = exists(owner) ? 'NOERROR' : 'NXDOMAIN';
  const isAnswered = [...answer].some((line) => line.split(' ')[3] === type);
  const isTruncated = name === 'cut.example.org.' || (name === 'cut6.example.org.' && type === 'AAAA');
  const authority = isAnswered ? NONE : new Set([SOA]);
  return { rcode, isTruncated, authoritative, answer, authority, additional: NONE };
}

/** Does somebody say nothing at such a name, or less than there is, or that something is wrong, or that it is there for some types only? */
export function isTroubled({ labels, type }: ModelQuestion): boolean {
  const replies = [type, 'A', 'AAAA'].map((each) => outside({ labels, type: each }));
  const isCut = replies.some(({ isTruncated }) => isTruncated);
  const rcodes = new Set(replies.map(({ rcode }) => rcode));
  return isCut || rcodes.size > 1 || !(rcodes.has('NOERROR') || rcodes.has('NXDOMAIN'));
}

/** The same when it has just been cached: one TTL for all records. AA is as a cache has it (CoreDNS plugin/cache). */
export function cached(reply: ModelReply, ttlMax: Seconds): ModelReply {
  const { answer, authority } = reply;
  const ttls = [...answer, ...authority].map((line) => Number(line.split(' ')[1]));
  const ttl = Math.min(ttlMax, Math.max(CACHED_MIN, Math.min(...ttls)));
  const withTtl = (lines: ReadonlySet<string>): ReadonlySet<string> =>
    new Set([...lines].map((line) => line.replace(/ \d+ /, ` ${ttl} `)));
  return { ...authoritatively(reply), answer: withTtl(answer), authority: withTtl(authority) };
}

/** As it must be said so that a reply from a cache is like the first one. */
export function authoritatively(reply: ModelReply): ModelReply {
  return { ...reply, authoritative: true };
}

/** CoreDNS plugin/cache. */
const CACHED_MIN: Seconds = 5;

function failureOf(name: string, type: string): string | undefined {
  if (name.endsWith('.down.example.com.')) return 'SERVFAIL';
  return FAILURES.get(name) ?? FAILURES.get(`${name} ${type}`);
}

function dataOf(name: string): readonly Data[] {
  const own = DATA.filter(([owner]) => owner === name);
  const wild = wildOf(name);
  return own.length > 0 || wild === undefined ? own : [[name, wild[1], wild[2], wild[3]]];
}

function wildOf(name: string): Data | undefined {
  return WILD.find(([domain]) => name.endsWith(`.${domain}`));
}

function exists(name: string): boolean {
  if (name === '.' || wildOf(name) !== undefined) return true;
  for (const owner of OWNERS) if (owner === name || owner.endsWith(`.${name}`)) return true;
  return false;
}
