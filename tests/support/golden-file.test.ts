import test from 'ava';

import { expandLocal, parseGolden, rewriteGolden } from './golden-file.ts';
import type { PresentedReply } from './present.ts';

const FILE = `; why this is so
cluster     fixtures/clusters/example
corefile    fixtures/corefiles/golden-default.corefile

; the first case
ask         a.example. IN A edns=1232 do
reply       NOERROR aa rd
answer      a.example. 5 IN A 192.0.2.1
edns        version=0 size=1232 do

ask         b.example. CH TXT norec udp
reply       REFUSED
`;

test('a file is its setting and its cases', (t) => {
  const { cluster, corefile, cases } = parseGolden(FILE, 'test');
  t.is(cluster, 'fixtures/clusters/example');
  t.is(corefile, 'fixtures/corefiles/golden-default.corefile');
  t.like(cases[0], {
    title: 'a.example. IN A edns=1232 do',
    protocols: ['udp', 'tcp'],
    asked: { class: 1, type: 1, recursionDesired: true, edns: { payloadSize: 1232, dnssecOk: true, version: 0 } },
    expected: { reply: 'reply NOERROR aa rd', answer: ['a.example. 5 IN A 192.0.2.1'], authority: [] },
  });
  t.like(cases[1], { protocols: ['udp'], asked: { class: 3, type: 16, recursionDesired: false } });
});

test('rewriting with what is expected already changes nothing', (t) => {
  const replies = parseGolden(FILE, 'test').cases.map(({ expected }) => expected);
  t.is(rewriteGolden(FILE, 'test', replies), FILE);
});

test('rewriting replaces expectations and keeps comments and questions', (t) => {
  const nothing: PresentedReply = {
    reply: 'reply SERVFAIL',
    answer: [],
    authority: [],
    additional: [],
    edns: undefined,
  };
  t.is(
    rewriteGolden(FILE, 'test', [nothing, nothing]),
    FILE.replace(/reply {7}NOERROR aa rd\nanswer.*\nedns.*\n/, 'reply       SERVFAIL\n').replace('REFUSED', 'SERVFAIL'),
  );
});

for (const [what, text, message] of [
  ['an unknown word', FILE.replace('answer ', 'anwser '), 'test:8: "anwser" is not expected here'],
  [
    'a case without reply',
    FILE.replace(/^reply.*REFUSED\n/m, ''),
    'test: "ask b.example. CH TXT norec udp" has no reply line',
  ],
  ['an unknown option', FILE.replace('norec', 'norecurse'), 'test: "norecurse" is not an option of ask'],
  ['no setting', FILE.replace(/^cluster.*\n/m, ''), 'test: name a cluster and a corefile first'],
] as const) {
  test(`a file is refused: ${what}`, (t) => {
    t.throws(() => parseGolden(text, 'test'), { message });
  });
}

test('LOCAL is each address of this machine, loopback excepted', (t) => {
  const local: PresentedReply = {
    reply: '',
    answer: ['ns.dns.cluster.local. 5 IN A LOCAL'],
    authority: [],
    additional: [],
    edns: undefined,
  };
  for (const record of expandLocal(local).answer) t.regex(record, /^ns\.dns\.cluster\.local\. 5 IN A (?!127)[0-9.]+$/);
});
