/**
 * Questions at the borders of what a cluster says: the names that it has or had or could have, and those one step beside them.
 * Knows no answers.
 */

import fc from 'fast-check';

import type { Count } from '../../zones/units.ts';
import type { ModelQuestion } from '../support/model/world.ts';
import type { RawObject } from '../support/raw-objects.ts';
import { dashedLabels } from './address-names.ts';
import { addressName, HEAD_TYPES, namesOf, SERVICE_TYPES, type Candidate, type Labels } from './names.ts';
import { isTroubled, OUTSIDE_NAMES, SHADOWED_NAMES } from './outside.ts';
import type { Palette } from './palettes.ts';
import type { Manner } from './query.ts';
import { SEARCH_TYPES, searchesOf } from './searches.ts';
import type { Setting } from './settings.ts';
import { fitting, spelled, TWISTS } from './twists.ts';

/** How to choose a question, whatever the cluster holds. */
export type Recipe = {
  /** Of the categories, of the names there, of the zones. */
  readonly category: number;
  readonly nth: number;
  readonly zone: number;
  readonly twists: readonly { readonly twist: number; readonly nth: number }[];
  /** Of the types that make sense at the name, or of all. */
  readonly type: number;
  readonly isAnyType: boolean;
  /** Which letters are in upper case. */
  readonly letters: number;
  readonly manner: Manner;
};

/** A question and how it is asked. */
export type AskedQuestion = { readonly question: ModelQuestion; readonly manner: Manner };

/** Every type that is asked of a single name. */
const QUESTION_TYPES: readonly string[] = [
  'A',
  'NS',
  'CNAME',
  'SOA',
  'NULL',
  'PTR',
  'HINFO',
  'MX',
  'TXT',
  'AAAA',
  'SRV',
  'NAPTR',
  'DNAME',
  'DS',
  'DNSKEY',
  'SVCB',
  'HTTPS',
  'ANY',
  'CAA',
  'TYPE65280',
];

/** What questions are made from. */
export type Ground = {
  readonly setting: Setting;
  readonly palette: Palette;
  readonly objects: readonly RawObject[];
  /** Objects that came, changed or went just now. */
  readonly touched: readonly RawObject[];
};

/** Random recipes. */
export function recipesFrom(): fc.Arbitrary<Recipe> {
  const twist = fc.record({ twist: fc.nat({ max: TWISTS.length - 1 }), nth: fc.nat({ max: 99 }) });
  return fc.record({
    category: fc.nat({ max: 9_999 }),
    nth: fc.nat({ max: 9_999 }),
    zone: fc.nat({ max: 9_999 }),
    twists: fc.oneof(
      { weight: 12, arbitrary: fc.constant([]) },
      { weight: 5, arbitrary: fc.tuple(twist) },
      { weight: 1, arbitrary: fc.tuple(twist, twist) },
    ),
    type: fc.nat({ max: 9_999 }),
    isAnyType: oneIn(4),
    letters: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 0xffff }) }),
    manner: fc
      .record({
        payloadSize: fc.constantFrom(undefined, undefined, 1232, 4096, 512, 0),
        dnssecOk: fc.boolean(),
        recursionDesired: fc.boolean(),
        checkingDisabled: fc.boolean(),
        option: fc.constantFrom(undefined, undefined, undefined, 10, 12, 65_001),
      })
      .map(({ dnssecOk, ...manner }) => ({ ...manner, dnssecOk: dnssecOk && manner.payloadSize !== undefined })),
  });
}

/** Answers recipes for one moment of a cluster. */
export function questionsOf(ground: Ground): (recipe: Recipe) => AskedQuestion {
  const categories = categoriesOf(ground);
  const zones = zonesOf(ground.setting);
  return ({ category, nth, zone, twists, type, isAnyType, letters, manner }) => {
    const { labels, under, types } = pick(pick(categories, category), nth);
    let name: Labels =
      under === 'nothing' ? labels : [...labels, ...pick(zone % 16 === 0 ? zones.all : zones[under], zone)];
    for (const { twist, nth: n } of twists) name = pick(TWISTS, twist)(name, n, ground.palette);
    const isSearch = types === SEARCH_TYPES;
    const chosen = pick(isAnyType ? (isSearch ? SEARCH_TYPES : QUESTION_TYPES) : types, type);
    // With two blocks a DS question at an apex is the parent's (RFC 4035 section 3.1.4.1), who is somebody else here.
    const isParents = chosen === 'DS' && ground.setting.ownBlock;
    const question = { labels: spelled(fitting(name), letters), type: isParents ? 'DNSKEY' : chosen };
    // Those who walk search lists desire recursion, nearly always.
    const asStubs = { ...manner, recursionDesired: manner.recursionDesired || nth % 8 !== 0 };
    // Without completion nobody asks for what leads to silence, and what is cached of a failure says so (RFC 8914 section 4.14).
    const isAvoided = ground.setting.completion !== undefined && isTroubled(question);
    return {
      question: isAvoided ? { ...question, labels: labelsOf('www.example.org') } : question,
      manner: isSearch ? asStubs : manner,
    };
  };
}

