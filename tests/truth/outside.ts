/**
 * The world outside the clusters: a pure function that the model is given and that the upstream answers from. Knows nothing
 * of sockets or of what is inside.
 */

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
  ['extra.default.svc.cluster.local.', 11, 'A', '192.0.2.90'],
  ['printer.cluster.local.', 12, 'AAAA', '2001:db8::90'],
  ['9.0.0.10.in-addr.arpa.', 13, 'PTR', 'printer.example.org.'],
];
const OWNERS: ReadonlySet<string> = new Set(DATA.map(([owner]) => owner));
const FAILURES: ReadonlyMap<string, string> = new Map([
  ['refused.example.org.', 'REFUSED'],
  ['fail.example.org.', 'SERVFAIL'],
]);
const SOA = '. 60 IN SOA a.root-servers.example. admin.example.net. 7 1 2 3 60';
const NONE: ReadonlySet<string> = new Set();

/** An answer is authoritative for example.org only, so that the AA bit of a forwarded reply is seen to be the upstream's. */
export function outside({ labels, type }: ModelQuestion): ModelReply {
  const isPlain = labels.every((label) => /^[A-Za-z0-9_-]+$/.test(label));
  const spelled = isPlain ? `${labels.join('.')}.` : '\\';
  const name = spelled.toLowerCase();
  const authoritative = name.endsWith('.example.org.');
  const failure = FAILURES.get(name);
  if (failure !== undefined) {
    return { rcode: failure, authoritative: false, answer: NONE, authority: NONE, additional: NONE };
  }
  const answer = new Set<string>();
  let owner = name;
  for (;;) {
    const found = DATA.filter(([each, , kind]) => each === owner && (kind === type || kind === 'CNAME'));
    for (const [each, ttl, kind, rdata] of found) {
      answer.add(`${each === name ? spelled : each} ${ttl} IN ${kind} ${rdata}`);
    }
    const [first] = found;
    if (first === undefined || first[2] === type) break;
    owner = first[3];
  }
  const rcode = exists(owner) ? 'NOERROR' : 'NXDOMAIN';
  const isAnswered = [...answer].some((line) => line.split(' ')[3] === type);
  return { rcode, authoritative, answer, authority: isAnswered ? NONE : new Set([SOA]), additional: NONE };
}

function exists(name: string): boolean {
  if (name === '.') return true;
  for (const owner of OWNERS) if (owner === name || owner.endsWith(`.${name}`)) return true;
  return false;
}
