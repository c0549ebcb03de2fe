/** The `kubernetes` plugin over a cluster made by hand, asked in text and answering in text. Knows no particular cluster. */

import test from 'ava';

import type { Handler } from '../../server/pipeline.ts';
import { kubernetesAt } from '../../server/plugins/kubernetes.ts';
import { emptyReply, type Query, type Reply } from '../../server/query.ts';
import { addressFrom } from '../../zones/ip.ts';
import { KINDS, type ClusterObject, type Kind } from '../../zones/kubernetes/objects.ts';
import { ClusterStore } from '../../zones/kubernetes/store/store.ts';
import { nameRdata, soaRdata } from '../../zones/rdata.ts';
import { nameFrom } from '../../zones/name.ts';
import { Rcode, rcodeName, RRType, type RRset } from '../../zones/rr.ts';
import { optionsFrom } from './directive.ts';
import { EXAMPLE_OBJECTS, listed, OWN_ADDRESS, puts } from './example-cluster.ts';
import { testContext, testQuery } from './plugin-context.ts';
import { presentSets } from './present-sets.ts';

/** When the tests' clusters were made, in seconds since 1970. */
export const TEST_TIME = 1_700_000_000;

/** What a client would see, in lines of presentation format. */
export type Seen = {
  /** `NOERROR aa` */
  readonly reply: string;
  readonly answer: readonly string[];
  readonly authority: readonly string[];
  readonly additional: readonly string[];
};

export type Options = {
  /** Lines in the braces of the directive. */
  readonly body?: string;
  readonly zones?: string;
  readonly store?: ClusterStore;
  /** Whom names outside the cluster are asked of; it is the server as a whole. */
  readonly resolve?: Handler;
  readonly next?: Handler;
  readonly localAddresses?: readonly string[];
};

/** A cluster with these objects, of which only some kinds may have been received whole. */
export function storeOf(objects: readonly ClusterObject[], kinds: readonly Kind[] = KINDS): ClusterStore {
  const store = new ClusterStore(() => TEST_TIME);
  store.apply(puts(...objects));
  store.apply(listed(objects, kinds));
  return store;
}

/** The plugin's handler. What it passes on is answered REFUSED by nobody's plugin, unless `next` says otherwise. */
export function handlerFor(options: Options = {}): Handler {
  const store = options.store ?? storeOf(EXAMPLE_OBJECTS);
  const locals = (options.localAddresses ?? [OWN_ADDRESS]).map((text) => addressFrom(text));
  const plugin = kubernetesAt(() => locals.filter((address) => address !== undefined));
  const zones = options.zones ?? 'cluster.local in-addr.arpa ip6.arpa';
  const parsed = optionsFrom(plugin, `kubernetes ${zones} {\n${options.body ?? ''}\n}`);
  const { context } = testContext({
    cluster: () => store,
    resolve: options.resolve ?? (() => emptyReply(Rcode.REFUSED)),
  });
  const layer = plugin.layer?.(parsed, context);
  if (layer === undefined) throw new Error('kubernetes has a layer');
  return layer(options.next ?? (() => PASSED_ON));
}

/** The mark of a query that came out at the other end. */
export const PASSED_ON: Reply = { ...emptyReply(Rcode.REFUSED), fault: 'passed on' };

export async function ask(handler: Handler, name: string, type: string, changes: Partial<Query> = {}): Promise<Seen> {
  return seen(await handler(testQuery(name, type, changes)));
}

export function seen(reply: Reply): Seen {
  return {
    reply: `${rcodeName(reply.rcode)}${reply.authoritative ? ' aa' : ''}`,
    answer: presentSets(reply.answer),
    authority: presentSets(reply.authority),
    additional: presentSets(reply.additional),
  };
}

/** A question with the only right answer to it. */
export type Row = Options & {
  /** What is asked, and why the answer is what it is. */
  readonly title: string;
  /** Names with blanks between them, in which `Z` stands for `svc.cluster.local.` */
  readonly ask: string;
  /** Types with blanks between them; A unless said otherwise. */
  readonly types?: string;
  /** NOERROR unless said otherwise. */
  readonly rcode?: string;
  readonly answer?: readonly string[];
  readonly additional?: readonly string[];
  /** Owner of the SOA record in an answer without records; the zone's own in the case of the question unless said otherwise. */
  readonly zone?: string;
  /** Of that record, with its MINIMUM. */
  readonly denial?: { readonly ttl: number; readonly minimum: number };
};

/** One test for each name and type. */
export function testRows(rows: readonly Row[]): void {
  for (const row of rows) {
    for (const name of row.ask.split(' ')) {
      for (const type of (row.types ?? 'A').split(' ')) {
        test(`${row.title}: ${name} ${type}`, async (t) => {
          t.deepEqual(
            await ask(handlerFor({ resolve: exampleUpstream, ...row }), written(name), type),
            wanted(row, name),
          );
        });
      }
    }
  }
}

/** `Z` written out. */
export function written(text: string): string {
  return text.replace(/\bZ(?= |$)/g, 'svc.cluster.local.');
}

function wanted(row: Row, name: string): Seen {
  const { rcode = 'NOERROR', answer = [], additional = [], denial = { ttl: 5, minimum: 5 } } = row;
  const asked = written(name);
  const apex = row.zone ?? asked.slice(-'cluster.local.'.length);
  const soa = `${apex} ${denial.ttl} IN SOA ns.dns.${apex} hostmaster.${apex} SERIAL 7200 1800 86400 ${denial.minimum}`;
  return {
    reply: `${rcode} aa`,
    answer: answer.map(written),
    authority: answer.length === 0 ? [soa] : [],
    additional: additional.map(written),
  };
}

/** An upstream that knows www.example.org (192.0.2.34) and that nothing else exists below example.org. */
export function exampleUpstream({ question }: Query): Reply {
  const { name, spelling, type } = question;
  const soa: RRset = {
    owner: nameFrom('example.org'),
    type: RRType.SOA,
    ttl: 60,
    rdatas: [soaRdata({ ...TIMERS, mname: nameFrom('ns1.example.org'), rname: nameFrom('admin.example.org') })],
  };
  const reply: Reply = { ...emptyReply(Rcode.NOERROR, 'forward'), recursionAvailable: true };
  if (name !== WWW) return { ...reply, rcode: Rcode.NXDOMAIN, authority: [soa] };
  if (type !== RRType.A) return { ...reply, authority: [soa] };
  const edge = nameFrom('edge.example.net');
  return {
    ...reply,
    answer: [
      { owner: spelling, type: RRType.CNAME, ttl: 300, rdatas: [nameRdata(edge)] },
      { owner: edge, type: RRType.A, ttl: 300, rdatas: [Uint8Array.of(192, 0, 2, 34)] },
    ],
  };
}

const WWW = nameFrom('www.example.org');
const TIMERS = { serial: 7, refresh: 1, retry: 1, expire: 1, minimum: 60 };
