/** The list that is built in: names of the public root, and none that is used inside. */

import test from 'ava';

import { PUBLIC_TLDS, PUBLIC_TLDS_DATE } from '../../../server/completion/public-tlds.ts';

test('the list has the public root, in lower case and ASCII, and its date', (t) => {
  t.true(PUBLIC_TLDS.size > 1400 && PUBLIC_TLDS.size < 3000, `${PUBLIC_TLDS.size}`);
  for (const tld of [
    'com',
    'org',
    'net',
    'arpa',
    'io',
    'dev',
    'uk',
    'de',
    'cn',
    'aws',
    'zip',
    'xn--p1ai',
    'xn--fiqs8s',
  ])
    t.true(PUBLIC_TLDS.has(tld), tld);
  for (const tld of PUBLIC_TLDS) t.regex(tld, /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
  t.regex(PUBLIC_TLDS_DATE, /^20[2-9]\d-[01]\d-[0-3]\d$/);
});

test('names that are kept out of the public root are not in the list (RFC 6761, 6762, 7686, 8375, 9476; ICANN: internal)', (t) => {
  const inside =
    'test example invalid localhost local onion alt internal home corp mail lan intranet private svc cluster default';
  for (const tld of ['', ...inside.split(' ')]) t.false(PUBLIC_TLDS.has(tld), tld);
});
