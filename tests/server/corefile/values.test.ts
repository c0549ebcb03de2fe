import test from 'ava';

import type { Directive, Line } from '../../../server/corefile/block.ts';
import {
  addressOf,
  argumentsOf,
  choiceFrom,
  durationFrom,
  fallthroughFrom,
  integerFrom,
  listenAddress,
  noArguments,
  noBody,
  onlyArgument,
  onlyDirective,
  optionsOf,
  unknownOption,
  zoneListFrom,
  zonesOrBlock,
} from '../../../server/corefile/values.ts';
import { presentAddress } from '../../../zones/ip.ts';
import { present } from '../../../zones/name.ts';
import { blockFrom } from '../../support/directive.ts';
import { messageOf } from '../../support/corefile.ts';

/** A directive as the parser reads it, in a block for `Example.org` and a network; it stands on line 2. */
function directive(text: string): Directive {
  const [only] = blockFrom(`Example.org 10.0.0.0/15 {\n${text}\n}\n`).directives;
  if (only === undefined) throw new Error(`"${text}" is no directive`);
  return only;
}

const GOOD: readonly (readonly [what: string, text: string, read: (line: Line) => unknown, value: unknown])[] = [
  ['milliseconds', 'x 300ms', ({ args }) => args.map((word) => durationFrom(word)), [300]],
  ['a fraction', 'x 1.5h', ({ args }) => args.map((word) => durationFrom(word)), [5_400_000]],
  ['several units', 'x 2h45m', ({ args }) => args.map((word) => durationFrom(word)), [9_900_000]],
  ['every unit', 'x 1h1m1s1ms1000us', ({ args }) => args.map((word) => durationFrom(word)), [3_661_002]],
  [
    'short fractions',
    'x .5s 5.s 1000000ns 1\u00b5s 1\u03bcs',
    ({ args }) => args.map((word) => durationFrom(word)),
    [500, 5000, 1, 0.001, 0.001],
  ],
  ['zero without a unit', 'x 0 +0s', ({ args }) => args.map((word) => durationFrom(word)), [0, 0]],
  [
    'a negative duration where it is allowed',
    'x -5s',
    ({ args }) => args.map((word) => durationFrom(word, -10_000)),
    [-5000],
  ],
  [
    'the limits of a duration',
    'x 2s 3s',
    ({ args }) => args.map((word) => durationFrom(word, 2000, 3000)),
    [2000, 3000],
  ],
  ['whole numbers', 'x 0 42 007 +5 -0', ({ args }) => args.map((word) => integerFrom(word, 0, 42)), [0, 42, 7, 5, 0]],
  ['a negative number', 'x -3', ({ args }) => args.map((word) => integerFrom(word, -3, 3)), [-3]],
  ['one of a few words', 'x first', ({ args }) => args.map((word) => choiceFrom(word, ['first', 'second'])), ['first']],
  [
    'zones, each once',
    'x A.org a.org. 10.2.0.0/15',
    ({ args }) => zoneListFrom(args).map(present),
    ['a.org.', '2.10.in-addr.arpa.', '3.10.in-addr.arpa.'],
  ],
  [
    'fallthrough for zones',
    'fallthrough in-addr.arpa ip6.arpa',
    (line) => fallthroughFrom(line).map(present),
    ['in-addr.arpa.', 'ip6.arpa.'],
  ],
  ['fallthrough for all names', 'fallthrough', (line) => fallthroughFrom(line).map(present), ['.']],
  ['an address', 'x 2001:DB8::1', ({ args }) => args.map((word) => presentAddress(addressOf(word))), ['2001:db8::1']],
  [
    'places to listen',
    'x :8080 localhost:9153 192.0.2.1:0 [::1]:80',
    ({ args }) => args.map(listenAddress),
    [
      { host: '', port: 8080 },
      { host: 'localhost', port: 9153 },
      { host: '192.0.2.1', port: 0 },
      { host: '::1', port: 80 },
    ],
  ],
  ['as many arguments as allowed', 'x a b', (line) => argumentsOf(line, 1, 2, 'x A [B]').length, 2],
  ['the only argument', 'x a', (line) => onlyArgument(line, 'x A').text, 'a'],
  ['no arguments', 'x', noArguments, undefined],
];
for (const [what, text, read, value] of GOOD) {
  test(`values: ${what}`, (t) => t.deepEqual(read(directive(text)), value));
}

