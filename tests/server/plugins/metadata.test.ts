/** Which names there is metadata for, and that nothing is worked out before somebody asks. */

import test from 'ava';

import { metadata, Metadata, metadataOf } from '../../../server/plugins/metadata.ts';
import { present } from '../../../zones/name.ts';
import { faultOf, optionsFrom } from '../../support/directive.ts';
import { testContext, testExchange, testQuery } from '../../support/plugin-context.ts';

for (const { text, zones } of [
  { text: 'metadata', zones: ['.'] },
  { text: 'metadata cluster.local example.ORG', zones: ['cluster.local.', 'example.org.'] },
  { text: 'metadata 10.96.0.0/15', zones: ['96.10.in-addr.arpa.', '97.10.in-addr.arpa.'] },
]) {
  test(`${text}: for ${zones.join(' ')}`, (t) => {
    t.deepEqual(optionsFrom(metadata, text).map(present), zones);
  });
}

for (const { text, fault } of [
  { text: 'metadata\nmetadata', fault: /^Corefile:3:1: found a second "metadata"/ },
  { text: 'metadata {\n  cluster.local\n}', fault: /^Corefile:3:3: .*no options: "metadata" has none/ },
  { text: 'metadata a..b', fault: /^Corefile:2:10: found "a\.\.b", which is not a domain name/ },
]) {
  test(`${JSON.stringify(text)} is refused`, (t) => {
    t.regex(faultOf(metadata, text) ?? 'taken', fault);
  });
}

test('a query passes through unchanged, and no value is made for it', async (t) => {
  const { context } = testContext();
  const handler = metadata.layer?.(optionsFrom(metadata, 'metadata'), context);
  metadataOf(context.shared).publish('a/b', () => t.fail('made without being asked for'));
  const next = (): never => t.fail('nobody asks');
  t.is(handler?.(next), next);
});

test('values are there for names in the zones only, and only where metadata is', (t) => {
  const { context } = testContext();
  const values = metadataOf(context.shared);
  t.is(metadataOf(context.shared), values, 'one for the block');
  values.publish('a/b', ({ query }) => present(query.question.name));
  const value = (name: string): string | undefined => values.value('a/b', testExchange(testQuery(name)));
  t.is(value('www.example.org'), undefined);
  metadata.layer?.(optionsFrom(metadata, 'metadata example.org'), context);
  t.is(value('WWW.Example.org'), 'www.example.org.');
  t.is(value('example.org'), 'example.org.');
  t.is(value('example.net'), undefined);
  t.is(value('badexample.org'), undefined);
});

test('names that are properties of objects are names like others', (t) => {
  const values = new Metadata();
  values.collect(optionsFrom(metadata, 'metadata'));
  for (const label of ['constructor', '__proto__', 'toString', '']) {
    t.false(values.has(label));
    t.is(values.value(label, testExchange(testQuery('.'))), undefined);
  }
});
