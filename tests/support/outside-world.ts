/**
 * The world outside a cluster, played by real servers: knotd is the authority for example.org (fixtures/programs), unbound
 * the resolver in front of it. Knows their configuration files, nothing of the server under test.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { serverAddressFrom, type ServerAddress } from './client.ts';
import { Running } from './programs.ts';
import { freePort, ROOT } from './server.ts';

export type OutsideServer = {
  /** As `forward` takes it. */
  readonly upstream: string;
  readonly address: ServerAddress;
  readonly stop: () => Promise<void>;
};

/** Where a server listens, and what stands in front of its command line to get there. */
export type Place = { readonly host: string; readonly port: number; readonly enter: readonly string[] };

/** A free port of this machine's loopback interface. */
export async function onLoopback(): Promise<Place> {
  return { host: '127.0.0.1', port: await freePort(), enter: [] };
}

/** knotd with the zone example.org. */
export function startKnot({ host, port, enter }: Place): Promise<OutsideServer> {
  return started({ host, port }, async (folder, file) => {
    await writeFile(
      file,
      `
      server:
        rundir: ${folder}
        listen: ${host}@${port}
      log:
        - target: stdout
          any: info
      database:
        storage: ${folder}
      zone:
        - domain: example.org
          file: ${join(ROOT, 'fixtures/programs/example.org.zone')}
          zonefile-sync: -1
          journal-content: none
      `.replaceAll(/^ {6}/gm, ''),
    );
    return Running.start([...enter, 'knotd', '-c', file], ({ log }) => log.includes('server started'));
  });
}

/** unbound, which asks `authority` for example.org, knows payments.example.com by itself, and denies everything else. */
export function startUnbound(place: Place, { host, port }: ServerAddress): Promise<OutsideServer> {
  return unboundThat(
    place,
    `
        local-zone: "." static
        local-data: ". 300 IN SOA a.root-servers.net. nstld.example.net. 1 7200 3600 1209600 60"
        local-zone: "example.org." transparent
        local-data: "payments.example.com. 300 IN A 203.0.113.20"
      stub-zone:
        name: "example.org"
        stub-addr: ${host}@${port}
    `,
  );
}

/** unbound, which asks these servers, by zone, for what is in their zones, knows these records by itself, and denies everything else. */
export function startResolver(
  place: Place,
  zones: ReadonlyMap<string, string>,
  records: readonly string[],
): Promise<OutsideServer> {
  const names = [...zones.keys()];
  return unboundThat(
    place,
    `
        local-zone: "." static
        local-data: ". 300 IN SOA a.root-servers.net. nstld.example.net. 1 7200 3600 1209600 60"
${names.map((name) => `        local-zone: "${name}." transparent`).join('\n')}
${records.map((record) => `        local-data: '${record}'`).join('\n')}
${Array.from(zones, ([name, address]) => `      stub-zone:\n        name: "${name}"\n        stub-addr: ${address}`).join('\n')}
    `,
  );
}

/** unbound as a forwarder of everything to `other`. */
export function startForwarder(place: Place, { host, port }: ServerAddress): Promise<OutsideServer> {
  return unboundThat(
    place,
    `
      forward-zone:
        name: "."
        forward-addr: ${host}@${port}
    `,
  );
}

/** @param knows the end of its `server:` clause, and further clauses */
function unboundThat({ host, port, enter }: Place, knows: string): Promise<OutsideServer> {
  return started({ host, port }, async (folder, file) => {
    await writeFile(
      file,
      `
      server:
        directory: "${folder}"
        chroot: ""
        username: ""
        pidfile: ""
        use-syslog: no
        logfile: ""
        do-daemonize: no
        interface: ${host}
        port: ${port}
        num-threads: 1
        access-control: 0.0.0.0/0 allow
        do-not-query-localhost: no
        module-config: "iterator"
      ${knows.trim()}
      remote-control:
        control-enable: no
      `.replaceAll(/^ {6}/gm, ''),
    );
    return Running.start([...enter, 'unbound', '-d', '-c', file], ({ log }) => log.includes('start of service'));
  });
}

/** A server with a folder of its own, which ends with it. */
export async function started(
  { host, port }: ServerAddress,
  start: (folder: string, file: string) => Promise<Running>,
): Promise<OutsideServer> {
  const folder = await mkdtemp(join(tmpdir(), 'outside-'));
  let program: Running;
  try {
    program = await start(folder, join(folder, 'conf'));
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  const upstream = `${host}:${port}`;
  return {
    upstream,
    address: serverAddressFrom(upstream),
    async stop(): Promise<void> {
      await program.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