const BAD: readonly (readonly [what: string, text: string, read: (line: Directive) => unknown, message: string])[] = [
  ...['5', '5x', 's', '1s2', '', '1.2.3s', '.s', '1e3s', '5 s', '1h 2', '99999999999999999999999s'].map(
    (text): [string, string, (line: Directive) => unknown, string] => [
      `duration ${JSON.stringify(text)}`,
      `x "${text}"`,
      ({ args }) => args.map((word) => durationFrom(word)),
      `2:3: found ${JSON.stringify(text)}, expected a duration with its unit, such as 300ms, 5s or 1h30m`,
    ],
  ),
  [
    'a negative duration',
    'x -1s',
    ({ args }) => args.map((word) => durationFrom(word)),
    '2:3: found "-1s", expected a duration of at least 0ms',
  ],
  [
    'a duration too short',
    'x 1s',
    ({ args }) => args.map((word) => durationFrom(word, 2000)),
    '2:3: found "1s", expected a duration of at least 2s',
  ],
  [
    'a duration too long',
    'x 25h',
    ({ args }) => args.map((word) => durationFrom(word, 0, 86_400_000)),
    '2:3: found "25h", expected a duration of at most 24h',
  ],
  [
    'a duration just too long',
    'x 1501ms',
    ({ args }) => args.map((word) => durationFrom(word, 0, 1500)),
    '2:3: found "1501ms", expected a duration of at most 1500ms',
  ],
  ...['', '1.5', '0x10', '1e1', 'ten', '-1', '43', '99999999999999999999'].map(
    (text): [string, string, (line: Directive) => unknown, string] => [
      `number ${JSON.stringify(text)}`,
      `x a "${text}"`,
      ({ args }) => args.slice(1).map((word) => integerFrom(word, 0, 42)),
      `2:5: found ${JSON.stringify(text)}, expected a whole number from 0 to 42`,
    ],
  ),
  [
    'a word that is none of a few',
    'x frist',
    ({ args }) => args.map((word) => choiceFrom(word, ['first', 'second', 'third'])),
    '2:3: found "frist", expected first, second or third; did you mean "first"?',
  ],
  [
    'an argument too many',
    'x a b c',
    (line) => argumentsOf(line, 0, 2, 'x [A [B]]'),
    '2:7: found "c", expected the end of the line: x [A [B]]',
  ],
  [
    'an argument too few',
    'x a',
    (line) => argumentsOf(line, 2, 2, 'x A B'),
    '2:3: found the end of the line after "a", expected: x A B',
  ],
  [
    'no argument where one belongs',
    'x',
    (line) => onlyArgument(line, 'x A'),
    '2:1: found the end of the line after "x", expected: x A',
  ],
  [
    'two arguments where one belongs',
    'x a b',
    (line) => onlyArgument(line, 'x A'),
    '2:5: found "b", expected the end of the line: x A',
  ],
  [
    'an argument where none belongs',
    'x a',
    noArguments,
    '2:3: found "a", expected the end of the line: x (it takes no arguments)',
  ],
  ['a block where none belongs', 'x {\n a 1\n}', noBody, '3:2: found "a", expected no options: "x" has none'],
  [
    'an option that is none',
    'x {\n fallthroug\n}',
    (line) => optionsOf(line).map((option) => unknownOption(option, 'kubernetes', ['pods', 'fallthrough', 'ttl'])),
    '3:2: found "fallthroug", which is not an option of kubernetes, expected pods, fallthrough or ttl; did you mean "fallthrough"?',
  ],
  [
    'an option like no other',
    'x {\n zzz\n}',
    (line) => optionsOf(line).map((option) => unknownOption(option, 'bind', ['except'])),
    '3:2: found "zzz", which is not an option of bind, expected except',
  ],
  [
    'a bad zone',
    'x a..b',
    ({ args }) => zoneListFrom(args),
    '2:3: found "a..b", which is not a domain name: it has an empty label',
  ],
  [
    'a bad zone of fallthrough',
    'fallthrough a b:x',
    fallthroughFrom,
    '2:15: found "b:x", expected a zone, or a network with its mask; only a port of digits may follow a colon',
  ],
  [
    'a name where an address belongs',
    'x localhost',
    ({ args }) => args.map(addressOf),
    '2:3: found "localhost", expected an IP address',
  ],
  ...['8080', '192.0.2.1', 'example.org:80', ':', ':65536', '[::1]'].map(
    (text): [string, string, (line: Directive) => unknown, string] => [
      `listening on ${JSON.stringify(text)}`,
      `x ${text}`,
      ({ args }) => args.map(listenAddress),
      `2:3: found ${JSON.stringify(text)}, expected an address to listen on: :8080, 192.0.2.1:8080, [2001:db8::1]:8080`,
    ],
  ),
];
for (const [what, text, read, message] of BAD) {
  test(`values: ${what} is refused`, (t) => {
    t.is(
      messageOf(() => read(directive(text))),
      `Corefile:${message}`,
    );
  });
}

test('values: a plugin that can only be used once refuses its second directive', (t) => {
  const [first, second] = blockFrom('. {\n loop\n log\n loop\n}\n').directives.filter(
    ({ name }) => name.text === 'loop',
  );
  if (first === undefined || second === undefined) return t.fail();
  t.is(onlyDirective([first]), first);
  t.is(
    messageOf(() => onlyDirective([first, second])),
    'Corefile:4:2: found a second "loop", but this plugin can only be used once per server block; the first is on line 2',
  );
});

test('values: without zones of its own a plugin has those of its block', (t) => {
  const block = blockFrom('Example.org 10.0.0.0/15 tls://example.org {\n x\n y a\n}\n');
  const [x, y] = block.directives.map(({ args }) => zonesOrBlock(args, block).map(present));
  t.deepEqual(x, ['example.org.', '0.10.in-addr.arpa.', '1.10.in-addr.arpa.']);
  t.deepEqual(y, ['a.']);
});

test('values: a directive without braces has no options, and may have empty braces where it takes none', (t) => {
  t.deepEqual(optionsOf(directive('x')), []);
  t.notThrows(() => noBody(directive('x {\n}')));
});
