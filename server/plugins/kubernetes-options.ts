/** The directive `kubernetes` as plain data. Knows its words and their defaults, nothing of clusters or answers. */

import { dirname, resolve } from 'node:path';

import { isReverseName } from '../../zones/ip.ts';
import { labelSelectorFrom, LabelSelectorError } from '../../zones/kubernetes/label-selector.ts';
import type { ClientTls, SourceOptions } from '../../zones/kubernetes/source.ts';
import type { PodMode } from '../../zones/kubernetes/zone.ts';
import { NAME_MAX, present, type Name } from '../../zones/name.ts';
import type { Bytes, Count, Milliseconds, Seconds } from '../../zones/units.ts';
import type { BlockHead, Directive, Line, Token } from '../corefile/block.ts';
import { show } from '../corefile/fault.ts';
import {
  argumentsOf,
  choiceFrom,
  durationFrom,
  fallthroughFrom,
  integerFrom,
  noArguments,
  onlyArgument,
  optionsOf,
  unknownOption,
  zonesOrBlock,
} from '../corefile/values.ts';
import { CorefileError } from '../errors.ts';

/** Plain data. */
export type KubernetesOptions = {
  /** In the order written. */
  readonly zones: readonly Name[];
  /** The first of them that holds names, not addresses: there reverse names point to. */
  readonly primary: Name;
  readonly ttl: Seconds;
  /** Only these; empty for all. */
  readonly namespaces: readonly string[];
  readonly pods: PodMode;
  readonly endpointPodNames: boolean;
  readonly ignoreEmptyService: boolean;
  /** Names at or below these that do not exist are left to the next plugin. */
  readonly fallthrough: readonly Name[];
  readonly source: SourceOptions;
  /** Equal for equal sources. */
  readonly cluster: string;
  /** How long to wait for the cluster before questions are answered without it. */
  readonly startupTimeout: Milliseconds;
  /** What is written but has no effect. */
  readonly warnings: readonly string[];
};

/** Longest TTL that may be set, as in CoreDNS. */
const TTL_MAX: Seconds = 3600;
/** The most that a count can sensibly be. */
const COUNT_MAX: Count = 1_000_000;
/** Room for `hostmaster` in front of a zone, which its SOA record needs. */
const ZONE_MAX: Bytes = NAME_MAX - 11;

/** What stands in the braces; CoreDNS's defaults (plugin/kubernetes). */
type Settings = {
  ttl: Seconds;
  namespaces: string[];
  namespaceLabels: string;
  labels: string;
  pods: PodMode;
  endpointPodNames: boolean;
  endpointSlices: boolean;
  ignoreEmptyService: boolean;
  fallthrough: readonly Name[];
  endpoint: string | undefined;
  tls: ClientTls | undefined;
  kubeconfig: { readonly file: string; readonly context: string | undefined } | undefined;
  manifests: string | undefined;
  perSecond: Count | undefined;
  burst: Count | undefined;
  inFlight: Count | undefined;
  startupTimeout: Milliseconds;
  readonly warnings: string[];
};

/** @throws CorefileError */
export function kubernetesFrom(directive: Directive, block: BlockHead): KubernetesOptions {
  const zones = zonesOrBlock(directive.args, block);
  const settings = defaults();
  for (const line of optionsOf(directive)) readOption(line, settings);
  const source = sourceFrom(settings);
  return {
    zones,
    primary: primaryOf(zones, directive),
    ttl: settings.ttl,
    namespaces: settings.namespaces,
    pods: settings.pods,
    endpointPodNames: settings.endpointPodNames,
    ignoreEmptyService: settings.ignoreEmptyService,
    fallthrough: settings.fallthrough,
    source,
    cluster: JSON.stringify(source),
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
    ignoreEmptyService: false,
    fallthrough: [],
    endpoint: undefined,
    tls: undefined,
    kubeconfig: undefined,
    manifests: undefined,
    perSecond: undefined,
    burst: undefined,
    inFlight: undefined,
    startupTimeout: 5000,
    warnings: [],
  };
}

