/** A cluster, a world outside, a Corefile's options and a name that a pod looks up: plain data. Knows nothing of how it is played. */

import type { ClusterChange, ClusterObject } from '../../zones/kubernetes/objects.ts';
import type { AddressType } from '../support/resolvers/resolver.ts';
import type { Count, Milliseconds, Seconds } from '../../zones/units.ts';

/** What comes of a question to the outside for one type: a number of addresses, 0 being NODATA, or something else. */
export type Fate = Count | 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED' | 'silence';

/** What the outside has at one name; names without one do not exist. */
export type OutsideName = {
  /** With `*.` in front for all below it. */
  readonly name: string;
  readonly ttl: Seconds;
  readonly a: Fate;
  readonly aaaa: Fate;
  /** In place of the fates. */
  readonly alias: string | undefined;
  /** Answered after a walk's patience, before a client's. */
  readonly isSlow: boolean;
};

export type Scenario = {
  readonly zone: string;
  readonly objects: readonly ClusterObject[];
  readonly outside: readonly OutsideName[];
  readonly nodeDomains: readonly string[];
  /** Its list is that of `autopath @kubernetes`, or of a file. */
  readonly source: string;
  /** Lines in the braces of `autopath`. */
  readonly autopath: readonly string[];
  /** Lines in the braces of `kubernetes`. */
  readonly kubernetes: readonly string[];
  /** Other lines of the block. */
  readonly block: readonly string[];
  /** Zone of a second block, which only forwards. */
  readonly otherBlock: string | undefined;
  /** Of the pod that looks up. */
  readonly namespace: string;
  readonly name: string;
  readonly ndots: Count;
  /** That the program asks for. */
  readonly types: readonly AddressType[];
  /** Words of resolv.conf's `options`. */
  readonly words: readonly string[];
  /** Between one look-up and the next. */
  readonly pause: Milliseconds;
  /** What happens in the cluster before the last look-up. */
  readonly event: readonly ClusterChange[];
  /** What the outside has at that time; undefined if that stays. */
  readonly outsideLater: readonly OutsideName[] | undefined;
};

/** As kubelet writes it (dnsPolicy ClusterFirst). */
export function searchOf({ namespace, zone, nodeDomains }: Scenario): readonly string[] {
  return [`${namespace}.svc.${zone}`, `svc.${zone}`, zone, ...nodeDomains];
}

/** With `autopath` or without. */
export function corefileOf(scenario: Scenario, isCompleted: boolean): string {
  const { zone, source, autopath, kubernetes, block, otherBlock } = scenario;
  const other = otherBlock === undefined ? '' : `${otherBlock}:53 {\n  forward . 192.0.2.1\n}\n`;
  const directive = isCompleted ? `  autopath ${source} {\n${indented(autopath)}  }\n` : '';
  return `.:53 {
${directive}  kubernetes ${zone} {
${indented(kubernetes)}  }
${block.map((line) => `  ${line}\n`).join('')}  forward . 192.0.2.1
}
${other}`;
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `    ${line}\n`).join('');
}

/** For people, and to be played again by hand. */
export function presentScenario(scenario: Scenario): string {
  const { objects, outside, name, types, ndots, words, pause, event, outsideLater } = scenario;
  return [
    corefileOf(scenario, true),
    ...objects.map((object) => `cluster: ${JSON.stringify(object)}`),
    ...outside.map((each) => `outside: ${presentOutside(each)}`),
    `search ${searchOf(scenario).join(' ')}`,
    `options ndots:${ndots} ${words.join(' ')}`,
    `looked up: ${name} ${types.join(' ')}, again after ${pause} ms`,
    ...event.map((change) => `then: ${JSON.stringify(change)}`),
    ...(outsideLater ?? []).map((each) => `then outside: ${presentOutside(each)}`),
  ].join('\n');
}

function presentOutside({ name, ttl, a, aaaa, alias, isSlow }: OutsideName): string {
  const what = alias === undefined ? `A ${a} AAAA ${aaaa}` : `CNAME ${alias}`;
  return `${name} ${ttl} ${what}${isSlow ? ' slow' : ''}`;
}
