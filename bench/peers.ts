/** Other people's servers, with the same records in one process or thread each. Knows nothing of load. */

import { written, zonesOf, type Contender } from './contenders.ts';
import { OUTSIDE } from './outside.ts';
import { isInstalled } from './processes.ts';
import { addressesOf, HTTP_PORT, nameOf, ZONE } from './services.ts';
import { portNameOf, REVERSE_ZONE, zoneFileOf } from './zone-data.ts';

/** Authoritative server in C: the records as zones, rotated as `loadbalance` does. One worker. */
const knot: Contender = {
  name: 'Knot',
  abilities: new Set(['zone', 'outside', 'tcp']),
  async prepare(setting) {
    const { folder, port } = setting;
    const zones: string[] = [];
    for (const zone of zonesOf(setting)) {
      const file = await written(folder, `${zone.origin}.zone`, zoneFileOf(zone));
      zones.push(`  - domain: ${zone.origin}\n    file: ${file}\n    zonefile-sync: -1\n    journal-content: none\n`);
    }
    const configuration = `server:
  rundir: ${folder}
  listen: 127.0.0.1@${port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  answer-rotation: on
database:
  storage: ${folder}
zone:
${zones.join('')}`;
    return { words: ['knotd', '-c', await written(folder, 'knot.conf', configuration)] };
  },
};

/** Authoritative server in C: the records as zones, rotated. One server process beside its parent. */
const nsd: Contender = {
  name: 'NSD',
  abilities: new Set(['zone', 'outside', 'tcp']),
  async prepare(setting) {
    const { folder, port } = setting;
    const zones: string[] = [];
    for (const zone of zonesOf(setting)) {
      const file = await written(folder, `${zone.origin}.zone`, zoneFileOf(zone));
      zones.push(`zone:\n  name: ${zone.origin}\n  zonefile: ${file}\n`);
    }
    const configuration = `server:
  server-count: 1
  ip-address: 127.0.0.1@${port}
  username: ""
  zonesdir: "${folder}"
  pidfile: ""
  xfrdfile: ""
  zonelistfile: "${folder}/zone.list"
  xfrdir: "${folder}"
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
  round-robin: yes
  tcp-count: 200
remote-control:
  control-enable: no
${zones.join('')}`;
    return { words: ['nsd', '-d', '-c', await written(folder, 'nsd.conf', configuration)] };
  },
};

/** Resolver in C: the records as local data, the rest from the upstream and its cache. No validation, one thread. */
const unbound: Contender = {
  name: 'Unbound',
  abilities: new Set(['zone', 'outside', 'cache', 'tcp']),
  async prepare(setting) {
    const { folder, port, upstreamPort } = setting;
    const own = zonesOf({ ...setting, outside: 0 });
    const configuration = `server:
  interface: 127.0.0.1
  port: ${port}
  num-threads: 1
  chroot: ""
  username: ""
  directory: "${folder}"
  pidfile: ""
  use-syslog: no
  module-config: "iterator"
  do-not-query-localhost: no
  incoming-num-tcp: 100
${own.map(({ origin }) => `  local-zone: "${origin}." static`).join('\n')}
${own.flatMap(({ records }) => records.map((record) => `  local-data: '${record}'`)).join('\n')}
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@${upstreamPort}
remote-control:
  control-enable: no\n`;
    return { words: ['unbound', '-d', '-c', await written(folder, 'unbound.conf', configuration)] };
  },
};

/** Forwarder in C: the records as hosts, the rest from the upstream and its cache. It forks for each TCP connection, which nobody could count. */
const dnsmasq: Contender = {
  name: 'dnsmasq',
  abilities: new Set(['zone', 'outside', 'cache']),
  deniesBarely: true,
  async prepare({ folder, port, services, upstreamPort }) {
    const hosts = services.flatMap((service) =>
      addressesOf(service).map((address) => `${address} ${nameOf(service)}\n`),
    );
    const ports = services.map((service) => `srv-host=${portNameOf(service)},${nameOf(service)},${HTTP_PORT},0,100\n`);
    const configuration = `port=${port}
listen-address=127.0.0.1
bind-interfaces
no-resolv
no-hosts
no-poll
user=
group=
pid-file=
cache-size=10000
dns-forward-max=10000
local-ttl=30
local=/${ZONE}/
local=/${REVERSE_ZONE}/
server=/${OUTSIDE}/127.0.0.1#${upstreamPort}
addn-hosts=${await written(folder, 'hosts', hosts.join(''))}
${ports.join('')}`;
    const file = await written(folder, 'dnsmasq.conf', configuration);
    return { words: ['dnsmasq', '--keep-in-foreground', `--conf-file=${file}`] };
  },
};

/** The peers that are installed here. */
export function installedPeers(): readonly Contender[] {
  return [
    { contender: knot, program: 'knotd' },
    { contender: nsd, program: 'nsd' },
    { contender: unbound, program: 'unbound' },
    { contender: dnsmasq, program: 'dnsmasq' },
  ].flatMap(({ contender, program }) => (isInstalled(program) ? [contender] : []));
}

/** The least that a server can cost: it sends back what it gets. */
export function floorOf(program: string): Contender {
  return {
    name: 'floor',
    abilities: new Set(),
    isEcho: true,
    async prepare({ port }) {
      return { words: [program, 'echo', String(port)] };
    },
  };
}
