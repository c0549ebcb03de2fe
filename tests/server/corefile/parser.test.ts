import test from 'ava';

import { corefileOf, messageOf, outline } from '../../support/corefile.ts';

// CoreDNS: caddyfile/parse.go and its Corefile manual.
for (const [behaviour, text, ...lines] of [
  ['a block of directives', '. {\n log\n errors stdout\n}\n', 'dns://.:', '  log', '  errors|stdout'],
  ['several blocks', 'a {\n log\n}\nb {\n log\n}\n', 'dns://a.:', '  log', 'dns://b.:', '  log'],
  ['a block may begin behind the one before', 'a {\n log\n} b {\n log\n}', 'dns://a.:', '  log', 'dns://b.:', '  log'],
  ['several keys', 'a b:53 tls://c {\n log\n}\n', 'dns://a.: dns://b.:53 tls://c.:', '  log'],
  ['commas between keys', 'a, b , c, , d {\n log\n}\n', 'dns://a.: dns://b.: dns://c.: dns://d.:', '  log'],
  [
    'a trailing comma goes on to the next line',
    'a,\nb,\n\n# x\nc {\n log\n}\n',
    'dns://a.: dns://b.: dns://c.:',
    '  log',
  ],
  ['the brace may open on the next line', 'a b\n{\n log\n}\n', 'dns://a.: dns://b.:', '  log'],
  ['a directive may begin on the line of the brace', '. { log\n errors\n}\n', 'dns://.:', '  log', '  errors'],
  [
    'a single block without braces reaches to the end',
    '.:53\nlog\nforward . 192.0.2.1 {\n force_tcp\n}\nerrors',
    'dns://.:53',
    '  log',
    '  forward|.|192.0.2.1 {force_tcp}',
    '  errors',
  ],
  ['the last block may go without braces', 'a {\n log\n}\nb\nerrors\n', 'dns://a.:', '  log', 'dns://b.:', '  errors'],
  ['keys alone are a block', '. example.org', 'dns://.: dns://example.org.:'],
  ['a quoted key', '"example.org" {\n log\n}\n', 'dns://example.org.:', '  log'],
  ['an empty key is left out', '"" . {\n log\n}\n', 'dns://.:', '  log'],
  [
    'a network is several keys',
    '10.0.0.0/15:53 a {\n log\n}\n',
    'dns://0.10.in-addr.arpa.:53 dns://1.10.in-addr.arpa.:53 dns://a.:',
    '  log',
  ],
  [
    'a directive with a block of its own',
    '. {\n cache 30 {\n  success 1 2\n\n  # x\n  denial 3\n }\n log\n}\n',
    'dns://.:',
    '  cache|30 {success|1|2;denial|3}',
    '  log',
  ],
  [
    'an empty block of a directive, on one line or two',
    '. {\n errors {\n }\n health { }\n}\n',
    'dns://.:',
    '  errors {}',
    '  health {}',
  ],
  [
    'options may begin on the line of the brace',
    '. {\n health { lameduck 5s\n }\n}\n',
    'dns://.:',
    '  health {lameduck|5s}',
  ],
  ['the same word several times', '. {\n log a\n errors\n log b\n}\n', 'dns://.:', '  log|a', '  errors', '  log|b'],
  ['quoted braces are arguments', '. {\n log "{" "}"\n}\n', 'dns://.:', '  log|{|}'],
  [
    'an argument over several lines ends where its quote does',
    '. {\n log "a\nb" c\n errors\n}\n',
    'dns://.:',
    '  log|a\nb|c',
    '  errors',
  ],
  ['import is an ordinary word but at the start of a line', '. {\n log import x\n}\n', 'dns://.:', '  log|import|x'],
  ['windows line ends', '. {\r\n  log\r\n}\r\n', 'dns://.:', '  log'],
] as const) {
  test(`grammar: ${behaviour}`, (t) => {
    const { blocks } = corefileOf({ Corefile: text });
    t.deepEqual(outline(blocks), [...lines]);
  });
}

