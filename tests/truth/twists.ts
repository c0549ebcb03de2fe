/** Steps from a name to one beside it, and to the limits of what a name may be. Knows no cluster. */

import { nameSize } from '../support/message-octets.ts';
import type { Labels } from './names.ts';
import type { Palette } from './palettes.ts';

/** One step; `nth` chooses where there is a choice. */
export type Twist = (name: Labels, nth: number, palette: Palette) => Labels;

const ODD_LABELS: readonly string[] = [
  '\0',
  ' ',
  ...'a.b|\xff|*|web\\|_|-|\xe4|[|@|_tcp|_udp|_http|tcp|_zone|0|x|1|a|f'.split('|'),
];

export const TWISTS: readonly Twist[] = [
  // Up.
  (name) => name.slice(1),
  (name) => name.slice(1),
  (name, nth) => name.slice(1 + (nth % 3)),
  // Down, and aside.
  (name, nth) => [pick(ODD_LABELS, nth), ...name],
  (name, nth) => [pick(ODD_LABELS, nth), ...name.slice(1)],
  (name, nth, palette) => [pick(labelsOf(palette), nth), ...name],
  (name, nth, palette) => [pick(labelsOf(palette), nth), ...name.slice(1)],
  (name, nth) => [pick(['_http', '_https', '_a', '_'], nth), pick(['_tcp', '_udp', 'tcp', '_TCP'], nth >> 2), ...name],
  // Underscores dropped or added.
  (name) => name.map((label) => label.replace(/^_/, '')),
  (name) => name.map((label, i) => (i === 0 ? label.replace(/^_/, '') : label)),
  (name, nth) => name.map((label, i) => (i === nth % 3 ? `_${label}` : label)),
  // A label dropped, doubled, or moved.
  (name, nth) => name.toSpliced(at(name, nth), 1),
  (name, nth) => name.toSpliced(at(name, nth), 0, name[at(name, nth)] ?? 'x'),
  (name, nth) => [...name.slice(1, 2), ...name.slice(0, 1), ...name.slice(2 + (nth % 2))],
  // Another namespace, another kind.
  (name, nth, { namespaces }) => (name.length > 1 ? name.with(1, pick(namespaces, nth)) : name),
  (name) => name.map((label) => (label === 'svc' ? 'pod' : label === 'pod' ? 'svc' : label)),
  // A character more or less.
  (name, nth) => [`${name[0] ?? ''}${nth % 10}`, ...name.slice(1)],
  (name) => [(name[0] ?? '').slice(0, -1), ...name.slice(1)],
  (name) => [`0${name[0] ?? ''}`, ...name.slice(1)],
  // As long as a name can be, and one octet more.
  (name, nth) => lengthened(name, 254 + (nth % 3)),
];

/** The name with upper-case letters where `bits`, which begin again after 16, say so. */
export function spelled(name: Labels, bits: number): Labels {
  if (bits === 0) return name;
  let i = 0;
  return name.map((label) =>
    label.replace(/[a-z]/g, (letter) => ((bits >> (i++ % 16)) % 2 === 1 ? letter.toUpperCase() : letter)),
  );
}

/** Without empty labels, no label longer than 63 octets, the whole one octet longer than allowed at most. */
export function fitting(name: Labels): Labels {
  let labels = name.filter((label) => label !== '').map((label) => label.slice(0, 63));
  while (nameSize(labels) > 256) labels = labels.slice(1);
  return labels;
}

/** Labels in front until the name has that many octets. */
function lengthened(name: Labels, length: number): Labels {
  let long = name;
  for (let missing = length - nameSize(long); missing >= 2; missing = length - nameSize(long)) {
    // One octet alone cannot be filled.
    const label = missing > 64 ? (missing === 65 ? 62 : 63) : missing - 1;
    long = ['l'.repeat(label), ...long];
  }
  return long;
}

function labelsOf({ hostnames, services, ports }: Palette): readonly string[] {
  return [...hostnames, ...services, ...ports];
}

function at(name: Labels, nth: number): number {
  return nth % Math.max(1, name.length);
}

function pick(labels: readonly string[], nth: number): string {
  return labels[nth % labels.length] ?? '';
}
