/**
 * What the server is told besides the cluster: the `kubernetes` directive, the addresses of its machine, the time. Makes
 * random ones, writes them as a Corefile for the server and as options for the model. Knows no objects.
 */

import fc from 'fast-check';

import type { ModelCompletion, ModelOptions } from '../support/model/world.ts';
import type { Seconds } from '../../zones/units.ts';
import {
  completionsFor,
  linesOfCompletion,
  modelCompletionOf,
  type CompletionFiles,
  type CompletionSetting,
} from './completion-settings.ts';

/** One configuration of the server. Plain data. */
export type Setting = {
  readonly options: ModelOptions;
  /** The zones as the Corefile writes them. */
  readonly zones: readonly string[];
  readonly fallthrough: readonly string[];
  /** Do the zones stand at the head of a block of their own instead of behind `kubernetes`? */
  readonly ownBlock: boolean;
  readonly localAddresses: readonly string[];
  /** Seconds since 1970 when the cluster is first seen. */
  readonly time: Seconds;
  /** Undefined without `autopath`. */
  readonly completion: CompletionSetting | undefined;
  /** The most seconds of `cache`; undefined without it. With it time stands still, but for what passes between moments. */
  readonly cache: Seconds | undefined;
};

/** How a Corefile writes zones, and which those are (CIDR: CoreDNS plugin.Host.NormalizeExact). */
type Written = { readonly text: string; readonly zones: readonly string[] };

const USUAL: readonly Written[] = ['cluster.local', 'in-addr.arpa', 'ip6.arpa'].map(zone);

const FORWARD_ZONES: readonly Written[] = [
  zone('cluster.local'),
  { text: 'Cluster.LOCAL.', zones: ['cluster.local.'] },
  zone('cluster2.test'),
  zone('clusterset.local'),
  zone('clusterset.local'),
  zone('sub.cluster.local'),
  zone('svc.cluster.local'),
  zone('pod.cluster.local'),
  zone('dns.cluster.local'),
  zone('default.svc.cluster.local'),
  zone('web.default.svc.cluster.local'),
  zone('local'),
  zone('com'),
  zone('arpa'),
  // So long that some names below it just fit into 255 octets, and others do not.
  zone(['l', 'm', 'n'].map((letter) => letter.repeat(60)).join('.')),
  { text: '.', zones: ['.'] },
];

const REVERSE_ZONES: readonly Written[] = [
  zone('in-addr.arpa'),
  zone('ip6.arpa'),
  zone('in-addr.arpa'),
  zone('ip6.arpa'),
  zone('10.in-addr.arpa'),
  zone('1.0.0.10.in-addr.arpa'),
  { text: '10.0.0.0/8', zones: ['10.in-addr.arpa.'] },
  { text: '10.0.0.0/23', zones: ['0.0.10.in-addr.arpa.', '1.0.10.in-addr.arpa.'] },
  { text: '10.0.0.0/24', zones: ['0.0.10.in-addr.arpa.'] },
  {
    text: '10.0.0.0/30',
    zones: ['0.0.0.10.in-addr.arpa.', '1.0.0.10.in-addr.arpa.', '2.0.0.10.in-addr.arpa.', '3.0.0.10.in-addr.arpa.'],
  },
  { text: '192.0.2.9/32', zones: ['9.2.0.192.in-addr.arpa.'] },
  { text: 'fd00::/8', zones: ['d.f.ip6.arpa.'] },
  { text: 'fd00::/6', zones: ['c.f.ip6.arpa.', 'd.f.ip6.arpa.', 'e.f.ip6.arpa.', 'f.f.ip6.arpa.'] },
];

const SELECTORS = ['tier=front', 'tier!=front', 'tier', '!tier', 'app=web,tier', 'tier==back'];

const zonesChosen: fc.Arbitrary<readonly Written[]> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(USUAL) },
  { weight: 3, arbitrary: fc.constant([...USUAL, zone('clusterset.local')]) },
  {
    weight: 5,
    arbitrary: fc
      .tuple(
        fc.uniqueArray(fc.constantFrom(...FORWARD_ZONES), { minLength: 1, maxLength: 3, selector: ({ text }) => text }),
        fc.uniqueArray(fc.constantFrom(...REVERSE_ZONES), { maxLength: 3, selector: ({ text }) => text }),
        fc.boolean(),
      )
      .chain(([names, addresses, isShuffled]) =>
        isShuffled
          ? fc.shuffledSubarray([...names, ...addresses], { minLength: names.length + addresses.length })
          : fc.constant([...names, ...addresses]),
      ),
  },
);

