import test from 'ava';

import type { Query, Reply } from '../../../server/query.ts';
import type { Transfer } from '../../../server/pipeline.ts';
import { transfer } from '../../../server/plugins/transfer.ts';
import { transferableZones } from '../../../server/plugins/transferable-zones.ts';
import { nameFrom, present } from '../../../zones/name.ts';
import { rcodeName, RRType, type RRset } from '../../../zones/rr.ts';
import { faultOf, optionsFrom } from '../../support/directive.ts';
import { TEST_PEER, testContext, testQuery } from '../../support/plugin-context.ts';

for (const { text, fault } of [
  { text: 'transfer {\n to *\n}', fault: undefined },
  { text: 'transfer {\n to 192.0.2.1 2001:db8::1\n to 192.0.2.2\n}', fault: undefined },
  { text: 'transfer cluster.local 10.0.0.0/8 {\n to 192.0.2.1:5353 [2001:db8::1]:5353\n}', fault: undefined },
  { text: 'transfer {\n to 192.0.2.0/24 2001:db8::/32\n}', fault: undefined },
  { text: 'transfer a.example {\n to 192.0.2.1\n}\ntransfer b.example {\n to *\n}', fault: undefined },
  {
    text: 'transfer',
    fault:
      'Corefile:2:1: transfer needs to know who may have the zones: write transfer { to ADDRESS… }, or transfer { to * }',
  },
  {
    text: 'transfer {\n}',
    fault:
      'Corefile:2:1: transfer needs to know who may have the zones: write transfer { to ADDRESS… }, or transfer { to * }',
  },
  { text: 'transfer {\n to\n}', fault: 'Corefile:3:2: found the end of the line after "to", expected: to ADDRESS…' },
  {
    text: 'transfer {\n to ns1.example.org\n}',
    fault:
      'Corefile:3:5: found "ns1.example.org", expected an address such as 192.0.2.1, a network such as 192.0.2.0/24, or * for everybody',
  },
  {
    text: 'transfer {\n to 192.0.2.1 192.0.2.0/33\n}',
    fault: 'Corefile:3:15: found "192.0.2.0/33", expected a network with its mask, such as 10.0.0.0/8 or 2001:db8::/32',
  },
  {
    text: 'transfer {\n to *\n source 192.0.2.1\n}',
    fault:
      'Corefile:4:2: found "source", an option of CoreDNS for the NOTIFY messages that fivedots does not send; remove it',
  },
  {
    text: 'transfer {\n too *\n}',
    fault: 'Corefile:3:2: found "too", which is not an option of transfer, expected to; did you mean "to"?',
  },
  {
    text: 'transfer cluster.local. a..b {\n to *\n}',
    fault: 'Corefile:2:25: found "a..b", which is not a domain name: it has an empty label',
  },
]) {
  test(`${JSON.stringify(text)} is ${fault === undefined ? 'taken' : 'refused'}`, (t) => {
    t.is(faultOf(transfer, text), fault);
  });
}

const SERIAL = 1000;
const RULES = `transfer {
  to 192.0.2.7 2001:db8:1::/48
}
transfer svc.cluster.local private.example {
  to 198.51.100.1
}`;

/** The answer in words: rcode, AA, extended error; then `whole zone` or the types in the answer. */
function asked(changes: {
  name?: string;
  type?: string;
  from?: string;
  over?: 'udp' | 'tcp';
  serial?: number;
}): string {
  const { name = 'cluster.local', type = 'AXFR', from = '192.0.2.7', over = 'tcp', serial } = changes;
  const peer = { ...TEST_PEER, address: from, protocol: over };
  const { reply, rrsets } = transferring().transferOf(testQuery(name, type, { peer, serial }));
  const words = [rcodeName(reply.rcode), ...(reply.authoritative ? ['aa'] : [])];
  if (reply.extendedError !== undefined) words.push(`ede=${reply.extendedError.code}`);
  if (rrsets !== undefined)
    words.push(`all of ${[...rrsets].map((set) => present(set?.owner ?? nameFrom('turn'))).join()}`);
  if (reply.answer.length > 0) words.push(`soa of ${reply.answer.map(({ owner }) => present(owner)).join()}`);
  return words.join(' ');
}

