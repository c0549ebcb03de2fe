import test from 'ava';

import { any } from '../../../server/plugins/any.ts';
import type { Query, Reply } from '../../../server/query.ts';
import { emptyReply } from '../../../server/query.ts';
import { spellingFrom } from '../../../zones/name.ts';
import { Rcode, RRType } from '../../../zones/rr.ts';
import { faultOf, optionsFrom } from '../../support/directive.ts';
import { testContext, testQuery } from '../../support/plugin-context.ts';

const BELOW = emptyReply(Rcode.NXDOMAIN, 'below');

function ask(query: Query): Reply | Promise<Reply> | undefined {
  return any.layer?.(optionsFrom(any, 'any'), testContext().context)(() => BELOW)(query);
}

// RFC 8482 section 4.2; the words and AA=0 are those of CoreDNS plugin/any.
test('a query for ANY gets one HINFO record, whether the name exists or not, with its letters as sent', (t) => {
  t.deepEqual(ask(testQuery('Www.Example.org', 'ANY')), {
    ...emptyReply(Rcode.NOERROR, 'any'),
    answer: [
      {
        owner: spellingFrom('Www.Example.org'),
        type: RRType.HINFO,
        ttl: 8482,
        rdatas: [Buffer.from('\x0dANY obsoleted\x0cSee RFC 8482')].map((octets) => Uint8Array.from(octets)),
      },
    ],
  });
});

for (const type of ['A', 'HINFO', 'TYPE254', 'TYPE256']) {
  test(`a query for ${type} is left to others`, (t) => t.is(ask(testQuery('www.example.org', type)), BELOW));
}

for (const { text, fault } of [
  { text: 'any', fault: undefined },
  { text: 'any\nany', fault: undefined },
  {
    text: 'any HINFO',
    fault: 'Corefile:2:5: found "HINFO", expected the end of the line: any (it takes no arguments)',
  },
  { text: 'any {\n  ttl 5\n}', fault: 'Corefile:3:3: found "ttl", expected no options: "any" has none' },
]) {
  test(`any: ${JSON.stringify(text)} is ${fault === undefined ? 'taken' : 'refused'}`, (t) => {
    t.is(faultOf(any, text), fault);
  });
}
