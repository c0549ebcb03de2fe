/**
 * Knot and NSD as authorities for given zones, from files or as secondaries of another server. Knows their configuration
 * files, nothing of what the zones hold.
 */

import { writeFile } from 'node:fs/promises';

import type { ServerAddress } from './client.ts';
import { started, type OutsideServer, type Place } from './outside-world.ts';
import { Running } from './programs.ts';

/** A zone, and where it comes from: a file in presentation format, or a primary that is asked for news every other second. */
export type ServedZone = { readonly name: string } & ({ readonly file: string } | { readonly primary: ServerAddress });

export type Authority = 'knotd' | 'nsd';

/** One process with one worker, without limits of rate. */
export function startAuthority(
  authority: Authority,
  place: Place,
  zones: readonly ServedZone[],
): Promise<OutsideServer> {
  return authority === 'knotd' ? startKnotd(place, zones) : startNsd(place, zones);
}

/** With Knot's semantic checks: a zone that fails them is not served. */
function startKnotd({ host, port, enter }: Place, zones: readonly ServedZone[]): Promise<OutsideServer> {
  const primaries = zones.flatMap((zone) => ('primary' in zone ? [zone.primary] : []));
  const idOf = (primary: ServerAddress): string => `${primary.host}@${primary.port}`;
  const remotes = [...new Set(primaries.map(idOf))].map((id) => `  - id: ${id}\n    address: ${id}\n`);
  return started({ host, port }, async (folder, file) => {
    await writeFile(
      file,
      `server:
  rundir: ${folder}
  listen: ${host}@${port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
log:
  - target: stdout
    any: info
database:
  storage: ${folder}
${remotes.length === 0 ? '' : `remote:\n${remotes.join('')}`}
zone:
${zones
  .map(
    (zone) => `  - domain: ${zone.name}
    semantic-checks: on
    zonefile-sync: -1
    journal-content: none
    ${'file' in zone ? `file: ${zone.file}` : `master: ${idOf(zone.primary)}\n    refresh-max-interval: 2`}
`,
  )
  .join('')}`,
    );
    return Running.start([...enter, 'knotd', '-c', file], ({ log }) => log.includes('server started'));
  });
}

function startNsd({ host, port, enter }: Place, zones: readonly ServedZone[]): Promise<OutsideServer> {
  return started({ host, port }, async (folder, file) => {
    await writeFile(
      file,
      `server:
  ip-address: ${host}@${port}
  server-count: 1
  zonesdir: "${folder}"
  zonelistfile: "${folder}/zones.list"
  xfrdfile: "${folder}/xfrd.state"
  xfrdir: "${folder}"
  database: ""
  pidfile: ""
  username: ""
  chroot: ""
  logfile: ""
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
  tcp-timeout: 30
remote-control:
  control-enable: no
${zones
  .map(
    (zone) => `zone:
  name: ${zone.name}
${
  'file' in zone
    ? `  zonefile: ${zone.file}\n`
    : `  zonefile: "${folder}/${zone.name}.zone"
  request-xfr: ${zone.primary.host}@${zone.primary.port} NOKEY
  max-refresh-time: 2
  min-refresh-time: 2\n`
}`,
  )
  .join('')}`,
    );
    return Running.start([...enter, 'nsd', '-d', '-c', file], ({ log }) => log.includes('nsd started'));
  });
}
