/**
 * A cluster made from a seed, with services of every kind that Kubernetes has, as objects of its API. Knows nothing of what
 * is asked about it.
 */

import { rawNamespace, rawPod, rawService, rawSlice, type RawObject } from '../support/raw-objects.ts';
import type { Random } from '../support/random.ts';

/** What a question or an explanation needs to know of it. */
export type Cluster = {
  readonly objects: readonly RawObject[];
  /** How `kubernetes` shows it: lines of its directive, and the TTL that they say. */
  readonly options: readonly string[];
  readonly ttl: number;
  /** Those that are shown. */
  readonly namespaces: readonly string[];
  /** Addresses of services and ready endpoints in the others. */
  readonly hidden: readonly string[];
  /** Ports of some service, each once. */
  readonly ports: readonly NamedPort[];
};

export type NamedPort = { readonly name: string; readonly protocol: 'TCP' | 'UDP' | 'SCTP' };

/** The zones that are made from it: two of names, and two whose names are addresses. */
export const ZONES: readonly string[] = ['cluster.local', 'second.example', '10.in-addr.arpa', 'd.f.ip6.arpa'];
/** Where an ExternalName may lead in one of them. */
const NAME_ZONES = ['cluster.local', 'cluster.local', 'second.example'];

const NAMESPACES = 40;
const SERVICES = 400;
const PODS = 200;
const PORTS: readonly NamedPort[] = [
  { name: 'http', protocol: 'TCP' },
  { name: 'dns', protocol: 'UDP' },
  { name: 'dns', protocol: 'TCP' },
  { name: 'sctp', protocol: 'SCTP' },
  { name: 'tcp', protocol: 'TCP' },
  { name: 'p-1', protocol: 'UDP' },
];
/** Words that mean something elsewhere in a name. */
const NAMES = [
  'svc',
  'pod',
  'dns',
  'ns',
  'tcp',
  'udp',
  'http',
  'com',
  'a',
  'constructor',
  '0',
  '10-0-0-1',
  'x'.repeat(63),
];

export function clusterFrom(random: Random): Cluster {
  const maker = new Maker(random);
  for (let i = 0; i < SERVICES; i++) maker.addService();
  for (let i = 0; i < PODS; i++) maker.addPod();
  const isPartly = random.once(3);
  const namespaces = isPartly ? maker.namespaces.filter(() => random.once(2)) : maker.namespaces;
  const ttl = random.of([0, 5, 30, 300, 900, 3600]);
  const options = [
    `ttl ${ttl}`,
    random.once(4) ? 'pods disabled' : 'pods verified',
    ...(isPartly ? [`namespaces ${namespaces.join(' ')}`] : []),
    ...(random.once(3) ? ['endpoint_pod_names'] : []),
    ...(random.once(3) ? ['ignore empty_service'] : []),
  ];
  const hidden = maker.addresses.filter(({ namespace }) => !namespaces.includes(namespace));
  return {
    objects: maker.objects,
    options,
    ttl,
    namespaces,
    hidden: hidden.map(({ address }) => address),
    ports: PORTS,
  };
}

class Maker {
  readonly objects: RawObject[] = [];
  readonly namespaces: readonly string[];
  /** Those that have a name where their namespace is shown. */
  readonly addresses: { readonly namespace: string; readonly address: string }[] = [];
  readonly #random: Random;
  /** `name.namespace` of the services so far. */
  readonly #services = new Set<string>();
  #address = 0;

  constructor(random: Random) {
    this.#random = random;
    const numbered = Array.from({ length: NAMESPACES }, (_, i) => `team-${i}`);
    this.namespaces = [...NAMES, ...numbered].slice(0, NAMESPACES);
    for (const name of this.namespaces) this.objects.push(rawNamespace(name));
  }

