/**
 * The zones of `kubernetes`: which of them hold names of the cluster's services, and which those of the clusterset. Knows
 * nothing of the other options.
 */

import { isReverseName } from '../../zones/ip.ts';
import { NAME_MAX, present, type Name } from '../../zones/name.ts';
import type { Bytes } from '../../zones/units.ts';
import type { Directive, Token } from '../corefile/block.ts';
import { refuse, show } from '../corefile/fault.ts';
import { zoneListFrom } from '../corefile/values.ts';
import { CorefileError } from '../errors.ts';

/** Room for `hostmaster` in front of a zone, which its SOA record needs. */
const ZONE_MAX: Bytes = NAME_MAX - 11;

/** @throws CorefileError if no zone holds names, or one is too long to have an SOA record */
export function checkZones(zones: readonly Name[], directive: Directive): void {
  const { position } = directive.args[0] ?? directive.name;
  const long = zones.find((zone) => zone.length > ZONE_MAX);
  if (long !== undefined) {
    throw new CorefileError(
      position,
      `${show(present(long))} is too long for a zone: at most ${ZONE_MAX} octets leave room for its SOA record`,
    );
  }
  if (!zones.every(isReverseName)) return;
  throw new CorefileError(
    position,
    'found reverse zones only, expected also the zone that their names point to, such as cluster.local',
  );
}

/**
 * The zones that the tokens name, each once.
 * @throws CorefileError at the first that is none of the plugin's
 */
export function multiclusterZones(tokens: readonly Token[], zones: readonly Name[]): readonly Name[] {
  for (const token of tokens) {
    const isOwn = zoneListFrom([token]).every((zone) => zones.includes(zone));
    if (!isOwn) refuse(token, `one of the zones of this kubernetes: ${zones.map(present).join(', ')}`);
  }
  return zoneListFrom(tokens);
}

/** The first zone that holds names of the cluster's own services; undefined if there is none. */
export function primaryZone(zones: readonly Name[], multicluster: readonly Name[]): Name | undefined {
  return zones.find((zone) => !isReverseName(zone) && !multicluster.includes(zone));
}
