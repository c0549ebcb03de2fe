/** The command line, in CoreDNS's spelling and in ours. */

import test from 'ava';

import { readArguments, type Arguments } from '../../server/arguments.ts';

const DEFAULTS: Arguments = {
  action: 'serve',
  conf: undefined,
  port: 53,
  quiet: false,
  pidFile: undefined,
  dataThreads: { express: true, udp: 'batched' },
};

const READ: readonly (readonly [string, readonly string[], Partial<Arguments>])[] = [
  ['nothing', [], {}],
  ['a server without an express lane', ['-no-express'], { dataThreads: { express: false, udp: 'batched' } }],
  ['node:dgram for datagrams', ['--udp', 'dgram'], { dataThreads: { express: true, udp: 'dgram' } }],
  ['the same with one dash', ['-udp=dgram'], { dataThreads: { express: true, udp: 'dgram' } }],
  ["kubeadm's arguments", ['-conf', '/etc/coredns/Corefile'], { conf: '/etc/coredns/Corefile' }],
  ['two dashes', ['--conf', 'Corefile'], { conf: 'Corefile' }],
  ['an equals sign after one dash', ['-conf=Corefile'], { conf: 'Corefile' }],
  ['an equals sign after two', ['--conf=a=b'], { conf: 'a=b' }],
  ['the standard input', ['-conf', 'stdin'], { conf: 'stdin' }],
  ['-dns.port', ['-dns.port', '1053'], { port: 1053 }],
  ['-dns.port=', ['-dns.port=1053'], { port: 1053 }],
  ['-p', ['-p', '1053'], { port: 1053 }],
  ['-p=', ['-p=1053'], { port: 1053 }],
  ['port 0', ['-p', '0'], { port: 0 }],
  ['-quiet', ['-quiet'], { quiet: true }],
  ['-pidfile', ['-pidfile', 'run/pid'], { pidFile: 'run/pid' }],
  ['-version', ['-version'], { action: 'version' }],
  ['-plugins', ['--plugins'], { action: 'plugins' }],
  ['--check', ['--check', '-conf', 'x'], { action: 'check', conf: 'x' }],
  [
    'all together',
    ['-quiet', '-conf', 'c', '-p', '5', '-pidfile=f'],
    { quiet: true, conf: 'c', port: 5, pidFile: 'f' },
  ],
];

for (const [name, words, expected] of READ) {
  test(`arguments: ${name}`, (t) => {
    t.deepEqual(readArguments(words), { kind: 'arguments', arguments: { ...DEFAULTS, ...expected } });
  });
}

const REFUSED: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['a word too many', ['Corefile'], /too many arguments.*Corefile/s],
  ['an unknown flag', ['-cert'], /unknown option '-c/],
  ['an unknown long flag', ['--cert'], /unknown option '--cert'/],
  ['a flag without its value', ['-conf'], /'--conf <file>' argument missing/],
  ['a port that is no number', ['-p', 'dns'], /'dns' is invalid.*0 to 65535/],
  ['a port that is too large', ['-dns.port', '65536'], /'65536' is invalid/],
  ['a port with a sign', ['-dns.port=-1'], /'-1' is invalid/],
  ['an empty port', ['-dns.port='], /0 to 65535|argument missing/],
];

for (const [name, words, expected] of REFUSED) {
  test(`arguments: ${name} is refused with a way on`, (t) => {
    const reading = readArguments(words);
    t.is(reading.kind, 'text');
    if (reading.kind !== 'text') return;
    t.is(reading.code, 1);
    t.regex(reading.text, expected);
    t.regex(reading.text, /^fivedots-[0-9.]+: /);
    t.regex(reading.text, /-h/);
  });
}

for (const word of ['-h', '--help', '-help']) {
  test(`arguments: ${word} explains all flags`, (t) => {
    const reading = readArguments([word]);
    t.is(reading.kind, 'text');
    if (reading.kind !== 'text') return;
    t.is(reading.code, 0);
    for (const flag of ['--conf', '--dns.port', '--quiet', '--version', '--plugins', '--pidfile', '--check']) {
      t.true(reading.text.includes(flag), flag);
    }
  });
}
