/** At which addresses others can ask this server: those of `bind`, or of the machine's interfaces. */

import { networkInterfaces } from 'node:os';

import test from 'ava';

import { addressFrom, presentAddress, type Address } from '../../../zones/ip.ts';
import { interfaceAddresses, localAddresses } from '../../../server/plugins/local-addresses.ts';

function addresses(...texts: readonly string[]): readonly Address[] {
  return texts.flatMap((text) => addressFrom(text) ?? []);
}

const interfaces = addresses('10.244.0.10', '192.0.2.53', '2001:db8::53');

// CoreDNS plugin/kubernetes reads what `bind` gives it as networks, and so finds no address at all.
for (const { hosts, expected } of [
  { hosts: [''], expected: ['10.244.0.10', '192.0.2.53', '2001:db8::53'] },
  { hosts: ['0.0.0.0'], expected: ['10.244.0.10', '192.0.2.53'] },
  { hosts: ['::'], expected: ['2001:db8::53'] },
  { hosts: ['192.0.2.53'], expected: ['192.0.2.53'] },
  { hosts: ['192.0.2.53', '2001:db8::53'], expected: ['192.0.2.53', '2001:db8::53'] },
  { hosts: ['127.0.0.1', '192.0.2.53', '::1'], expected: ['192.0.2.53'] },
  { hosts: ['169.254.20.10'], expected: ['169.254.20.10'] },
  { hosts: ['127.0.0.1'], expected: ['127.0.0.1'] },
  { hosts: ['127.0.0.2', '::1'], expected: ['127.0.0.2', '::1'] },
  { hosts: ['fe80::1%eth0'], expected: [] },
  { hosts: ['fe80::1', 'febf::1', '127.0.0.1'], expected: ['127.0.0.1'] },
]) {
  test(`bind ${hosts.join(' ') || '(none)'}: ${expected.join(' ') || 'none'}`, (t) => {
    t.deepEqual(localAddresses(hosts, interfaces).map(presentAddress), expected);
  });
}

test('the addresses of interfaces are those of the system, loopback and link-local ones left out', (t) => {
  const own = Object.values(networkInterfaces()).flatMap((each = []) => each);
  const expected = own.filter(({ address, internal }) => !internal && !address.startsWith('fe80:'));
  t.deepEqual(
    interfaceAddresses().map(presentAddress),
    expected.map(({ address }) => address),
  );
});
