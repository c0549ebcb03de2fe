import test from 'ava';

import { bind, bindOptions } from '../../../server/plugins/bind.ts';
import { messageOf } from '../../support/corefile.ts';
import { blockFrom, faultOf, optionsFrom } from '../../support/directive.ts';

const INTERFACES: ReadonlyMap<string, readonly string[]> = new Map([
  ['lo', ['127.0.0.1', '::1']],
  ['eth0', ['192.0.2.1', '2001:db8::1', 'fe80::1%eth0']],
]);

function hosts(text: string): readonly string[] {
  const [first, ...more] = blockFrom(`. {\n${text}\n}\n`).directives;
  if (first === undefined) throw new Error(`"${text}" holds no directive`);
  return bindOptions([first, ...more], INTERFACES).hosts;
}

// CoreDNS plugin/bind.
for (const [text, ...expected] of [
  ['bind 127.0.0.1', '127.0.0.1'],
  ['bind 169.254.20.10 10.96.0.10', '169.254.20.10', '10.96.0.10'],
  ['bind 2001:DB8:0::5', '2001:db8::5'],
  ['bind 0.0.0.0 ::', '0.0.0.0', '::'],
  ['bind lo', '127.0.0.1', '::1'],
  ['bind eth0', '192.0.2.1', '2001:db8::1', 'fe80::1%eth0'],
  ['bind fe80::2%eth0', 'fe80::2%eth0'],
  ['bind lo 127.0.0.1 ::1', '127.0.0.1', '::1'],
  ['bind lo\nbind 192.0.2.1', '127.0.0.1', '::1', '192.0.2.1'],
  ['bind lo eth0 {\n except 127.0.0.1 fe80::1%eth0\n}', '::1', '192.0.2.1', '2001:db8::1'],
  ['bind lo eth0 {\n except lo\n except 2001:db8:0::1\n}', '192.0.2.1', 'fe80::1%eth0'],
  ['bind lo {\n except 127.0.0.1\n}\nbind 127.0.0.1', '::1', '127.0.0.1'],
] as const) {
  test(`${text.replaceAll('\n', ' ')} listens on ${expected.join(' and ')}`, (t) =>
    t.deepEqual(hosts(text), [...expected]));
}

for (const [text, message] of [
  ['bind', '2:1: found the end of the line after "bind", expected: bind ADDRESS|INTERFACE…'],
  [
    'bind 192.0.2.300',
    '2:6: found "192.0.2.300", expected an IP address or an interface of this machine: "lo", "eth0"',
  ],
  ['bind eth1', '2:6: found "eth1", expected an IP address or an interface of this machine: "lo", "eth0"'],
  [
    'bind 127.0.0.1%lo',
    '2:6: found "127.0.0.1%lo", expected an IP address or an interface of this machine: "lo", "eth0"',
  ],
  ['bind lo {\n except\n}', '3:2: found the end of the line after "except", expected: except ADDRESS|INTERFACE…'],
  ['bind lo {\n only 127.0.0.1\n}', '3:2: found "only", which is not an option of bind, expected except'],
  [
    'bind lo {\n except lo\n}',
    '2:1: found no address left to listen on, expected an interface with an address that "except" does not take away',
  ],
] as const) {
  test(`${text.replaceAll('\n', ' ')} is refused`, (t) =>
    t.is(
      messageOf(() => hosts(text)),
      `Corefile:${message}`,
    ));
}

test('the interfaces are those of the machine', (t) => {
  t.true(optionsFrom(bind, 'bind lo').hosts.includes('127.0.0.1'));
  t.regex(faultOf(bind, 'bind no-such-interface') ?? '', /"lo"/);
});