for (const [behaviour, text, message] of [
  [
    'a brace on the line of a directive',
    '. { log }\n',
    '1:9: found "}", expected the end of the line; a closing "}" must stand on a line of its own',
  ],
  [
    'a brace behind an option',
    '. {\n health { lameduck 5s }\n}\n',
    '2:23: found "}", expected the end of the line; a closing "}" must stand on a line of its own',
  ],
  [
    'a missing brace',
    '. {\n log\n',
    '1:3: found a "{" that is never closed, expected a "}" before the end of the file',
  ],
  [
    'a missing brace of a directive',
    '. {\n cache {\n  success 1\n',
    '2:8: found a "{" that is never closed, expected a "}" before the end of the file',
  ],
  [
    'a missing brace of a directive before the one of its block',
    '. {\n cache {\n  success 1\n}\n',
    '1:3: found a "{" that is never closed, expected a "}" before the end of the file',
  ],
  [
    'a brace on the line after its directive',
    '. {\n cache 30\n {\n  success 1\n }\n}\n',
    '3:2: found "{", expected a plugin; the "{" of "cache" must stand at the end of its line',
  ],
  ['a second brace', '. {\n {\n log\n }\n}\n', '2:2: found "{", expected a plugin'],
  [
    'a block inside the block of a directive',
    '. {\n cache {\n  success {\n  }\n }\n}\n',
    '3:11: found "{", expected the end of the line: blocks inside the block of a plugin do not exist',
  ],
  ['a brace where an option belongs', '. {\n cache {\n  {\n', '3:3: found "{", expected an option of "cache", or "}"'],
  [
    'a word behind the brace of a directive',
    '. {\n cache {\n } log\n}\n',
    '3:4: found "log", expected the end of the line after "}"',
  ],
  [
    'a brace behind the brace of a directive',
    '. {\n cache {\n } }\n',
    '3:4: found "}", expected the end of the line after "}"',
  ],
  ['a block without a key', '{\n log\n}\n', '1:1: found "{", expected the zones of a server block, such as ".:53"'],
  [
    'a block whose only key is empty',
    '"" {\n log\n}\n',
    '1:1: found "", expected the zones of a server block, such as ".:53"',
  ],
  ['a comma before the brace', 'a, {\n log\n}\n', '1:4: found "{", expected another zone after the comma'],
  ['a comma at the end', 'a,\n', '1:1: found the end of the file after a comma, expected another zone'],
  ['a brace among the keys', 'a }\n', '1:3: found "}", expected a zone or "{"'],
  ['no blank before the brace', 'example.org{\n log\n}\n', '1:1: found "example.org{", expected a blank before "{"'],
  [
    'a surplus brace between two blocks',
    'a {\n log\n}\n}\nb {\n log\n}\n',
    '4:1: found "}", expected a zone or a plugin: there is no "{" that it could close',
  ],
  ['a brace too early', '. {\n cache {\n }\n}\nlog\n}\n', '6:1: found "}", expected plugins, or "{" before them'],
  [
    'a bad key',
    'a b:x {\n log\n}\n',
    '1:3: found "b:x", expected a zone, or a network with its mask; only a port of digits may follow a colon',
  ],
] as const) {
  test(`grammar: ${behaviour} is an error`, (t) => {
    t.is(
      messageOf(() => corefileOf({ Corefile: text })),
      `Corefile:${message}`,
    );
  });
}

for (const [behaviour, text, lines, warnings] of [
  [
    'a surplus brace at the end',
    '. {\n log\n}\n}\n',
    ['dns://.:', '  log'],
    ['4:1: found a "}" that closes nothing; it is left aside'],
  ],
  [
    'several surplus braces at the end',
    '. {\n log\n}\n} # x\n}',
    ['dns://.:', '  log'],
    [
      '4:1: found a "}" that closes nothing; it is left aside',
      '5:1: found a "}" that closes nothing; it is left aside',
    ],
  ],
  [
    'a closing brace without an opening one',
    '.\nlog\n}\n',
    ['dns://.:', '  log'],
    ['3:1: found a "}" that closes nothing; it is left aside'],
  ],
  [
    'a comma without a blank',
    'a,b {\n log\n}\n',
    ['dns://a\\,b.:', '  log'],
    ['1:1: "a,b" is one zone with a comma in its name; put a blank after the comma'],
  ],
  ['a block without plugins', 'a {\n}\n', ['dns://a.:'], ['1:1: server block "a" has no plugins: it answers nothing']],
] as const) {
  test(`grammar: ${behaviour} is taken with a warning`, (t) => {
    const corefile = corefileOf({ Corefile: text });
    t.deepEqual(outline(corefile.blocks), [...lines]);
    t.deepEqual(
      corefile.warnings,
      warnings.map((warning) => `Corefile:${warning}`),
    );
  });
}

test('grammar: every token knows its place', (t) => {
  const [block] = corefileOf({ Corefile: '# x\n . {\n  cache 30 {\n    success 9984\n  }\n}\n' }).blocks;
  const [cache] = block?.directives ?? [];
  const file = 'Corefile';
  t.deepEqual(block?.position, { file, line: 2, column: 2 });
  t.deepEqual(block?.keys[0].position, { file, line: 2, column: 2 });
  t.deepEqual(cache?.name, { text: 'cache', position: { file, line: 3, column: 3 } });
  t.deepEqual(cache?.args, [{ text: '30', position: { file, line: 3, column: 9 } }]);
  t.deepEqual(cache?.body?.[0]?.args, [{ text: '9984', position: { file, line: 4, column: 13 } }]);
});

test('grammar: blocks are plain data that crosses threads', (t) => {
  const { blocks } = corefileOf({ Corefile: '. 10.0.0.0/15 {\n cache {\n success 1\n }\n}\n' });
  t.deepEqual(structuredClone(blocks), blocks);
});
