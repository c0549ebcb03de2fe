/** What is printed at the start. Knows nothing of the log. */

import { present, ROOT, type Name } from '../../zones/name.ts';
import type { Plan } from '../plan.ts';
import { PUBLIC_TLDS_DATE } from '../completion/public-tlds.ts';
import { PROGRAM } from '../version.ts';
import { bannerOf } from './planner.ts';

/** What the program runs on. */
export type Surroundings = {
  /** `linux/x64` */
  readonly platform: string;
  /** `v26.9.0` of Node.js, where CoreDNS shows its Go version. */
  readonly runtime: string;
  /** The commit it was made from; empty if nobody said. */
  readonly revision: string;
};

/** The two lines that say which program it is, as CoreDNS prints them. */
export function programLines({ platform, runtime, revision }: Surroundings): readonly string[] {
  return [PROGRAM, [platform, `node ${runtime}`, ...(revision === '' ? [] : [revision])].join(', ')];
}

/** What `-version` prints: those, and how old what was built in is. */
export function versionLines(surroundings: Surroundings): readonly string[] {
  return [...programLines(surroundings), `public TLDs of ${PUBLIC_TLDS_DATE}`];
}

/** What is served where, and by which program. */
export function startLines(plan: Plan, surroundings: Surroundings): readonly string[] {
  return [...bannerOf(plan), ...programLines(surroundings)];
}

/**
 * Commands to copy for who looks at the demo: names of fixtures/clusters/demo, asked where the plan listens.
 * @param zone the cluster's
 */
export function demoLines(plan: Plan, zone: Name | undefined): readonly string[] {
  const [listener] = plan.listeners;
  if (listener === undefined || zone === undefined || zone === ROOT) return [];
  const server = `@${listener.host === '' ? '127.0.0.1' : listener.host} -p ${listener.port}`;
  const domain = present(zone).slice(0, -1);
  return [
    'This is the demo: the shop in fixtures/clusters/demo. Ask it, and change a file there to see the next answer change:',
    ...DEMO_QUESTIONS.map((question) => `  dig ${server} ${question.replace('ZONE', domain)}`),
  ];
}

/** A Service with both families, the pods of a StatefulSet by their port, an outside name behind a Service. */
const DEMO_QUESTIONS: readonly string[] = [
  'web.shop.svc.ZONE',
  '_postgres._tcp.db.shop.svc.ZONE SRV',
  'gateway.payments.svc.ZONE',
];
