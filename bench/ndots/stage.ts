/**
 * The stage that look-ups are played on: a pod with a search list and ndots:5, fivedots as its kube-dns, and the world outside behind unbound. What
 * passes on the wire is captured. Knows no client by what it does.
 */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { startAuthority } from '../../tests/support/authorities.ts';
import { DNS_ADDRESSES, OUTSIDE_ADDRESSES, TestNetwork, type View } from '../../tests/support/namespace.ts';
import { startResolver, type OutsideServer } from '../../tests/support/outside-world.ts';
import { run, Running } from '../../tests/support/programs.ts';
import type { Milliseconds } from '../../zones/units.ts';
import { written } from '../contenders.ts';
import { startWords } from '../fivedots.ts';
import { Capture, type Passed } from './capture.ts';
import type { Client } from './clients.ts';
import {
  FAILING_ZONE,
  INTERNAL_ZONE,
  NODE_DOMAINS,
  publicFaces,
  searchOf,
  SILENT_ZONE,
  zonesFor,
  type NodeDomain,
} from './world.ts';

/** How fivedots is configured, and what the pods' and its own node search. */
export type Setting = { readonly completes: boolean; readonly nodeDomain: NodeDomain };

/** One look-up by one client. */
export type Lookup = {
  readonly outcome: string;
  /** To fivedots. */
  readonly queries: readonly Passed[];
  /** Of fivedots, to the resolver outside. */
  readonly upstream: readonly Passed[];
  /** From the first query to the last packet between client and fivedots. */
  readonly elapsed: Milliseconds;
};

/** A server that runs with a setting. */
export type Scene = {
  /** What goes in front of a command that a pod runs. */
  readonly pod: readonly string[];
  lookUp(client: Client, name: string): Promise<Lookup>;
  /** Each of them at the same time, each with a name of its own. */
  lookUpTogether(lookups: readonly (readonly [client: Client, name: string])[]): Promise<readonly Lookup[]>;
  /** What passed since the last time that anybody asked. */
  passed(): Promise<readonly Passed[]>;
};

export class Stage {
  readonly #network: TestNetwork;
  readonly #capture: Capture;
  readonly #authority: OutsideServer;
  readonly #labels: readonly string[];
  readonly #folder: string;

  private constructor(
    network: TestNetwork,
    capture: Capture,
    authority: OutsideServer,
    labels: readonly string[],
    folder: string,
  ) {
    this.#network = network;
    this.#capture = capture;
    this.#authority = authority;
    this.#labels = labels;
    this.#folder = folder;
  }

  /**
   * @param capture the path of that program
   * @param labels of the names outside
   */
  static async open(capture: string, labels: readonly string[]): Promise<Stage> {
    const network = await TestNetwork.open();
    const folder = await mkdtemp(join(tmpdir(), 'fivedots-ndots-'));
    try {
      const zones = await Promise.all(
        Array.from(zonesFor(labels), async ([name, text]) => ({ name, file: await written(folder, name, text) })),
      );
      await silence(network);
      const place = { host: OUTSIDE_ADDRESSES.authority, port: 53, enter: network.outside };
      const authority = await startAuthority('knotd', place, zones);
      const listening = await Capture.start([...network.cluster, capture]);
      return new Stage(network, listening, authority, labels, folder);
    } catch (error) {
      await network.close();
      await rm(folder, { recursive: true });
      throw error;
    }
  }

