/** What can be asked in a bench: which cluster, which questions, and their answers. Knows no server. */

import type { Count } from '../zones/units.ts';
import { addressQuestion, type BenchQuestion } from './question.ts';
import { addressAt, addressesOf, nameOf, namespaceOf, servicesOf, ZONE, type BenchService } from './services.ts';

export type Workload = {
  readonly services: readonly BenchService[];
  /** Asked in this order, over and over. */
  readonly questions: readonly BenchQuestion[];
  /** `zone`: a server with the zone's records can answer; `resolver`: only one that asks others, and remembers. */
  readonly needs: 'zone' | 'resolver';
};

/** By name: a workload of so many names. */
export const WORKLOADS: ReadonlyMap<string, (names: Count) => Workload> = new Map([
  ['cluster', cluster],
  ['denial', denial],
  ['headless', headless],
  ['cached', cached],
]);

/** A of ClusterIP services. */
function cluster(names: Count): Workload {
  const services = servicesOf(names, 'ClusterIP', 0);
  return { services, questions: questionsOf(services), needs: 'zone' };
}

/** Names of the world outside behind each of a pod's search domains: what `ndots:5` makes of every one of them. */
function denial(names: Count): Workload {
  const questions = Array.from({ length: names }, (_, i) => {
    const domains = [`${namespaceOf(i)}.svc.${ZONE}`, `svc.${ZONE}`, ZONE];
    return addressQuestion(`${outsideName(i)}.${domains[i % domains.length]}`, []);
  });
  return { services: servicesOf(names, 'ClusterIP', 0), questions, needs: 'zone' };
}

/** A of headless services, ten addresses each. */
function headless(names: Count): Workload {
  const services = servicesOf(names, 'headless', 10);
  return { services, questions: questionsOf(services), needs: 'zone' };
}

/** Names of the world outside, each asked of the upstream once. */
function cached(names: Count): Workload {
  const questions = Array.from({ length: names }, (_, i) => addressQuestion(outsideName(i), [outsideAddress(i)]));
  return { services: [], questions, needs: 'resolver' };
}

/** A of every service. */
export function questionsOf(services: readonly BenchService[]): readonly BenchQuestion[] {
  return services.map((service) => addressQuestion(nameOf(service), addressesOf(service)));
}

/** The address of `host-I.example.org`, from the range for benchmarks (RFC 2544 appendix C.2.2). */
export function outsideAddress(i: number): string {
  return addressAt([198, 18], i);
}

function outsideName(i: number): string {
  return `host-${i}.example.org`;
}