  addService(): void {
    const random = this.#random;
    // The last few stay empty.
    const namespace = random.of(this.namespaces.slice(0, -4));
    const name = random.once(6) ? random.of(NAMES) : `s${this.#services.size}`;
    if (/^[0-9]/.test(name) || this.#services.has(`${name}.${namespace}`)) return;
    this.#services.add(`${name}.${namespace}`);
    const make = random.weighted([
      [5, () => this.#addClusterIP(namespace, name)],
      [4, () => this.#addHeadless(namespace, name)],
      [2, () => this.#addExternalName(namespace, name)],
    ]);
    make();
  }

  addPod(): void {
    const family = this.#random.once(3) ? 6 : 4;
    const pod = rawPod(this.#random.of(this.namespaces.slice(0, -2)), `pod-${this.objects.length}`, this.#next(family));
    this.objects.push(pod);
  }

  #addClusterIP(namespace: string, name: string): void {
    const clusterIPs = this.#families().map((family) => this.#next(family, 96));
    for (const address of clusterIPs) this.addresses.push({ namespace, address });
    const ports = this.#ports();
    this.objects.push(rawService(namespace, name, { clusterIP: clusterIPs[0], clusterIPs, ports, selector: {} }));
    if (!this.#random.once(5)) this.#addSlices(namespace, name, ports);
  }

  #addHeadless(namespace: string, name: string): void {
    const ports = this.#ports();
    this.objects.push(rawService(namespace, name, { clusterIP: 'None', clusterIPs: ['None'], ports, selector: {} }));
    if (!this.#random.once(6)) this.#addSlices(namespace, name, ports);
  }

  /** Outside names, names of services that are there and that are not, names of the other zones, and itself. */
  #addExternalName(namespace: string, name: string): void {
    const random = this.#random;
    const zone = random.of(NAME_ZONES);
    const known = random.of([...this.#services]);
    const externalName = random.weighted([
      [3, 'www.example.org'],
      [5, `${known}.svc.${zone}`],
      [1, `_http._tcp.${known}.svc.${zone}`],
      [2, `S${random.below(SERVICES)}.${random.of(this.namespaces)}.svc.Cluster.Local`],
      [1, `nosuch.${namespace}.svc.${zone}`],
      [1, `below.${name}.${namespace}.svc.${zone}`],
      [1, `${namespace}.svc.${zone}`],
      [1, `dns-version.${zone}`],
      [1, '1.0.96.10.in-addr.arpa'],
    ]);
    this.objects.push(
      rawService(namespace, name, {
        type: 'ExternalName',
        externalName,
        clusterIP: '',
        clusterIPs: [],
        ports: [],
        selector: {},
      }),
    );
  }

  #addSlices(namespace: string, name: string, ports: readonly object[]): void {
    const random = this.#random;
    for (const family of this.#families()) {
      for (let part = 0; part <= random.below(2); part++) {
        const endpoints = Array.from({ length: random.below(5) }, (_, i) => ({
          address: this.#next(family),
          ready: !random.once(6),
          podName: `${name}-${part}-${i}`.slice(-60).replace(/^-+/, ''),
          ...(random.once(2) ? { hostname: `${random.of(['db', 'web', 'tcp'])}-${i}` } : {}),
        }));
        for (const { address, ready } of endpoints) if (ready) this.addresses.push({ namespace, address });
        const fields = { addressType: `IPv${family}`, ports: ports.map((port) => ({ ...port, port: 8080 + part })) };
        this.objects.push(rawSlice(namespace, name, `v${family}-${part}`, endpoints, fields));
      }
    }
  }

  #families(): readonly (4 | 6)[] {
    return this.#random.of([[4], [4], [6], [4, 6], [6, 4]] as const);
  }

  /** Named ports, each pair of name and protocol once, or a single one without a name. */
  #ports(): readonly object[] {
    const random = this.#random;
    if (random.once(4)) return [{ protocol: 'TCP', port: 80 }];
    return PORTS.filter(() => random.once(3)).map((port) => ({
      ...port,
      port: random.of([53, 80, 443]) + random.below(3),
    }));
  }

  /** An address nobody had before, or now and then one that somebody had: pods share their nodes' addresses. */
  #next(family: 4 | 6, network = 244): string {
    const isOld = network === 244 && this.#address > 20 && this.#random.once(8);
    const number = isOld ? this.#random.below(this.#address) : this.#address++;
    if (family === 4) return `10.${network}.${number >> 6}.${number & 63}`;
    return number % 5 === 0 ? `fd00:${network}::${number.toString(16)}` : `fd00:${network}:${number.toString(16)}::`;
  }
}
