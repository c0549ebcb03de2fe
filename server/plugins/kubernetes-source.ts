/** Where `kubernetes` reads its cluster from: the words for API servers and manifests. Knows nothing of zones or answers. */

import { dirname, resolve } from 'node:path';

import type { ClientTls, SourceOptions } from '../../zones/kubernetes/source.ts';
import type { Count } from '../../zones/units.ts';
import type { Line, Token } from '../corefile/block.ts';
import { show } from '../corefile/fault.ts';
import { argumentsOf, firstArgument, integerFrom, onlyArgument } from '../corefile/values.ts';
import { CorefileError, type Position } from '../errors.ts';

/** What these words set; CoreDNS's defaults (plugin/kubernetes). */
export type PlaceSettings = {
  endpoint: string | undefined;
  tls: ClientTls | undefined;
  kubeconfig: { readonly file: string; readonly context: string | undefined } | undefined;
  manifests: string | undefined;
  snapshot: SnapshotPlace | undefined;
  perSecond: Count | undefined;
  burst: Count | undefined;
  inFlight: Count | undefined;
  /** What is written but has no effect. */
  readonly warnings: string[];
};

/** A file that keeps what is known of the cluster, and where the Corefile names it. */
export type SnapshotPlace = { readonly file: string; readonly position: Position };

/** The most that a count can sensibly be. */
const COUNT_MAX: Count = 1_000_000;

type Reader = (line: Line, settings: PlaceSettings) => void;

/** By word. @throws CorefileError */
export const PLACE_READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['endpoint', readEndpoint],
  ['tls', readTls],
  ['kubeconfig', readKubeconfig],
  [
    'manifests',
    (line, settings) => void (settings.manifests = besideCorefile(onlyArgument(line, 'manifests DIRECTORY'))),
  ],
  ['snapshot', readSnapshot],
  ['apiserver_qps', (line, settings) => void (settings.perSecond = countFrom(line))],
  ['apiserver_burst', (line, settings) => void (settings.burst = countFrom(line))],
  ['apiserver_max_inflight', (line, settings) => void (settings.inFlight = countFrom(line))],
]);

export function placeDefaults(): PlaceSettings {
  return {
    endpoint: undefined,
    tls: undefined,
    kubeconfig: undefined,
    manifests: undefined,
    snapshot: undefined,
    perSecond: undefined,
    burst: undefined,
    inFlight: undefined,
    warnings: [],
  };
}

/**
 * A kubeconfig file overrides an endpoint, as in CoreDNS; a folder of manifests stands in for any API server.
 * @throws CorefileError
 */
export function placeFrom(settings: PlaceSettings): Pick<SourceOptions, 'from' | 'requests'> {
  const { endpoint, tls, kubeconfig, manifests, snapshot, perSecond, burst, inFlight } = settings;
  if (manifests !== undefined && snapshot !== undefined) {
    const why = 'manifests are files themselves, and are there whenever the server starts; remove one of them';
    throw new CorefileError(snapshot.position, `found ${show('snapshot')}, but ${why}`);
  }
  let from: SourceOptions['from'] = { kind: 'in-cluster' };
  if (manifests !== undefined) from = { kind: 'manifests', folder: manifests };
  else if (kubeconfig !== undefined) from = { kind: 'kubeconfig', ...kubeconfig };
  else if (endpoint !== undefined) from = { kind: 'endpoint', url: endpoint, tls };
  return { from, requests: { perSecond, burst, inFlight } };
}

function readEndpoint(line: Line, settings: PlaceSettings): void {
  settings.endpoint = firstArgument(line, 'endpoint URL', settings.warnings).text;
}

function readTls(line: Line, settings: PlaceSettings): void {
  const [cert, key, ca] = argumentsOf(line, 3, 3, 'tls CERT KEY CA');
  settings.tls = { cert: cert?.text ?? '', key: key?.text ?? '', ca: ca?.text ?? '' };
}

function readKubeconfig(line: Line, settings: PlaceSettings): void {
  const [file, context] = argumentsOf(line, 1, 2, 'kubeconfig FILE [CONTEXT]');
  settings.kubeconfig = { file: file?.text ?? '', context: context?.text };
}

function readSnapshot(line: Line, settings: PlaceSettings): void {
  settings.snapshot = { file: besideCorefile(onlyArgument(line, 'snapshot FILE')), position: line.name.position };
}

/**
 * One file keeps one cluster, and one cluster is kept in one file.
 * @throws CorefileError
 */
export function checkSnapshots(
  blocks: Iterable<{ readonly cluster: string; readonly snapshot: SnapshotPlace | undefined }>,
): void {
  const clusters = new Map<string, string>();
  const files = new Map<string, string>();
  for (const { cluster, snapshot } of blocks) {
    if (snapshot === undefined) continue;
    const { file, position } = snapshot;
    if ((clusters.get(file) ?? cluster) !== cluster) {
      const why =
        'keeps what another kubernetes block reads, from another cluster or with other options; name another file';
      throw new CorefileError(position, `found ${show(file)}, which ${why}`);
    }
    if ((files.get(cluster) ?? file) !== file) {
      const why = `what this block reads is kept in ${show(files.get(cluster) ?? '')} already; name the same file, or none`;
      throw new CorefileError(position, `found ${show(file)}, but ${why}`);
    }
    clusters.set(file, cluster);
    files.set(cluster, file);
  }
}

function countFrom(line: Line): Count {
  return integerFrom(onlyArgument(line, `${line.name.text} NUMBER`), 0, COUNT_MAX);
}

/** A relative path counts from the Corefile that names it, so that a folder with both can be moved. */
function besideCorefile({ text, position }: Token): string {
  return resolve(dirname(position.file), text);
}
