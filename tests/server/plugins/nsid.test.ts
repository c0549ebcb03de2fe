import { hostname } from 'node:os';

import test from 'ava';

import { IDENTIFIER_MAX, nsid } from '../../../server/plugins/nsid.ts';
import { emptyReply, servfail, type Query, type Reply } from '../../../server/query.ts';
import { Rcode } from '../../../zones/rr.ts';
import { faultOf, optionsFrom } from '../../support/directive.ts';
import { testContext, testQuery } from '../../support/plugin-context.ts';

function ask(text: string, edns: Query['edns'], below: Reply | Promise<Reply>): Reply | Promise<Reply> | undefined {
  const layer = nsid.layer?.(optionsFrom(nsid, text), testContext().context);
  return layer?.(() => below)(testQuery('www.example.org', 'A', { edns }));
}

const EDNS = { payloadSize: 1232, dnssecOk: false };
const BELOW = emptyReply(Rcode.NXDOMAIN, 'below');

// RFC 5001 section 2.1: never to a client that did not ask.
for (const { name, edns } of [
  { name: 'without an OPT record', edns: undefined },
  { name: 'without the option', edns: { ...EDNS, wantsNsid: false } },
]) {
  test(`a client ${name} is not told who answers`, (t) => t.is(ask('nsid here', edns, BELOW), BELOW));
}

for (const { text, told } of [
  { text: 'nsid ns1', told: 'ns1' },
  { text: 'nsid "two  words" and   more', told: 'two  words and more' },
  { text: 'nsid grün', told: 'grün' },
  { text: 'nsid', told: hostname() },
]) {
  for (const [when, below] of [
    ['now', BELOW],
    ['later', Promise.resolve(servfail('below', 'late'))],
  ] as const) {
    test(`${text}: a client that asks is told ${JSON.stringify(told)}, with a reply that is there ${when}`, async (t) => {
      t.deepEqual(await ask(text, { ...EDNS, wantsNsid: true }, below), {
        ...(await below),
        options: [{ code: 3, data: Buffer.from(told) }],
      });
    });
  }
}

for (const { text, fault } of [
  { text: `nsid ${'x'.repeat(IDENTIFIER_MAX)}`, fault: undefined },
  {
    text: `nsid ${'é'.repeat(IDENTIFIER_MAX / 2)}x`,
    fault: `Corefile:2:6: found "${'é'.repeat(60)}…", expected at most 128 octets`,
  },
  { text: 'nsid a {\n  b\n}', fault: 'Corefile:3:3: found "b", expected no options: "nsid" has none' },
  {
    text: 'nsid a\nnsid b',
    fault:
      'Corefile:3:1: found a second "nsid", but this plugin can only be used once per server block; the first is on line 2',
  },
]) {
  test(`nsid: ${JSON.stringify(text).slice(0, 40)} is ${fault === undefined ? 'taken' : 'refused'}`, (t) => {
    t.is(faultOf(nsid, text), fault);
  });
}
