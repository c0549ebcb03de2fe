/**
 * Questions about zones, biased to where a server can be wrong: at names, beside, above and below them, in every type and in
 * odd spellings. Knows which names the zones have, nothing of answers.
 */

import type { Cluster } from './cluster.ts';
import type { Random } from '../support/random.ts';

export type Question = { readonly name: string; readonly type: string };

/** What the zones have: each owner with the types of its records. Without final dots. */
export type Owners = ReadonlyMap<string, readonly string[]>;

export class Questioner {
  readonly #random: Random;
  readonly #cluster: Cluster;
  readonly #zones: readonly string[];
  readonly #owners: Owners;
  readonly #names: readonly string[];

  constructor(random: Random, cluster: Cluster, zones: readonly string[], owners: Owners) {
    this.#random = random;
    this.#cluster = cluster;
    this.#zones = zones;
    this.#owners = owners;
    this.#names = [...owners.keys()];
  }

  next(): Question {
    const random = this.#random;
    const base = random.of(this.#names);
    let name = base;
    for (let changes = random.weighted(CHANGES); changes > 0; changes--) name = this.#changed(name);
    if (!isName(name)) name = base;
    const known = this.#owners.get(name) ?? [];
    const type = known.length > 0 && !random.once(3) ? random.of(known) : random.weighted(TYPES);
    return { name: random.once(8) ? oddlySpelled(name, random) : name, type };
  }

  #changed(name: string): string {
    const random = this.#random;
    const labels = name.split('.');
    const [first = '', ...rest] = labels;
    const change = random.weighted<() => string>([
      [6, () => rest.join('.')],
      [3, () => labels.slice(random.below(labels.length)).join('.')],
      [4, () => [random.of(LABELS), name].join('.')],
      [3, () => [random.of(LABELS), ...rest].join('.')],
      [3, () => [this.#otherLabel(), ...rest].join('.')],
      [3, () => [first, this.#otherLabel(), ...rest.slice(1)].join('.')],
      [3, () => this.#portOf(name)],
      [2, () => labels.map((label) => label.replace(/^_/, '')).join('.')],
      [2, () => labels.map((label, i) => (random.once(2) && i < 2 ? label.replace(/^_/, '') : label)).join('.')],
      [2, () => [changedCharacter(first, random), ...rest].join('.')],
      [2, () => `${random.of(this.#cluster.namespaces)}.${random.of(['svc', 'pod'])}.${random.of(this.#zones)}`],
      [
        2,
        () => `${first}.${random.of(this.#cluster.namespaces)}.${random.of(['svc', 'pod'])}.${random.of(this.#zones)}`,
      ],
      [1, () => `${first}.${random.of(this.#zones)}`],
      [1, () => `${random.of(LABELS)}.${random.of(this.#zones)}`],
      [1, () => random.of(this.#zones)],
      [1, () => random.of(OUTSIDE)],
    ]);
    return change();
  }

  /** The first label of some other name. */
  #otherLabel(): string {
    return this.#random.of(this.#names).split('.', 1)[0] ?? '';
  }

  /** A `_port._protocol` name below, right or not. */
  #portOf(name: string): string {
    const { name: port, protocol } = this.#random.of(this.#cluster.ports);
    const labels = [`_${port}`, `_${protocol.toLowerCase()}`, name];
    return labels.slice(this.#random.below(2)).join('.');
  }
}

const CHANGES = [
  [8, 0],
  [9, 1],
  [4, 2],
  [1, 3],
] as const;

const TYPES: readonly (readonly [weight: number, type: string])[] = [
  [8, 'A'],
  [6, 'AAAA'],
  [6, 'SRV'],
  [4, 'PTR'],
  [3, 'TXT'],
  [3, 'CNAME'],
  [2, 'NS'],
  [2, 'SOA'],
  [1, 'MX'],
  [1, 'ANY'],
  [1, 'DS'],
  [1, 'DNSKEY'],
  [1, 'NSEC'],
  [1, 'RRSIG'],
  [1, 'HTTPS'],
  [1, 'SVCB'],
  [1, 'CAA'],
  [1, 'NAPTR'],
  [1, 'DNAME'],
  [1, 'HINFO'],
  [1, 'TYPE65280'],
];

/** Labels that mean something in some name, and some that mean nothing anywhere. */
const LABELS = [
  '*',
  '_tcp',
  '_udp',
  'tcp',
  '_http',
  'svc',
  'pod',
  'dns',
  'ns',
  'dns-version',
  'any',
  '10-244-0-1',
  '0',
  '01',
  '00',
  '1',
  '255',
  '256',
  'f',
  'ff',
  '-',
  '_',
  '__tcp',
  'nosuch',
  'x'.repeat(63),
];

const OUTSIDE = [
  'example.org',
  'local',
  'arpa',
  'in-addr.arpa',
  '11.in-addr.arpa',
  'xcluster.local',
  'svc.cluster.locals',
];

function changedCharacter(label: string, random: Random): string {
  const at = random.below(label.length);
  return label.slice(0, at) + random.of(['a', '0', '-', '_', 'z', '9']) + label.slice(at + random.below(2));
}

function oddlySpelled(name: string, random: Random): string {
  return name.replace(/[a-z]/g, (letter) => (random.once(2) ? letter.toUpperCase() : letter));
}

/** Can it be sent? Labels of 1 to 63 octets, 255 in all (RFC 1035 section 2.3.4). */
function isName(name: string): boolean {
  return name.length <= 253 && name.split('.').every((label) => label.length >= 1 && label.length <= 63);
}