for (const { title, ask, reply } of [
  { title: 'AXFR of a zone', ask: {}, reply: 'NOERROR aa all of cluster.local.' },
  {
    title: 'AXFR of a zone in other letters',
    ask: { name: 'Cluster.LOCAL' },
    reply: 'NOERROR aa all of cluster.local.',
  },
  { title: 'AXFR of another zone', ask: { name: '10.in-addr.arpa' }, reply: 'NOERROR aa all of 10.in-addr.arpa.' },
  { title: 'from a network that may', ask: { from: '2001:db8:1::53' }, reply: 'NOERROR aa all of cluster.local.' },
  { title: 'from elsewhere', ask: { from: '192.0.2.8' }, reply: 'REFUSED ede=18' },
  { title: 'from a network beside it', ask: { from: '2001:db8:2::53' }, reply: 'REFUSED ede=18' },
  {
    title: 'a name inside a zone (RFC 5936 section 2.2.1)',
    ask: { name: 'pod.cluster.local' },
    reply: 'NOTAUTH ede=20',
  },
  { title: 'a name above a zone', ask: { name: 'in-addr.arpa' }, reply: 'NOTAUTH ede=20' },
  { title: 'a name that no zone has', ask: { name: 'example.org' }, reply: 'NOTAUTH ede=20' },
  {
    title: 'the rule with the longest zone decides, as it is not known to whom else',
    ask: { name: 'a.svc.cluster.local' },
    reply: 'REFUSED ede=18',
  },
  {
    title: 'the rule with the longest zone decides, whoever may have the others',
    ask: { name: 'private.example', from: '198.51.100.1' },
    reply: 'NOERROR aa all of private.example.',
  },
  { title: 'a zone that is not known in full', ask: { name: 'unsynced.example' }, reply: 'SERVFAIL ede=14' },
  { title: 'AXFR over UDP (RFC 5936 section 4.2)', ask: { over: 'udp' as const }, reply: 'REFUSED ede=21' },
  { title: 'IXFR without a serial', ask: { type: 'IXFR' }, reply: 'FORMERR ede=0' },
  {
    title: 'IXFR from the same serial',
    ask: { type: 'IXFR', serial: SERIAL },
    reply: 'NOERROR aa soa of cluster.local.',
  },
  {
    title: 'IXFR from an older serial',
    ask: { type: 'IXFR', serial: SERIAL - 1 },
    reply: 'NOERROR aa all of cluster.local.',
  },
  {
    title: 'IXFR from a newer serial',
    ask: { type: 'IXFR', serial: SERIAL + 1 },
    reply: 'NOERROR aa soa of cluster.local.',
  },
  {
    title: 'IXFR from a serial that is older, for serials go round (RFC 1982 section 3.2)',
    ask: { type: 'IXFR', serial: 0xffff_ffff },
    reply: 'NOERROR aa all of cluster.local.',
  },
  {
    title: 'IXFR from a serial that is neither older nor newer',
    ask: { type: 'IXFR', serial: SERIAL + 2 ** 31 },
    reply: 'NOERROR aa all of cluster.local.',
  },
  {
    title: 'IXFR over UDP: the SOA, so that the client comes over TCP (RFC 1995 section 2)',
    ask: { type: 'IXFR', serial: 1, over: 'udp' as const },
    reply: 'NOERROR aa soa of cluster.local.',
  },
  {
    title: 'IXFR over UDP from elsewhere',
    ask: { type: 'IXFR', serial: 1, over: 'udp' as const, from: '192.0.2.8' },
    reply: 'REFUSED ede=18',
  },
]) {
  test(`${title}: ${reply}`, (t) => {
    t.is(asked(ask), reply);
  });
}

test('a zone outside those of the directive is refused like one without it', (t) => {
  const { transferOf } = transferring('transfer 10.in-addr.arpa {\n to *\n}');
  const { reply, rrsets } = transferOf(tcpQuery('cluster.local'));
  t.is(shown(reply), 'REFUSED 21');
  t.is(rrsets, undefined);
});

test('a link-local client is known by its address, whichever interface it is on', (t) => {
  const { transferOf } = transferring('transfer {\n to fe80::1\n}');
  const peer = { ...TEST_PEER, address: 'fe80::1%eth0', protocol: 'tcp' } as const;
  t.not(transferOf(testQuery('cluster.local', 'AXFR', { peer })).rrsets, undefined);
});

test('* is every address of both families', (t) => {
  const { transferOf } = transferring('transfer {\n to *\n}');
  for (const address of ['192.0.2.1', '2001:db8::1', 'fe80::1%eth0']) {
    const peer = { ...TEST_PEER, address, protocol: 'tcp' } as const;
    t.not(transferOf(testQuery('cluster.local', 'AXFR', { peer })).rrsets, undefined);
  }
});

test('a block without a zone to transfer is told so in the log, and answers NOTAUTH', (t) => {
  const { context, lines, start } = testContext();
  const transferOf = transfer.transfers?.(optionsFrom(transfer, 'transfer {\n to *\n}'), context);
  start();
  t.deepEqual(lines, [
    'warning plugin/transfer Corefile:1: there is no zone to transfer in this block; add kubernetes to it',
  ]);
  t.is(shown(transferOf?.(tcpQuery('cluster.local')).reply), 'NOTAUTH 20');
});

function tcpQuery(name: string): Query {
  return testQuery(name, 'AXFR', { peer: { ...TEST_PEER, protocol: 'tcp' } });
}

function shown(reply: Reply | undefined): string {
  return `${rcodeName(reply?.rcode ?? 0)} ${reply?.extendedError?.code}`;
}

/** The plugin in a block with four zones, of which one is not complete. Each zone is one RRset. */
function transferring(text = RULES): { readonly transferOf: (query: Query) => Transfer } {
  const { context } = testContext();
  const transferOf = transfer.transfers?.(optionsFrom(transfer, text), context);
  if (transferOf === undefined) throw new Error('transfer has transfers');
  const zones = transferableZones(context.shared);
  for (const apex of ['cluster.local', '10.in-addr.arpa', 'private.example', 'unsynced.example'].map(nameFrom)) {
    const soa: RRset = { owner: apex, type: RRType.SOA, ttl: 5, rdatas: [] };
    zones.set(apex, {
      isComplete: () => apex !== nameFrom('unsynced.example'),
      serial: () => SERIAL,
      soa: () => [soa],
      records: () => [soa],
    });
  }
  return { transferOf };
}
