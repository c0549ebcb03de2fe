/** The directive `kubernetes` as plain data. Knows its words and their defaults, nothing of clusters or answers. */

import { labelSelectorFrom, LabelSelectorError } from '../../zones/kubernetes/label-selector.ts';
import type { SourceOptions } from '../../zones/kubernetes/source.ts';
import type { PodMode } from '../../zones/kubernetes/zone.ts';
import type { Name } from '../../zones/name.ts';
import type { Milliseconds, Seconds } from '../../zones/units.ts';
import type { BlockHead, Directive, Line, Token } from '../corefile/block.ts';
import { show } from '../corefile/fault.ts';
import {
  argumentsOf,
  choiceFrom,
  durationFrom,
  fallthroughFrom,
  firstArgument,
  integerFrom,
  noArguments,
  onlyArgument,
  optionsOf,
  unknownOption,
  warningAt,
  zonesOrBlock,
} from '../corefile/values.ts';
import { CorefileError } from '../errors.ts';
import {
  PLACE_READERS,
  placeDefaults,
  placeFrom,
  type PlaceSettings,
  type SnapshotPlace,
} from './kubernetes-source.ts';
import { checkZones, multiclusterZones, primaryZone } from './kubernetes-zones.ts';

/** Plain data. */
export type KubernetesOptions = {
  /** In the order written. */
  readonly zones: readonly Name[];
  /** The first of them that holds names of this cluster's services: there reverse names point to. Undefined if all are others. */
  readonly primary: Name | undefined;
  /** Those that hold names of services of the clusterset. */
  readonly multicluster: readonly Name[];
  readonly ttl: Seconds;
  /** Only these; empty for all. */
  readonly namespaces: readonly string[];
  readonly pods: PodMode;
  readonly endpointPodNames: boolean;
  /** Do headless services have names for the endpoints in a topology zone? */
  readonly zonal: boolean;
  /** Do endpoints have names by address only where they have host names (Kubernetes DNS spec 2.4.3)? */
  readonly pointsToHostnamesOnly: boolean;
  readonly ignoreEmptyService: boolean;
  /** Names at or below these that do not exist are left to the next plugin. */
  readonly fallthrough: readonly Name[];
  readonly source: SourceOptions;
  /** Equal for equal sources. */
  readonly cluster: string;
  /** Where what is known of it is kept for the next start; not part of what is read. */
  readonly snapshot: SnapshotPlace | undefined;
  /** How long to wait for the cluster before questions are answered without it. */
  readonly startupTimeout: Milliseconds;
  /** What is written but has no effect. */
  readonly warnings: readonly string[];
};

/** Longest TTL that may be set, as in CoreDNS. */
const TTL_MAX: Seconds = 3600;

/** What stands in the braces; CoreDNS's defaults (plugin/kubernetes). */
type Settings = PlaceSettings & {
  ttl: Seconds;
  namespaces: string[];
  namespaceLabels: string;
  labels: string;
  pods: PodMode;
  endpointPodNames: boolean;
  endpointSlices: boolean;
  /** The word itself where it says `headless`, for beside others it is refused. */
  headless: Token | undefined;
  readonly multicluster: Token[];
  /** The word itself, for beside another it is refused. */
  zonal: Token | undefined;
  pointsToHostnamesOnly: boolean;
  ignoreEmptyService: boolean;
  fallthrough: readonly Name[];
  startupTimeout: Milliseconds;
};

/** @throws CorefileError */
export function kubernetesFrom(directive: Directive, block: BlockHead): KubernetesOptions {
  const zones = zonesOrBlock(directive.args, block);
  checkZones(zones, directive);
  const settings = defaults();
  for (const line of optionsOf(directive)) readOption(line, settings);
  const { zonal } = settings;
  if (zonal !== undefined && !settings.endpointSlices) refuseZonal(zonal);
  checkHeadless(settings);
  const multicluster = multiclusterZones(settings.multicluster, zones);
  const { from, requests } = placeFrom(settings);
  const source: SourceOptions = {
    from,
    pods: settings.pods === 'verified',
    endpointSlices: settings.endpointSlices,
    headlessOnly: settings.headless !== undefined,
    imports: multicluster.length > 0,
    topologyZones: zonal !== undefined,
    podNames: settings.endpointPodNames,
    labels: settings.labels,
    namespaceLabels: settings.namespaceLabels,
    requests,
  };
  return {
    zones,
    primary: primaryZone(zones, multicluster),
    multicluster,
    ttl: settings.ttl,
    namespaces: settings.namespaces,
    pods: settings.pods,
    endpointPodNames: settings.endpointPodNames,
    zonal: zonal !== undefined,
    pointsToHostnamesOnly: settings.pointsToHostnamesOnly,
    ignoreEmptyService: settings.ignoreEmptyService,
    fallthrough: settings.fallthrough,
    source,
    cluster: JSON.stringify(source),
    snapshot: settings.snapshot,
    startupTimeout: settings.startupTimeout,
    warnings: settings.warnings,
  };
}