const fallthroughChosen: fc.Arbitrary<readonly Written[] | undefined> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constant([]) },
  { weight: 2, arbitrary: fc.constant([zone('in-addr.arpa'), zone('ip6.arpa')]) },
  {
    weight: 2,
    arbitrary: fc.subarray(
      [
        zone('default.svc.cluster.local'),
        zone('Cluster.local'),
        zone('10.in-addr.arpa'),
        { text: 'fd00::/8', zones: ['d.f.ip6.arpa.'] },
      ],
      { minLength: 1 },
    ),
  },
);

const selectors: fc.Arbitrary<string> = fc.oneof(
  { weight: 7, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: fc.constantFrom(...SELECTORS) },
);

/** What is drawn of a setting; not all of it goes together. */
type Drawn = Pick<Setting, 'localAddresses' | 'time' | 'ownBlock'> & {
  readonly zones: readonly Written[];
  readonly fallthrough: readonly Written[] | undefined;
  readonly clusterset: 'none' | 'named' | 'first' | 'all';
  readonly options: Omit<ModelOptions, 'zones' | 'multicluster' | 'fallthrough'>;
};

/** @param namespaces those of the cluster; @param addresses those that things there may have */
export function settingsFor(namespaces: readonly string[], addresses: readonly string[]): fc.Arbitrary<Setting> {
  // A machine's loopback address means nothing to others.
  const own = [...addresses.filter((address) => address !== '::1'), '198.51.100.53', '2001:db8::53'];
  const drawn: fc.Arbitrary<Drawn> = fc.record({
    zones: zonesChosen,
    fallthrough: fallthroughChosen,
    clusterset: fc.constantFrom('named', 'named', 'named', 'named', 'named', 'named', 'none', 'none', 'first', 'all'),
    options: fc.record({
      ttl: fc.constantFrom(5, 5, 30, 0, 1, 299, 300, 301, 900, 3600),
      namespaces: fc.oneof(
        { weight: 8, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: fc.subarray([...namespaces, 'nosuch'], { minLength: 1 }) },
      ),
      namespaceLabels: selectors,
      labels: selectors,
      pods: fc.constantFrom('disabled', 'insecure', 'insecure', 'verified', 'verified'),
      endpointPodNames: oneIn(3),
      noendpoints: oneIn(14),
      endpoints: fc.constantFrom('all', 'all', 'all', 'headless'),
      ignoreEmptyService: oneIn(4),
      zonal: oneIn(3),
    }),
    ownBlock: oneIn(5),
    localAddresses: fc.subarray(own, { maxLength: 3 }),
    time: fc.constantFrom(1_700_000_000, 1_700_000_000, 0, 0x7fff_ffff, 0xffff_fffe),
  });
  return drawn.map(settingFrom);
}

/** The same with search completion. */
export function searchedSettingsFor(
  namespaces: readonly string[],
  addresses: readonly string[],
): fc.Arbitrary<Setting> {
  // Where names fall through, or most namespaces are hidden, there is little to complete.
  const searchable: Partial<ModelOptions> = { fallthrough: undefined, namespaceLabels: '' };
  const shown = fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.subarray([...namespaces], { minLength: 1 }) },
  );
  return fc
    .tuple(settingsFor(namespaces, addresses), fc.nat({ max: 4 }), shown)
    .chain(([setting, n, some]) => {
      const options = n === 0 ? setting.options : { ...setting.options, ...searchable, namespaces: some };
      const own = options.zones.filter((name) => !isReverse(name) && !options.multicluster.includes(name));
      return fc.record({
        setting: fc.constant({ ...setting, options, fallthrough: n === 0 ? setting.fallthrough : [] }),
        completion: completionsFor(namespaces, own),
        // What fell through and was cached hides what comes later, as in CoreDNS.
        cache: options.fallthrough === undefined ? fc.constantFrom(undefined, 3600, 3600, 10) : fc.constant(undefined),
      });
    })
    .map(({ setting, completion, cache }) => ({ ...setting, completion, cache }));
}