type Zones = { readonly [under in 'cluster' | 'clusterset' | 'all']: readonly Labels[] };

/** Where one kind of zone is not served, its names are asked for in the other. */
function zonesOf({ options }: Setting): Zones {
  const names = options.zones.filter((zone) => !/(?:in-addr|ip6)\.arpa\.$/.test(zone));
  const clusterset = names.filter((zone) => options.multicluster.includes(zone));
  const cluster = names.filter((zone) => !options.multicluster.includes(zone));
  return {
    all: options.zones.map(labelsOf),
    cluster: (cluster.length > 0 ? cluster : names).map(labelsOf),
    clusterset: (clusterset.length > 0 ? clusterset : names).map(labelsOf),
  };
}

/** Each one stands there as often as it weighs; those without names are left out. */
function categoriesOf({ setting, palette, objects, touched }: Ground): readonly (readonly Candidate[])[] {
  // What is in no namespace has no names, and is asked for less.
  const there = new Set(objects.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name));
  const isThere = ({ kind, metadata }: RawObject): boolean =>
    kind === 'Namespace' || there.has(metadata.namespace ?? '');
  const known = namesOf(objects.filter(isThere));
  const news = namesOf(touched.filter(isThere));
  const recent = [
    ...news.services,
    ...news.services,
    ...news.ports,
    ...news.endpoints,
    ...news.pods,
    ...news.addresses,
    ...(setting.options.zonal ? news.zonal : []),
  ];
  const hidden = Object.values(namesOf(objects.filter((object) => !isThere(object)))).flat();
  const categories: readonly (readonly [weight: Count, names: readonly Candidate[]])[] = [
    [5, known.services],
    [5, recent],
    [2, known.aliases],
    [3, known.ports],
    [3, known.endpoints],
    [1, known.others],
    [2, known.addresses],
    [1, known.aboveAddresses],
    [2, known.pods],
    [1, known.namespaces],
    [3, setting.options.zonal ? known.zonal : []],
    [3, setting.options.multicluster.length > 0 ? known.imported : []],
    [1, hidden],
    [1, absentNames(palette)],
    [1, otherAddresses(setting, palette)],
    [2, headNames()],
    [1, outsideNames([...palette.targets, ...OUTSIDE_NAMES])],
    [1, setting.options.fallthrough === undefined ? [] : outsideNames(SHADOWED_NAMES)],
    [90, searchesOf(setting, palette, objects.filter(isThere), touched)],
  ];
  return categories.flatMap(([weight, names]) =>
    names.length === 0 ? [] : Array.from({ length: weight }, () => names),
  );
}

/** Names that objects could have had. */
function absentNames({ namespaces, services, ipv4, ipv6 }: Palette): readonly Candidate[] {
  return namespaces.flatMap((namespace): readonly Candidate[] => [
    ...services.map((service): Candidate => ({
      labels: [service, namespace, 'svc'],
      under: 'cluster',
      types: SERVICE_TYPES,
    })),
    ...[...ipv4, ...ipv6].flatMap(dashedLabels).map((label): Candidate => ({
      labels: [label, namespace, 'pod'],
      under: 'cluster',
      types: ['A', 'AAAA'],
    })),
  ]);
}

function otherAddresses({ localAddresses }: Setting, { ipv4, ipv6 }: Palette): readonly Candidate[] {
  return [...localAddresses, ...ipv4, ...ipv6].map(addressName);
}

/** The apex and what stands there in every zone. */
function headNames(): readonly Candidate[] {
  const heads = [[], [], [], ['svc'], ['pod'], ['dns'], ['ns', 'dns'], ['ns', 'dns'], ['dns-version'], ['hostmaster']];
  return (['cluster', 'clusterset'] as const).flatMap((under) =>
    heads.map((labels) => ({ labels, under, types: HEAD_TYPES })),
  );
}

function outsideNames(names: readonly string[]): readonly Candidate[] {
  return names
    .filter((name) => !name.includes(':'))
    .map((name) => ({ labels: labelsOf(name), under: 'nothing', types: [...SERVICE_TYPES, 'PTR'] }));
}

function labelsOf(name: string): Labels {
  return name.split('.').filter((label) => label !== '');
}

function oneIn(count: number): fc.Arbitrary<boolean> {
  return fc.integer({ min: 1, max: count }).map((n) => n === 1);
}

function pick<T>(items: readonly T[], nth: number): T {
  return items[nth % items.length] as T; // nobody asks for one of none
}
