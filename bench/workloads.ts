/** What can be asked in a bench: which cluster, which questions, and their answers. Knows no server. */

import { Random } from '../tests/support/random.ts';
import { RRType, Rcode } from '../zones/rr.ts';
import type { Bytes, Count } from '../zones/units.ts';
import { outsideAddress, outsideName, OUTSIDE } from './outside.ts';
import {
  addressQuestion,
  addressRecord,
  countedName,
  pointerRecord,
  questionOf,
  serviceRecord,
  type BenchQuestion,
} from './question.ts';
import { addressesOf, HTTP_PORT, nameOf, namespaceOf, servicesOf, ZONE, type BenchService } from './services.ts';
import { portNameOf, reverseNameOf } from './zone-data.ts';

/** What a server can be asked to do: give records of zones, of those of the world outside too; ask others and remember; answer over TCP. */
export type Ability = 'zone' | 'outside' | 'cache' | 'tcp';

export type Workload = {
  readonly services: readonly BenchService[];
  /** So many outside names must be known. */
  readonly outside: Count;
  /** Asked in this order, over and over. */
  readonly questions: readonly BenchQuestion[];
  /** Asked over UDP until it is answered: the server is there. */
  readonly first?: BenchQuestion;
  readonly needs: readonly Ability[];
  readonly transport: 'udp' | 'tcp';
  /** Is it asked of fivedots in all its ways, and of the floor? */
  readonly comparesWays: boolean;
};

/** By name: a workload of so many names. */
export const WORKLOADS: ReadonlyMap<string, (names: Count) => Workload> = new Map([
  ['cluster', cluster],
  ['mixed', mixed],
  ['denial', denial],
  ['headless', headless],
  ['cached', cached],
  ['big', big],
  ['big-tcp', bigOverTcp],
  ['uncached', uncached],
  ['tcp', overTcp],
]);

const PLAIN = { services: [], outside: 0, needs: ['zone'], transport: 'udp', comparesWays: false } as const;

/** A of ClusterIP services. */
function cluster(names: Count): Workload {
  const services = servicesOf(names, 'ClusterIP', 0);
  return { ...PLAIN, services, questions: questionsOf(services), comparesWays: true };
}

/** The first workload, over connections on each of which many queries are on the way. */
function overTcp(names: Count): Workload {
  return { ...cluster(names), needs: ['zone', 'tcp'], transport: 'tcp', comparesWays: false };
}

/** What a cluster's pods ask: mostly names of the world outside with search domains behind them. */
function mixed(names: Count): Workload {
  const random = new Random(1);
  const services = servicesOf(names, 'ClusterIP', 0);
  const outside = Math.ceil(names / 10);
  const addresses = questionsOf(services);
  const denials = denialsOf(names);
  const kinds: readonly (readonly [Count, (i: Count) => BenchQuestion | undefined])[] = [
    [60, (i) => denials[i]],
    [10, (i) => addresses[i]],
    // AAAA of a service that has A only.
    [10, (i) => only(services[i], (service) => questionOf(nameOf(service), [], { type: RRType.AAAA }))],
    [10, (i) => addressQuestion(outsideName(i % outside), [outsideAddress(i % outside)])],
    [5, (i) => only(services[i], portQuestion)],
    [5, (i) => only(services[i], reverseQuestion)],
  ];
  const questions = Array.from({ length: MIXED_SHARE * names }, () => random.weighted(kinds)(random.below(names)));
  return {
    ...PLAIN,
    services,
    outside,
    questions: questions.filter((question) => question !== undefined),
    needs: ['zone', 'outside'],
    comparesWays: true,
  };
}

/** Names of the world outside behind each of a pod's search domains: what `ndots:5` makes of every one of them. */
function denial(names: Count): Workload {
  return { ...PLAIN, services: servicesOf(names, 'ClusterIP', 0), questions: denialsOf(names) };
}

/** A of headless services, ten addresses each. */
function headless(names: Count): Workload {
  const services = servicesOf(names, 'headless', 10);
  return { ...PLAIN, services, questions: questionsOf(services) };
}

/** Names of the world outside, each asked of the upstream once. */
function cached(names: Count): Workload {
  const questions = Array.from({ length: names }, (_, i) => addressQuestion(outsideName(i), [outsideAddress(i)]));
  return { ...PLAIN, outside: names, questions, needs: ['cache'] };
}

/** A of headless services with so many addresses that UDP has no room for them. */
function big(names: Count): Workload {
  const services = servicesOf(Math.ceil(names / 10), 'headless', BIG_ENDPOINTS);
  const options = { payloadSize: PAYLOAD_SIZE, isTruncated: true };
  const questions = services.map((service) =>
    questionOf(nameOf(service), addressesOf(service).map(addressRecord), options),
  );
  return { ...PLAIN, services, questions };
}

/** What clients ask next. */
function bigOverTcp(names: Count): Workload {
  const { services, questions } = big(names);
  const [first] = questions;
  return {
    ...PLAIN,
    services,
    questions: questionsOf(services),
    ...(first === undefined ? {} : { first }),
    needs: ['zone', 'tcp'],
    transport: 'tcp',
  };
}

/** Names of the world outside that nobody has asked for before. */
function uncached(): Workload {
  const question = questionOf(countedName(0, OUTSIDE), [addressRecord('11.0.0.0')], { isCounted: true });
  return { ...PLAIN, questions: [question], needs: ['cache'] };
}

/** A of every service. */
export function questionsOf(services: readonly BenchService[]): readonly BenchQuestion[] {
  return services.map((service) => addressQuestion(nameOf(service), addressesOf(service)));
}

/** Rounds of all names in the list of mixed questions: each has its share of every kind. */
const MIXED_SHARE: Count = 5;
const BIG_ENDPOINTS: Count = 100;
/** DNS Flag Day 2020's. */
const PAYLOAD_SIZE: Bytes = 1232;

function denialsOf(names: Count): readonly BenchQuestion[] {
  return Array.from({ length: names }, (_, i) => {
    const domains = [`${namespaceOf(i)}.svc.${ZONE}`, `svc.${ZONE}`, ZONE];
    return questionOf(`${outsideName(i)}.${domains[i % domains.length]}`, [], { rcode: Rcode.NXDOMAIN });
  });
}

function portQuestion(service: BenchService): BenchQuestion {
  return questionOf(portNameOf(service), [serviceRecord(0, 100, HTTP_PORT, nameOf(service))], { type: RRType.SRV });
}

function reverseQuestion(service: BenchService): BenchQuestion {
  return questionOf(reverseNameOf(service.clusterIP ?? ''), [pointerRecord(nameOf(service))], { type: RRType.PTR });
}

function only<T>(service: BenchService | undefined, make: (service: BenchService) => T): T | undefined {
  return service === undefined ? undefined : make(service);
}
