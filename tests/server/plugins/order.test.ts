import test from 'ava';

import type { Token } from '../../../server/corefile/block.ts';
import { PLUGIN_ORDER, pluginOf, plugins } from '../../../server/plugins/order.ts';
import { messageOf } from '../../support/corefile.ts';

function word(text: string): Token {
  return { text, position: { file: 'Corefile', line: 2, column: 3 } };
}

const IMPLEMENTED =
  'any autopath bind cache errors forward health kubernetes loadbalance local log loop metadata multisocket nsid prometheus ready reload transfer whoami'.split(
    ' ',
  );

test('every implemented plugin has a place in the order and is found by its word', (t) => {
  t.deepEqual([...plugins.keys()].toSorted(), IMPLEMENTED);
  for (const name of IMPLEMENTED) {
    t.true(PLUGIN_ORDER.includes(name), name);
    t.is(pluginOf(word(name)).name, name);
  }
});

// CoreDNS plugin.cfg; what is in front sees what those behind it reply.
for (const [front, behind] of [
  ['nsid', 'prometheus'],
  ['prometheus', 'errors'],
  ['errors', 'log'],
  ['log', 'local'],
  ['local', 'any'],
  ['any', 'cache'],
  ['log', 'loadbalance'],
  ['loadbalance', 'cache'],
  ['rewrite', 'cache'],
  ['acl', 'cache'],
  ['cache', 'kubernetes'],
  ['hosts', 'kubernetes'],
  ['kubernetes', 'loop'],
  ['loop', 'forward'],
  ['forward', 'whoami'],
] as const) {
  test(`${front} stands in front of ${behind}`, (t) => {
    t.true(PLUGIN_ORDER.indexOf(front) !== -1 && PLUGIN_ORDER.indexOf(front) < PLUGIN_ORDER.indexOf(behind));
  });
}

test('each word of the order stands there once', (t) => t.is(new Set(PLUGIN_ORDER).size, PLUGIN_ORDER.length));

for (const [text, message] of [
  [
    'kubernets',
    /^Corefile:2:3: found "kubernets", which is not a plugin; did you mean "kubernetes"\?; known are: kubernetes, /,
  ],
  ['rewrit', /^Corefile:2:3: found "rewrit", which is not a plugin; did you mean "rewrite"\?; known are: /],
  ['proxy', /^Corefile:2:3: found "proxy", which is not a plugin; known are: /],
  ['', /^Corefile:2:3: found "", which is not a plugin; known are: /],
  ['__proto__', /^Corefile:2:3: found "__proto__", which is not a plugin; known are: /],
  [
    'rewrite',
    /^Corefile:2:3: found "rewrite", a plugin of CoreDNS that fivedots does not implement yet; implemented are: /,
  ],
  [
    'example.org:53',
    /^Corefile:2:3: found "example.org:53", which is not a plugin; if this is the zone of a server block, close the block before it with "}"/,
  ],
] as const) {
  test(`the word ${JSON.stringify(text)} is refused with what is known`, (t) => {
    const refusal = messageOf(() => pluginOf(word(text))) ?? '';
    t.regex(refusal, message);
    for (const name of IMPLEMENTED) t.true(refusal.includes(name), name);
  });
}