function defaults(): Settings {
  return {
    ttl: 5,
    namespaces: [],
    namespaceLabels: '',
    labels: '',
    pods: 'disabled',
    endpointPodNames: false,
    endpointSlices: true,
    headless: undefined,
    multicluster: [],
    zonal: undefined,
    pointsToHostnamesOnly: false,
    ignoreEmptyService: false,
    fallthrough: [],
    startupTimeout: 5000,
    ...placeDefaults(),
  };
}

type Reader = (line: Line, settings: Settings) => void;

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['namespaces', readNamespaces],
  ['namespace_labels', readNamespaceLabels],
  ['labels', (line, settings) => void (settings.labels = selectorFrom(line))],
  ['pods', (line, settings) => void (settings.pods = choiceFrom(onlyArgument(line, 'pods MODE'), POD_MODES))],
  ['endpoint_pod_names', flag((settings) => void (settings.endpointPodNames = true))],
  ['ttl', readTtl],
  ['noendpoints', flag((settings) => void (settings.endpointSlices = false))],
  ['endpoints', readEndpoints],
  ['fallthrough', (line, settings) => void (settings.fallthrough = fallthroughFrom(line))],
  ['ignore', readIgnore],
  ['multicluster', readMulticluster],
  ['zonal', readZonal],
  ['ptr', readPtr],
  ...PLACE_READERS,
  ['startup_timeout', readStartupTimeout],
]);
const POD_MODES: readonly PodMode[] = ['disabled', 'insecure', 'verified'];

function readOption(line: Line, settings: Settings): void {
  const read = READERS.get(line.name.text) ?? unknownOption(line, 'kubernetes', [...READERS.keys()]);
  read(line, settings);
}

function flag(set: (settings: Settings) => void): Reader {
  return (line, settings) => {
    noArguments(line);
    set(settings);
  };
}

function readNamespaces(line: Line, settings: Settings): void {
  if (settings.namespaceLabels !== '') refuseBoth(line);
  settings.namespaces.push(...argumentsOf(line, 1, Infinity, 'namespaces NAMESPACE…').map(({ text }) => text));
}

function readNamespaceLabels(line: Line, settings: Settings): void {
  if (settings.namespaces.length > 0) refuseBoth(line);
  settings.namespaceLabels = selectorFrom(line);
}

function refuseBoth(line: Line): never {
  throw new CorefileError(
    line.name.position,
    `found ${show(line.name.text)}, but namespaces and namespace_labels cannot both be set; remove one of them`,
  );
}

/** Words are joined, for a selector may be written with blanks after its commas. */
function selectorFrom(line: Line): string {
  const { name } = line;
  const text = argumentsOf(line, 1, Infinity, `${name.text} SELECTOR`)
    .map((token) => token.text)
    .join(' ');
  try {
    labelSelectorFrom(text);
    return text;
  } catch (error) {
    if (!(error instanceof LabelSelectorError)) throw error;
    throw new CorefileError((line.args[0] ?? name).position, error.message);
  }
}

function readTtl(line: Line, settings: Settings): void {
  settings.ttl = integerFrom(firstArgument(line, 'ttl SECONDS', settings.warnings), 0, TTL_MAX);
}

function readIgnore(line: Line, settings: Settings): void {
  if (line.args.length === 0) {
    settings.warnings.push(warningAt(line, 'ignore has no effect without empty_service behind it'));
    return;
  }
  choiceFrom(firstArgument(line, 'ignore empty_service', settings.warnings), ['empty_service']);
  settings.ignoreEmptyService = true;
}

function readMulticluster(line: Line, settings: Settings): void {
  if (line.args.length === 0)
    settings.warnings.push(warningAt(line, 'multicluster has no effect without zones behind it'));
  settings.multicluster.push(...line.args);
}

function readZonal(line: Line, settings: Settings): void {
  noArguments(line);
  settings.zonal = line.name;
}

function refuseZonal({ text, position }: Token): never {
  const why = 'with noendpoints no endpoint is known, and so no zone of one; remove one of them';
  throw new CorefileError(position, `found ${show(text)}, but ${why}`);
}

function readEndpoints(line: Line, settings: Settings): void {
  const which = choiceFrom(onlyArgument(line, 'endpoints all|headless'), ['all', 'headless']);
  settings.headless = which === 'headless' ? line.name : undefined;
}

function checkHeadless({ headless, endpointSlices, ignoreEmptyService }: Settings): void {
  if (headless === undefined) return;
  if (!endpointSlices) refuseHeadless(headless, 'with noendpoints no endpoints are read at all');
  if (!ignoreEmptyService) return;
  refuseHeadless(headless, 'ignore empty_service has to know which services with a cluster IP have endpoints');
}

function refuseHeadless({ position }: Token, why: string): never {
  throw new CorefileError(position, `found "endpoints headless", but ${why}; remove one of them`);
}

function readPtr(line: Line, settings: Settings): void {
  choiceFrom(onlyArgument(line, 'ptr hostname-only'), ['hostname-only']);
  settings.pointsToHostnamesOnly = true;
}

function readStartupTimeout(line: Line, settings: Settings): void {
  settings.startupTimeout = durationFrom(onlyArgument(line, 'startup_timeout DURATION'));
}
