/** Lists of top-level domains, as IANA writes them and as people do. */

import test from 'ava';

import { TldListError, tldListDateFrom, tldsFrom } from '../../../server/completion/tld-list.ts';

const LONGEST = 'a'.repeat(63);

const LISTS: readonly (readonly [string, readonly string[]])[] = [
  ['', []],
  ['# Version 2026112000, Last Updated Fri Nov 20 07:07:01 2026 UTC\nAAA\nXN--P1AI\nZW\n', ['aaa', 'xn--p1ai', 'zw']],
  ['com\nCom\nCOM', ['com']],
  ['com\r\n\r\n  org \t\r\n', ['com', 'org']],
  ['com # the first\n#net\n # org\n', ['com']],
  ['b\na', ['b', 'a']],
  [LONGEST, [LONGEST]],
  ['__proto__'.replaceAll('_', 'x'), ['xxprotoxx']],
];

for (const [text, tlds] of LISTS) {
  test(`read: ${JSON.stringify(text)}`, (t) => t.deepEqual([...tldsFrom(text)], tlds));
}

const FAULTS: readonly (readonly [string, number, RegExp])[] = [
  ['com\nco.uk\n', 2, /^line 2: found "co\.uk", expected a TLD: /],
  ['com.\n', 1, /found "com\."/],
  ['.com\n', 1, /found "\.com"/],
  ['# names\n\ncom org\n', 3, /found "com org"/],
  ['com,org\n', 1, /found "com,org"/],
  ['-a\n', 1, /found "-a"/],
  ['a_b\n', 1, /found "a_b"/],
  ['рф\n', 1, /found "рф"/],
  [`${LONGEST}a\n`, 1, /found "aaa.*…"/],
  ['com\n\0\u001B[2J\n', 2, /^line 2: found "\\u0000\\u001b\[2j"/],
  ['<!DOCTYPE html>\n', 1, /found "<!doctype html>"/],
];

for (const [text, line, message] of FAULTS) {
  test(`refused: ${JSON.stringify(text)}`, (t) => {
    const error = t.throws(() => tldsFrom(text), { instanceOf: TldListError, message });
    t.is(error.line, line);
    t.true(error.message.length < 300);
  });
}

test('10,000 TLDs are read and no more, however often each is said', (t) => {
  const lines = Array.from({ length: 10_001 }, (_, i) => `t${i}`);
  t.is(tldsFrom(lines.slice(0, 10_000).join('\n')).size, 10_000);
  t.is(tldsFrom(`${lines.slice(0, 10_000).join('\n')}\n${lines.slice(0, 10_000).join('\n')}`).size, 10_000);
  t.throws(() => tldsFrom(lines.join('\n')), { instanceOf: TldListError, message: /^line 10001: at most 10000 TLDs/ });
});

const DATES: readonly (readonly [string, string | undefined])[] = [
  ['# Version 2026112000, Last Updated Fri Nov 20 07:07:01 2026 UTC\n', '2026-11-20'],
  ['# Version 2026010199, Last Updated Thu\nAAA\n', '2026-01-01'],
  ['', undefined],
  ['AAA\n# Version 2026112000, Last Updated Fri\n', undefined],
  ['# Version 20261120, Last Updated Fri\n', undefined],
  ['# Version 20261120000, Last Updated Fri\n', undefined],
  ['# Version 2026112000\n', undefined],
  [' # Version 2026112000, Last Updated Fri\n', undefined],
];

for (const [text, date] of DATES) {
  test(`date: ${JSON.stringify(text)}`, (t) => t.is(tldListDateFrom(text), date));
}
