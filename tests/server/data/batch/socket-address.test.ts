import test from 'ava';
import fc from 'fast-check';

import { isAnswerableAddress, textOf, writeAddress } from '../../../../server/data/batch/socket-address.ts';
import { isAnswerable } from '../../../../server/wire/gate.ts';
import { addressFrom, presentAddress } from '../../../../zones/ip.ts';

/** Random ones, and those that are told apart. */
function addresses(family: 4 | 6): fc.Arbitrary<string> {
  const size = family === 4 ? 4 : 16;
  const odd =
    family === 4
      ? [
          '0.0.0.0',
          '0.1.2.3',
          '127.0.0.1',
          '127.255.255.255',
          '127.255.255.254',
          '223.9.9.9',
          '224.0.0.1',
          '255.255.255.255',
        ]
      : ['::', '::1', 'ff02::1', 'ff::1', 'feff::1', 'fe80::1', '1::', 'ffff:ffff::'];
  const random = fc.uint8Array({ minLength: size, maxLength: size }).map(presentAddress);
  return fc.oneof(random, fc.constantFrom(...odd));
}

for (const family of [4, 6] as const) {
  test(`IPv${family}: the express lane's look at a sender and that of the gate agree`, (t) => {
    const ports = fc.oneof(fc.constantFrom(0, 1, 53, 65_535), fc.nat(65_535));
    fc.assert(
      fc.property(addresses(family), ports, addresses(family), fc.boolean(), (address, port, other, isOwn) => {
        const localAddress = isOwn ? address : other;
        const octets = new Uint8Array(64);
        writeAddress(new DataView(octets.buffer), 8, address, port);
        const own = addressFrom(localAddress) ?? new Uint8Array(16);
        const peer = { address, port, family, protocol: 'udp', localAddress, localPort: 53 } as const;
        t.is(isAnswerableAddress(octets, 8, family, own, 0, 53), isAnswerable(peer), JSON.stringify(peer));
      }),
      { numRuns: 2_000 },
    );
  });

  test(`IPv${family}: an address that is written reads as it was`, (t) => {
    const octets = new Uint8Array(64);
    fc.assert(
      fc.property(addresses(family), (address) => {
        writeAddress(new DataView(octets.buffer), 4, address, 53, 7);
        const isLinkLocal = /^fe[89ab].:/.test(address);
        t.is(
          textOf(octets, 4, family, (scope) => `eth${scope}`),
          isLinkLocal ? `${address}%eth7` : address,
        );
      }),
    );
  });
}
