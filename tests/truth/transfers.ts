/**
 * Whole zones beside single answers: what a transfer says must be what the model says of each name in it, and what was asked
 * for by itself must be in it. Knows nothing of how a zone is transferred.
 */

import { nameFrom } from '../support/model/name.ts';
import { modelReply } from '../support/model/reply.ts';
import type { ModelQuestion, World } from '../support/model/world.ts';
import { isKnown } from '../support/model/zone.ts';
import { presentLabels } from '../support/presentation.ts';
import type { Reply } from '../support/reply.ts';
import { lineOf, serialsOf } from './lines.ts';

/** What is wrong with a transfer. */
export type TransferFault = {
  readonly title: string;
  readonly expected: readonly string[];
  readonly actual: readonly string[];
};

/** @param asked questions whose answers are looked for in the transfer, where they belong there */
export function transferFaults(
  world: World,
  zone: string,
  replies: readonly Reply[],
  asked: readonly ModelQuestion[],
): readonly TransferFault[] {
  const rcode = replies[0]?.rcode ?? 'NOERROR';
  // A zone that is not known whole is not given away (RFC 5936 section 2.2.1 leaves the rcode open).
  const isWhole = isKnown(world, nameFrom(zone));
  const wanted = isWhole ? 'NOERROR' : 'SERVFAIL';
  if (rcode !== wanted) return [{ title: 'another rcode of a transfer', expected: [wanted], actual: [rcode] }];
  if (!isWhole) return [];
  const records = replies.flatMap(({ answer }) => answer);
  const faults: TransferFault[] = [];
  const [start] = records;
  const ends = [start, records.at(-1)].map((record) => (record === undefined ? 'nothing' : lineOf(record)));
  const isFramed = start?.type === 'SOA' && start.owner === zone && ends[0] === ends[1] && records.length > 1;
  const serials = new Set(replies.flatMap(serialsOf));
  if (!isFramed || serials.size !== 1) {
    faults.push({ title: 'a transfer without one SOA record around it', expected: [`${zone} SOA`], actual: ends });
  }
  const sets = Map.groupBy(records.slice(0, -1), ({ owner, type }) => `${owner} ${type}`);
  for (const [key, set] of sets) {
    const [owner = '', type = ''] = key.split(' ');
    const expected = answerLines(world, { labels: labelsOf(owner), type });
    const actual = set.map(lineOf).toSorted();
    if (expected.join() !== actual.join())
      faults.push({ title: 'a set of a transfer is another one', expected, actual });
  }
  for (const question of asked) {
    const key = `${presentLabels(question.labels)} ${question.type}`;
    if (sets.has(key) || !belongs(world, zone, question)) continue;
    const expected = answerLines(ownOf(world), question);
    if (expected.length > 0) faults.push({ title: 'a transfer lacks what there is', expected, actual: [] });
  }
  return faults;
}

/** The world without what others say of names that the cluster does not have. */
function ownOf(world: World): World {
  return { ...world, options: { ...world.options, fallthrough: undefined } };
}

/** What the name itself has; an alias has itself only, whatever is asked. */
function answerLines(world: World, question: ModelQuestion): readonly string[] {
  const { answer, authoritative } = modelReply(world, question);
  const own = `${presentLabels(question.labels)} `;
  const lines = [...answer].filter((line) => line.startsWith(own) && line.split(' ')[3] === question.type);
  return authoritative ? lines.toSorted() : [];
}

/**
 * Is the name the zone's, and one that can be listed? That cannot be names of any pod address there could be, those of ports
 * without their underscores, and of topology zones that no endpoint is in.
 */
function belongs({ options }: World, zone: string, { labels }: ModelQuestion): boolean {
  const name = presentLabels(labels);
  if (name !== name.toLowerCase() || !isIn(name, zone)) return false;
  if (options.zones.some((other) => other.length > zone.length && isIn(name, other))) return false;
  if (/(?:in-addr|ip6)\.arpa\.$/.test(name)) return true;
  const own = labels.slice(0, labels.length - labelsOf(zone).length);
  const [kind] = own.slice(-1);
  if (kind === 'pod') return options.pods === 'verified';
  if (own.includes('_zone')) return false;
  return own.length < 5 || own.slice(0, 2).every((label) => label.startsWith('_'));
}

function isIn(name: string, zone: string): boolean {
  return zone === '.' || name === zone || name.endsWith(`.${zone}`);
}

function labelsOf(name: string): readonly string[] {
  return name.split('.').filter((label) => label !== '');
}
