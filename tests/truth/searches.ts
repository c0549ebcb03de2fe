/**
 * The first tries of clients that walk a search list: what they look for, with the first element of their list behind it. Knows no
 * answers.
 */

import type { RawObject } from '../support/raw-objects.ts';
import { dashedLabels } from './address-names.ts';
import { namesOf, type Candidate, type Labels } from './names.ts';
import type { Palette } from './palettes.ts';
import type { Setting } from './settings.ts';

/** @param objects what the cluster holds; @param touched what came, changed or went just now */
export function searchesOf(
  { options, completion }: Setting,
  palette: Palette,
  objects: readonly RawObject[],
  touched: readonly RawObject[],
): readonly Candidate[] {
  if (completion === undefined) return [];
  const zones = options.zones.filter((zone) => !/(?:in-addr|ip6)\.arpa\.$/.test(zone));
  const own = zones.filter((zone) => !options.multicluster.includes(zone));
  const there = objects.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name);
  const firstsIn = (namespaces: readonly string[], under: readonly string[]): readonly Labels[] =>
    namespaces.flatMap((namespace) => under.map((zone) => [namespace, 'svc', ...labelsOf(zone)]));
  const firsts = [
    ...Array.from({ length: 5 }, () => firstsIn(there, own)).flat(),
    ...firstsIn([...palette.namespaces, 'nosuch'], own),
    ...firstsIn(there.slice(0, 1), zones),
    ...(completion.searches ?? []).slice(0, 1).flatMap((first) => Array.from({ length: 20 }, () => labelsOf(first))),
  ];
  const bases = [
    ...Array.from({ length: 8 }, () => palette.searched.map(labelsOf)).flat(),
    ...insideNames(objects, own),
    ...insideNames(touched, own),
    ...palette.services.map((name) => [name]),
    ...palette.services.flatMap((name) => palette.namespaces.slice(0, 2).map((namespace) => [name, namespace])),
    ...ODD,
  ];
  return bases.flatMap((base) =>
    firsts.map((first): Candidate => ({ labels: [...base, ...first], under: 'nothing', types: SEARCH_TYPES })),
  );
}

/** What stubs, browsers and mail servers look for. */
export const SEARCH_TYPES: readonly string[] = 'A AAAA A AAAA A AAAA HTTPS SVCB MX TXT CNAME ANY SRV DS TYPE200'.split(
  ' ',
);

const ODD: readonly Labels[] = [
  ['com'],
  ['dev'],
  ['nosuch', 'example', 'org'],
  ['nosuch', 'corp', 'internal'],
  ['_dmarc', 'example', 'org'],
  ['a_b', 'example', 'com'],
  ['_http', '_tcp', 'web'],
  ['ns', 'dns'],
  ['dns-version'],
  ['extra', 'default', 'svc', 'cluster', 'local'],
  ['printer'],
];

/** Services, endpoints and pods as their clients may write them: by more and more of their names. */
function insideNames(objects: readonly RawObject[], zones: readonly string[]): readonly Labels[] {
  const { services, endpoints, pods } = namesOf(objects);
  return [
    ...services.flatMap(({ labels }) => [labels.slice(0, 2), labels.slice(0, 2), labels]),
    ...services.flatMap(({ labels }) => zones.slice(0, 2).map((zone) => [...labels, ...labelsOf(zone)])),
    ...services.map(({ labels }) => ['x', ...labels.slice(0, 2)]),
    ...endpoints.slice(0, 6).flatMap(({ labels }) => [labels.slice(0, -2), labels.slice(0, -1)]),
    ...pods.slice(0, 3).map(({ labels }) => labels),
    ...dashedLabels('10.0.0.1').map((label) => [label, 'default', 'pod']),
  ];
}

function labelsOf(name: string): Labels {
  return name.split('.').filter((label) => label !== '');
}
