/**
 * The `autopath` directive and what stands around it: makes random ones, writes them as a Corefile for the server and as options for
 * the model. Knows no objects.
 */

import fc from 'fast-check';

import type { ModelCompletion } from '../support/model/world.ts';
import type { Seconds } from '../../zones/units.ts';
import { NODE_DOMAINS, PUBLIC_TLDS } from './outside.ts';

/** One directive, as a Corefile writes it, and the node that the server is on. Plain data. */
export type CompletionSetting = {
  /** Empty for those of the block. */
  readonly zones: readonly string[];
  /** A search list of a file; undefined for `@kubernetes`. */
  readonly searches: readonly string[] | undefined;
  readonly except: readonly string[];
  readonly suffixes: readonly string[];
  /** Lines of a file; undefined for the list that the server has. */
  readonly tlds: readonly string[] | undefined;
  /** Undefined without the option. */
  readonly ttl: Seconds | undefined;
  readonly nodeDomains: readonly string[];
};

/** Files that a directive names. */
export type CompletionFiles = { readonly searches: string; readonly tlds: string };

const TTL: Seconds = 5;

/** @param namespaces those of the cluster; @param zones those of the `kubernetes` directive */
export function completionsFor(
  namespaces: readonly string[],
  zones: readonly string[],
): fc.Arbitrary<CompletionSetting> {
  const [zone = 'cluster.local.'] = zones;
  const under = zone === '.' ? '' : `.${zone}`;
  const firsts = [
    ...namespaces.slice(0, 2).map((namespace) => `${namespace}.svc${under}`),
    `nosuch.svc${under}`,
    `svc${under}`,
    `x${under}`,
    zone,
    'corp.internal.',
  ]
    .filter((name) => name !== '.')
    .map((name) => (name.endsWith('.') ? name : `${name}.`));
  const others = [`svc${under === '' ? '.' : under}`, zone, 'wild.example.com.', 'node.example.net.', 'corp.internal.'];
  return fc.record({
    zones: fc.oneof(
      { weight: 5, arbitrary: fc.constant([]) },
      {
        weight: 1,
        arbitrary: fc.subarray([zone, `svc${under}`, `${namespaces[0] ?? 'x'}.svc${under}`], { minLength: 1 }),
      },
    ),
    searches: fc.oneof(
      { weight: 5, arbitrary: fc.constant(undefined) },
      {
        weight: 1,
        arbitrary: fc
          .tuple(fc.constantFrom(...firsts), fc.shuffledSubarray(others, { maxLength: 3 }))
          .map(([first, rest]) => [first, ...rest]),
      },
    ),
    except: rarely(fc.subarray([...namespaces, 'nosuch'], { minLength: 1, maxLength: 2 })),
    suffixes: rarely(
      fc.subarray(['corp.internal', 'LAN.', 'web.default', 'local', 'internal', 'svc'], { minLength: 1 }),
    ),
    tlds: fc.oneof(
      { weight: 4, arbitrary: fc.constant(undefined) },
      {
        weight: 1,
        arbitrary: fc.subarray(['# Version 1', 'ORG', 'COM', 'LAN', 'internal', 'DEFAULT', 'SVC', 'XN--P1AI'], {
          minLength: 3,
        }),
      },
    ),
    ttl: fc.constantFrom(undefined, undefined, 0, 1, 5, 30, 3600),
    nodeDomains: fc.oneof(
      { weight: 2, arbitrary: fc.constant([]) },
      {
        weight: 3,
        arbitrary: fc.shuffledSubarray([...NODE_DOMAINS], { minLength: 1, maxLength: 3 }),
      },
    ),
  });
}

/** As the Corefile has it, one line each. */
export function linesOfCompletion(setting: CompletionSetting, files: CompletionFiles): readonly string[] {
  const { zones, searches, except, suffixes, tlds, ttl } = setting;
  const options = [
    ...(except.length > 0 ? [`except ${except.join(' ')}`] : []),
    ...(suffixes.length > 0 ? [`suffix ${suffixes.join(' ')}`] : []),
    ...(tlds === undefined ? [] : [`tld ${files.tlds}`]),
    ...(ttl === undefined ? [] : [`ttl ${ttl}`]),
  ];
  const head = ['autopath', ...zones, searches === undefined ? '@kubernetes' : files.searches].join(' ');
  return options.length === 0 ? [head] : [`${head} {`, ...options.map((option) => `    ${option}`), '}'];
}

/** What the files hold. */
export function textsOf({ searches, tlds }: CompletionSetting): CompletionFiles {
  return {
    searches: `# resolv.conf\nnameserver 192.0.2.53\nsearch ${(searches ?? []).join(' ')}\noptions ndots:5\n`,
    tlds: `${(tlds ?? []).join('\n')}\n`,
  };
}

/** @param blockZones zones of the block that the directive stands in */
export function modelCompletionOf(setting: CompletionSetting, blockZones: readonly string[]): ModelCompletion {
  const { zones, searches, except, suffixes, tlds, ttl, nodeDomains } = setting;
  const listed = (tlds ?? PUBLIC_TLDS).filter((tld) => !tld.startsWith('#'));
  return {
    zones: zones.length === 0 ? blockZones : zones,
    searches: searches ?? 'cluster',
    nodeDomains,
    except,
    suffixes: suffixes.map((suffix) => `${suffix.toLowerCase().replace(/\.$/, '')}.`),
    tlds: new Set(listed.map((tld) => tld.toLowerCase())),
    ttl: ttl ?? TTL,
  };
}

function rarely<T>(arbitrary: fc.Arbitrary<readonly T[]>): fc.Arbitrary<readonly T[]> {
  return fc.oneof({ weight: 7, arbitrary: fc.constant([]) }, { weight: 1, arbitrary });
}