type Reader = (line: Line, settings: Settings) => void;

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['namespaces', readNamespaces],
  ['namespace_labels', readNamespaceLabels],
  ['labels', (line, settings) => void (settings.labels = selectorFrom(line))],
  ['pods', (line, settings) => void (settings.pods = choiceFrom(onlyArgument(line, 'pods MODE'), POD_MODES))],
  ['endpoint_pod_names', flag((settings) => void (settings.endpointPodNames = true))],
  ['ttl', (line, settings) => void (settings.ttl = integerFrom(onlyArgument(line, 'ttl SECONDS'), 0, TTL_MAX))],
  ['noendpoints', flag((settings) => void (settings.endpointSlices = false))],
  ['fallthrough', (line, settings) => void (settings.fallthrough = fallthroughFrom(line))],
  ['ignore', readIgnore],
  ['endpoint', readEndpoint],
  ['tls', readTls],
  ['kubeconfig', readKubeconfig],
  [
    'manifests',
    (line, settings) => void (settings.manifests = besideCorefile(onlyArgument(line, 'manifests DIRECTORY'))),
  ],
  ['apiserver_qps', (line, settings) => void (settings.perSecond = countFrom(line))],
  ['apiserver_burst', (line, settings) => void (settings.burst = countFrom(line))],
  ['apiserver_max_inflight', (line, settings) => void (settings.inFlight = countFrom(line))],
  ['startup_timeout', readStartupTimeout],
]);
const POD_MODES: readonly PodMode[] = ['disabled', 'insecure', 'verified'];

/** Options of CoreDNS that are not here, so that their user is not told that they do not exist. */
const NOT_SUPPORTED_YET: ReadonlySet<string> = new Set(['multicluster', 'zonal']);

function readOption(line: Line, settings: Settings): void {
  const { text, position } = line.name;
  const read = READERS.get(text);
  if (read !== undefined) return read(line, settings);
  if (!NOT_SUPPORTED_YET.has(text)) unknownOption(line, 'kubernetes', [...READERS.keys()]);
  throw new CorefileError(position, `found ${show(text)}, which is an option of CoreDNS that is not supported yet`);
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

function readIgnore(line: Line, settings: Settings): void {
  choiceFrom(onlyArgument(line, 'ignore empty_service'), ['empty_service']);
  settings.ignoreEmptyService = true;
}

function readEndpoint(line: Line, settings: Settings): void {
  const [first, ...others] = argumentsOf(line, 1, Infinity, 'endpoint URL');
  settings.endpoint = first?.text;
  if (others.length === 0) return;
  const { file, line: row } = line.name.position;
  settings.warnings.push(`${file}:${row}: only the first endpoint is used; remove the others`);
}

function readTls(line: Line, settings: Settings): void {
  const [cert, key, ca] = argumentsOf(line, 3, 3, 'tls CERT KEY CA');
  settings.tls = { cert: cert?.text ?? '', key: key?.text ?? '', ca: ca?.text ?? '' };
}

function readKubeconfig(line: Line, settings: Settings): void {
  const [file, context] = argumentsOf(line, 1, 2, 'kubeconfig FILE [CONTEXT]');
  settings.kubeconfig = { file: file?.text ?? '', context: context?.text };
}

function countFrom(line: Line): Count {
  return integerFrom(onlyArgument(line, `${line.name.text} NUMBER`), 0, COUNT_MAX);
}

function readStartupTimeout(line: Line, settings: Settings): void {
  settings.startupTimeout = durationFrom(onlyArgument(line, 'startup_timeout DURATION'));
}

/** A kubeconfig file overrides an endpoint, as in CoreDNS; a folder of manifests stands in for any API server. */
function sourceFrom(settings: Settings): SourceOptions {
  const { endpoint, tls, kubeconfig, manifests, pods, endpointSlices, labels, namespaceLabels } = settings;
  const { perSecond, burst, inFlight } = settings;
  let from: SourceOptions['from'] = { kind: 'in-cluster' };
  if (manifests !== undefined) from = { kind: 'manifests', folder: manifests };
  else if (kubeconfig !== undefined) from = { kind: 'kubeconfig', ...kubeconfig };
  else if (endpoint !== undefined) from = { kind: 'endpoint', url: endpoint, tls };
  const requests = { perSecond, burst, inFlight };
  return { from, pods: pods === 'verified', endpointSlices, labels, namespaceLabels, requests };
}

/** @throws CorefileError if no zone holds names, or one is too long to have an SOA record */
function primaryOf(zones: readonly Name[], directive: Directive): Name {
  const { position } = directive.args[0] ?? directive.name;
  const long = zones.find((zone) => zone.length > ZONE_MAX);
  if (long !== undefined) {
    throw new CorefileError(
      position,
      `${show(present(long))} is too long for a zone: at most ${ZONE_MAX} octets leave room for its SOA record`,
    );
  }
  const primary = zones.find((zone) => !isReverseName(zone));
  if (primary !== undefined) return primary;
  throw new CorefileError(
    position,
    'found reverse zones only, expected also the zone that their names point to, such as cluster.local',
  );
}

/** A relative path counts from the Corefile that names it, so that a folder with both can be moved. */
function besideCorefile({ text, position }: Token): string {
  return resolve(dirname(position.file), text);
}