  /** Starts the resolver outside and fivedots, both with empty caches, lets `use` have them, and ends them. */
  async with<T>(setting: Setting, use: (scene: Scene) => Promise<T>): Promise<T> {
    const resolver = await this.#startResolver();
    try {
      const server = await this.#startFivedots(setting);
      try {
        return await use(await this.#sceneOf(setting));
      } finally {
        await server.stop();
      }
    } finally {
      await resolver.stop();
    }
  }

  async close(): Promise<void> {
    await this.#capture.close();
    await this.#authority.stop();
    await this.#network.close();
    await rm(this.#folder, { recursive: true });
  }

  #startResolver(): Promise<OutsideServer> {
    const zones = new Map(
      [...zonesFor(this.#labels).keys()]
        .filter((name) => name !== INTERNAL_ZONE)
        .map((name): [string, string] => [name, OUTSIDE_ADDRESSES.authority]),
    );
    zones.set(FAILING_ZONE, OUTSIDE_ADDRESSES.authority);
    zones.set(SILENT_ZONE, SILENT_ADDRESS);
    const place = { host: OUTSIDE_ADDRESSES.resolver, port: 53, enter: this.#network.outside };
    return startResolver(place, zones, ['payments.example.com. 300 IN A 203.0.113.20', ...publicFaces(this.#labels)]);
  }

  async #startFivedots(setting: Setting): Promise<Running> {
    const search = NODE_DOMAINS[setting.nodeDomain];
    const resolvConf = `nameserver ${OUTSIDE_ADDRESSES.resolver}\n${search === undefined ? '' : `search ${search}\n`}`;
    const view = { ...PLAIN, '/etc/resolv.conf': resolvConf, '/run/Corefile': await corefileFor(setting) };
    const node = await this.#network.seeing(view);
    return Running.start(
      [...node, ...(await startWords()), '-conf', '/run/Corefile'],
      async () => (await this.#network.statusOf('http://127.0.0.1:8181/ready')) === 200,
    );
  }

  async #sceneOf({ nodeDomain }: Setting): Promise<Scene> {
    const resolvConf = `nameserver ${DNS_ADDRESSES.v4}\nsearch ${searchOf(nodeDomain).join(' ')}\noptions ndots:5\n`;
    const pod = await this.#network.seeing({ ...PLAIN, '/etc/resolv.conf': resolvConf });
    const capture = this.#capture;
    return {
      pod,
      async lookUp(client, name) {
        await capture.passed();
        const outcome = client.outcome(await run([...pod, ...client.command(name)]));
        return lookupOf(outcome, await capture.passed());
      },
      async lookUpTogether(lookups) {
        await capture.passed();
        const outcomes = await Promise.all(
          lookups.map(async ([client, name]) => client.outcome(await run([...pod, ...client.command(name)]))),
        );
        const all = await capture.passed();
        return lookups.map(([, name], i) =>
          lookupOf(
            outcomes[i] ?? '',
            all.filter((one) => one.name === name || one.name.startsWith(`${name}.`)),
          ),
        );
      },
      passed: () => capture.passed(),
    };
  }
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PLAIN: View = { '/etc/nsswitch.conf': 'hosts: files dns\n', '/etc/hosts': '127.0.0.1 localhost\n' };
const POD_SERVER = `${DNS_ADDRESSES.v4}:53`;
const RESOLVER = `${OUTSIDE_ADDRESSES.resolver}:53`;
const AUTHORITY = `${OUTSIDE_ADDRESSES.authority}:53`;

/** On the cable, but nobody's. */
const SILENT_ADDRESS = '192.0.2.99';

/** Packets to that address leave, and nobody takes them: no error comes back that would tell who asks. */
async function silence(network: TestNetwork): Promise<void> {
  const words = ['neighbour', 'add', SILENT_ADDRESS, 'lladdr', '02:00:00:00:00:99', 'nud', 'permanent', 'dev', 'dns1'];
  const { code, stderr } = await run([...network.outside, 'ip', ...words]);
  if (code !== 0) throw new Error(`ip ${words.join(' ')}: ${stderr}`);
}

/** kubeadm's with the demo's cluster and an end without delay, and a block for the internal zone. */
async function corefileFor({ completes }: Setting): Promise<string> {
  const kubeadm = await readFile(join(ROOT, 'fixtures/corefiles/kubeadm'), 'utf8');
  const corefile = kubeadm
    .replace('lameduck 5s', 'lameduck 0s')
    .replace('pods insecure', `manifests ${join(ROOT, 'fixtures/clusters/demo')}\n       pods insecure`)
    .replace('    ready\n', completes ? '    ready\n    autopath @kubernetes\n' : '    ready\n');
  return `${corefile}${INTERNAL_ZONE}:53 {\n    errors\n    forward . ${AUTHORITY}\n    cache 30\n}\n`;
}

/** Does fivedots ask outside for somebody? Its probes of upstreams and of loops are its own. */
export function isUpstreamQuery({ isQuery, to, name, type }: Passed): boolean {
  return isQuery && (to === RESOLVER || to === AUTHORITY) && name !== '.' && type !== TYPE_HINFO;
}

function lookupOf(outcome: string, passed: readonly Passed[]): Lookup {
  const between = passed.filter(({ from, to }) => from === POD_SERVER || to === POD_SERVER);
  return {
    outcome,
    queries: between.filter(({ isQuery }) => isQuery),
    upstream: passed.filter(isUpstreamQuery),
    elapsed: (between.at(-1)?.at ?? 0) - (between[0]?.at ?? 0),
  };
}

/** Of the probes of `loop`. */
const TYPE_HINFO = 13;
