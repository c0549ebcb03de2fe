import test from 'ava';

import { whoami } from '../../../server/plugins/whoami.ts';
import type { Query, Reply } from '../../../server/query.ts';
import { addressFrom } from '../../../zones/ip.ts';
import { labelCount, NAME_MAX, nameFrom, present, ROOT, spellingFrom } from '../../../zones/name.ts';
import { srvRdata } from '../../../zones/rdata.ts';
import { RRType } from '../../../zones/rr.ts';
import { faultOf, optionsFrom } from '../../support/directive.ts';
import { TEST_PEER, testContext, testQuery } from '../../support/plugin-context.ts';

function ask(query: Query): Reply {
  const layer = whoami.layer?.(optionsFrom(whoami, 'whoami'), testContext().context);
  const reply = layer?.(() => {
    throw new Error('whoami asked the next plugin');
  })(query);
  if (reply === undefined || reply instanceof Promise) throw new Error('whoami has its reply at once');
  return reply;
}

const LONGEST = [63, 63, 63, 61].map((length) => 'x'.repeat(length)).join('.');

// CoreDNS plugin/whoami: everything is in the additional section, the answer is empty.
for (const { protocol, address, family, type } of [
  { protocol: 'udp', address: '192.0.2.7', family: 4, type: 'A' },
  { protocol: 'tcp', address: '192.0.2.7', family: 4, type: 'AAAA' },
  { protocol: 'udp', address: '2001:db8::7', family: 6, type: 'A' },
  { protocol: 'tcp', address: '2001:db8::7', family: 6, type: 'ANY' },
] as const) {
  test(`a ${type} query over ${protocol} from ${address} is told that address and the port`, (t) => {
    const reply = ask(testQuery('Who.Example.org', type, { peer: { ...TEST_PEER, protocol, address, family } }));
    t.is(reply.rcode, 0);
    t.true(reply.authoritative);
    t.true(reply.fresh);
    t.is(reply.plugin, 'whoami');
    t.deepEqual([reply.answer, reply.authority], [[], []]);
    t.deepEqual(reply.additional, [
      {
        owner: spellingFrom('Who.Example.org'),
        type: family === 4 ? RRType.A : RRType.AAAA,
        ttl: 0,
        rdatas: [addressFrom(address) ?? new Uint8Array()],
      },
      {
        owner: spellingFrom(`_${protocol}.Who.Example.org`),
        type: RRType.SRV,
        ttl: 0,
        rdatas: [srvRdata(0, 0, 40000, ROOT)],
      },
    ]);
  });
}

test('the root is asked about: the SRV record stands directly below it', (t) => {
  t.deepEqual(
    ask(testQuery('.')).additional.map(({ owner }) => present(owner)),
    ['.', '_udp.'],
  );
});

for (const { cut, count } of [
  { cut: 0, count: 1 },
  { cut: 4, count: 1 },
  { cut: 5, count: 2 },
]) {
  test(`a name of ${NAME_MAX - cut} octets gets ${count} additional records: _udp takes 5 octets`, (t) => {
    const name = LONGEST.slice(cut);
    t.is(nameFrom(name).length, NAME_MAX - cut);
    t.is(labelCount(nameFrom(name)), 4);
    t.is(ask(testQuery(name)).additional.length, count);
  });
}

for (const { text, fault } of [
  { text: 'whoami', fault: undefined },
  { text: 'whoami\nwhoami', fault: undefined },
  { text: 'whoami {\n}', fault: undefined },
  {
    text: 'whoami me',
    fault: 'Corefile:2:8: found "me", expected the end of the line: whoami (it takes no arguments)',
  },
  { text: 'whoami {\n  port\n}', fault: 'Corefile:3:3: found "port", expected no options: "whoami" has none' },
]) {
  test(`whoami: ${JSON.stringify(text)} is ${fault === undefined ? 'taken' : 'refused'}`, (t) => {
    t.is(faultOf(whoami, text), fault);
  });
}
