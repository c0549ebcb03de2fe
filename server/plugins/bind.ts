/** `bind`: on which of the machine's addresses a server block listens. The planner makes listeners of it; this only reads. */

import { networkInterfaces } from 'node:os';

import { addressFrom, presentAddress } from '../../zones/ip.ts';
import { CorefileError } from '../errors.ts';
import type { Directive, Line, Token } from '../corefile/block.ts';
import { refuse, show } from '../corefile/fault.ts';
import { argumentsOf, optionsOf, unknownOption } from '../corefile/values.ts';
import type { Directives, Plugin } from '../pipeline.ts';

/** Addresses in canonical text, link-local ones with their interface (`fe80::1%eth0`), each once. */
export type BindOptions = { readonly hosts: readonly [string, ...string[]] };

/** An interface of the machine and its addresses, link-local IPv6 ones with `%` and the interface. */
export type Interfaces = ReadonlyMap<string, readonly string[]>;

/** Repeatable: the addresses of all directives are taken together (CoreDNS plugin/bind). */
export const bind: Plugin<BindOptions> = {
  name: 'bind',
  parse: (directives) => bindOptions(directives, machineInterfaces()),
};

/**
 * The addresses that directives name, interfaces expanded to all of theirs.
 * @throws CorefileError at a word that is neither an address nor an interface, or if `except` leaves nothing
 */
export function bindOptions(directives: Directives, interfaces: Interfaces): BindOptions {
  const [host, ...hosts] = new Set(directives.flatMap((directive) => hostsOf(directive, interfaces)));
  if (host !== undefined) return { hosts: [host, ...hosts] };
  throw new CorefileError(
    directives[0].name.position,
    'found no address left to listen on, expected an interface with an address that "except" does not take away',
  );
}

function hostsOf(directive: Directive, interfaces: Interfaces): readonly string[] {
  const hosts = named(directive, interfaces, 'bind ADDRESS|INTERFACE…');
  const except = new Set<string>();
  for (const line of optionsOf(directive)) {
    if (line.name.text !== 'except') unknownOption(line, 'bind', ['except']);
    for (const host of named(line, interfaces, 'except ADDRESS|INTERFACE…')) except.add(host);
  }
  return hosts.filter((host) => !except.has(host));
}

function named(line: Line, interfaces: Interfaces, usage: string): readonly string[] {
  return argumentsOf(line, 1, Infinity, usage).flatMap(
    (word) => interfaces.get(word.text) ?? [addressIn(word, interfaces)],
  );
}

function addressIn(word: Token, interfaces: Interfaces): string {
  const [text = '', zone, ...rest] = word.text.split('%');
  const address = addressFrom(text);
  if (address === undefined || rest.length > 0 || (zone !== undefined && address.length === 4)) {
    refuse(word, `an IP address or an interface of this machine: ${[...interfaces.keys()].map(show).join(', ')}`);
  }
  return zone === undefined ? presentAddress(address) : `${presentAddress(address)}%${zone}`;
}

/** An interface that is down or has no address is not listed by the system. */
function machineInterfaces(): Interfaces {
  return new Map(
    Object.entries(networkInterfaces()).map(([name, addresses = []]) => [
      name,
      addresses.map(({ address, scopeid = 0 }) => (scopeid === 0 ? address : `${address}%${name}`)),
    ]),
  );
}