function settingFrom({ zones, fallthrough, clusterset, options, ownBlock, ...rest }: Drawn): Setting {
  const names = zones.flatMap((written) => written.zones);
  const unique = [...new Set(names)];
  return {
    ...rest,
    options: {
      ...options,
      zones: unique,
      multicluster: unique.filter((name) => !isReverse(name) && isOfClusterset(clusterset, name, names)),
      // Both together are refused.
      namespaceLabels: options.namespaces.length > 0 ? '' : options.namespaceLabels,
      // Beside these it is refused.
      endpoints: options.noendpoints || options.ignoreEmptyService ? 'all' : options.endpoints,
      // Without endpoints it is refused.
      zonal: options.zonal && !options.noendpoints,
      fallthrough: fallthrough?.length === 0 ? ['.'] : fallthrough?.flatMap((written) => written.zones),
    },
    zones: zones.map(({ text }) => text),
    fallthrough: (fallthrough ?? []).map(({ text }) => text),
    // No zone can be at the head of two blocks, and `.` is wanted for the rest.
    ownBlock: ownBlock && new Set(['.', ...names]).size === 1 + names.length,
    completion: undefined,
    cache: undefined,
  };
}

/** What a Corefile leads to: `address:port` of whoever knows the rest, and files. */
export type Places = { readonly upstream: string } & CompletionFiles;

export function corefileOf(setting: Setting, places: Places): string {
  const { ownBlock, completion, cache } = setting;
  const head = ownBlock ? setting.zones.map((text) => `${text}:0`).join(' ') : '.:0';
  const zones = ownBlock ? '' : ` ${setting.zones.join(' ')}`;
  // Without zones `cache` keeps what is in the block's.
  const kept = cache === undefined ? [] : [`cache ${cache} .`];
  const forward = `forward . ${places.upstream}`;
  const block = [
    'bind 127.0.0.1',
    `kubernetes${zones} {`,
    ...linesOf(setting).map((line) => `    ${line}`),
    '}',
    'transfer {',
    '    to *',
    '}',
    ...(completion === undefined ? [] : linesOfCompletion(completion, places)),
    ...kept,
    forward,
    ...(ownBlock ? [] : ['loadbalance']),
  ];
  const rest = ['bind 127.0.0.1', ...kept, forward];
  return blockOf(head, block) + (ownBlock ? blockOf('.:0', rest) : '');
}

function blockOf(head: string, lines: readonly string[]): string {
  return `${head} {\n${lines.map((line) => `    ${line}\n`).join('')}}\n`;
}

/** What the model is told of the directive. */
export function completionOf({ completion, ownBlock, options }: Setting): ModelCompletion | undefined {
  return completion === undefined ? undefined : modelCompletionOf(completion, ownBlock ? options.zones : ['.']);
}

function linesOf({ options, fallthrough }: Setting): readonly string[] {
  return [
    `ttl ${options.ttl}`,
    `pods ${options.pods}`,
    ...(options.namespaces.length > 0 ? [`namespaces ${options.namespaces.join(' ')}`] : []),
    ...(options.namespaceLabels === '' ? [] : [`namespace_labels ${options.namespaceLabels}`]),
    ...(options.labels === '' ? [] : [`labels ${options.labels}`]),
    ...(options.endpointPodNames ? ['endpoint_pod_names'] : []),
    ...(options.noendpoints ? ['noendpoints'] : []),
    ...(options.endpoints === 'all' ? [] : [`endpoints ${options.endpoints}`]),
    ...(options.ignoreEmptyService ? ['ignore empty_service'] : []),
    ...(options.zonal ? ['zonal'] : []),
    ...(options.multicluster.length > 0 ? [`multicluster ${options.multicluster.join(' ')}`] : []),
    ...(options.fallthrough === undefined ? [] : [['fallthrough', ...fallthrough].join(' ')]),
  ];
}

function isOfClusterset(which: Drawn['clusterset'], name: string, names: readonly string[]): boolean {
  switch (which) {
    case 'none':
      return false;
    case 'named':
      return name === 'clusterset.local.';
    case 'first':
      return name === names[0];
    case 'all':
      return true;
  }
}

function isReverse(name: string): boolean {
  return /(?:in-addr|ip6)\.arpa\.$/.test(name);
}

function zone(text: string): Written {
  return { text, zones: [`${text.toLowerCase()}.`] };
}

function oneIn(count: number): fc.Arbitrary<boolean> {
  return fc.integer({ min: 1, max: count }).map((n) => n === 1);
}
