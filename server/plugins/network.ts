/** An IP network of the Corefile, such as `10.0.0.0/8`. Knows nothing of zones. */

import { addressFrom, type Address } from '../../zones/ip.ts';
import type { Token } from '../corefile/block.ts';
import { refuse } from '../corefile/fault.ts';

/** `bits` leading bits of an address. */
export type Network = { readonly address: Address; readonly bits: number };

/** `ADDRESS/BITS`; bits of the address beyond those do not matter. */
export function networkFrom(token: Token): Network {
  const [, text = '', digits = ''] = /^([^/]+)\/([0-9]{1,3})$/.exec(token.text) ?? [];
  const address = addressFrom(text);
  const bits = Number(digits);
  if (address === undefined || bits > 8 * address.length) {
    refuse(token, 'a network with its mask, such as 10.0.0.0/8 or 2001:db8::/32');
  }
  return { address, bits };
}

/** Is the address of the network's family and inside it? */
export function isInside(address: Address, network: Network): boolean {
  if (address.length !== network.address.length) return false;
  const whole = network.bits >> 3;
  for (let i = 0; i < whole; i++) if (address[i] !== network.address[i]) return false;
  const mask = (0xff00 >> (network.bits & 7)) & 0xff;
  return (((address[whole] ?? 0) ^ (network.address[whole] ?? 0)) & mask) === 0;
}
