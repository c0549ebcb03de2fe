/** A small cluster that changes at random at a fake API server, and what a source has to know of it. Knows nothing of how it is read. */

import type { ClusterChange, ClusterObject, Kind } from '../../zones/kubernetes/objects.ts';
import { kindsOf, labelSelectorsOf, type SourceOptions } from '../../zones/kubernetes/source.ts';
import { HEADLESS_LABEL, MANAGED_BY_LABEL, SERVICE_NAME_LABEL, trim } from '../../zones/kubernetes/trim.ts';
import { matcherFrom } from './fake-api-selectors.ts';
import type { FakeApiServer } from './fake-api-server.ts';
import type { Random } from './random.ts';
import {
  rawImportedSlice,
  rawNamespace,
  rawPod,
  rawService,
  rawServiceImport,
  rawSlice,
  type RawEndpoint,
  type RawObject,
} from './raw-objects.ts';

const NAMESPACES = ['a', 'b'];
const NAMES = ['s1', 's2', 's3'];
const SLICES = ['x', 'y', 'z'];
const CLUSTER_IPS = ['10.96.0.1', '10.96.0.2', '10.96.0.3', 'None'];
const ADDRESSES = [...Array.from({ length: 8 }, (_, i) => `10.0.0.${i}`), '10.96.0.1', 'fd00::1'];
/** Objects of a change that is made of many: more than a list may lack without being doubted. */
export const MANY = 1200;

export class RandomCluster {
  readonly #api: FakeApiServer;
  readonly #random: Random;
  readonly #objects = new Map<string, RawObject>();

  constructor(api: FakeApiServer, random: Random) {
    this.#api = api;
    this.#random = random;
  }

  change(): void {
    const raw = this.#any();
    if (this.#random.once(3)) this.#remove(raw);
    else this.#put(raw);
  }

  /** What no watch tells. */
  plant(): void {
    const raw = this.#any();
    const { kind, metadata } = raw;
    if (kind === 'Pod') return; // nobody looks for what a watch of them has not told
    if (this.#random.once(2)) {
      this.#objects.delete(keyOf(raw));
      this.#api.plantRemoval(kind, metadata.namespace ?? '', metadata.name);
    } else {
      this.#objects.set(keyOf(raw), raw);
      this.#api.plant(raw);
    }
  }

  /** Many services come, or those of the last time go. */
  changeMany(): void {
    for (let i = 0; i < MANY; i++) {
      const raw = rawService('many', `s${i}`, { clusterIP: '10.97.0.1', clusterIPs: ['10.97.0.1'] });
      if (this.#objects.has(keyOf(raw))) this.#remove(raw);
      else this.#put(raw);
    }
  }

  /** Everything is lost, and the version goes back. */
  restore(): void {
    this.#objects.clear();
    this.#api.restore(Math.max(1, this.#api.version - this.#random.below(30)));
  }

  /** What a source with these options is to know. */
  wanted(options: SourceOptions): readonly ClusterObject[] {
    const kinds = kindsOf(options);
    return [...this.#objects.values()].flatMap((raw) => {
      const kind = raw.kind as Kind;
      const isSelected = labelSelectorsOf(options, kind).some((labelSelector) =>
        matcherFrom(new URLSearchParams({ labelSelector }))(raw),
      );
      return (kinds.includes(kind) && isSelected ? trim(kind, raw, options) : undefined) ?? [];
    });
  }

  /** The same as changes. */
  wantedChanges(options: SourceOptions): readonly ClusterChange[] {
    return [
      ...this.wanted(options).map((object) => ({ verb: 'put', object }) as const),
      ...kindsOf(options).map((kind) => ({ verb: 'whole', kind }) as const),
    ];
  }

  #put(raw: RawObject): void {
    this.#objects.set(keyOf(raw), raw);
    this.#api.put(raw);
  }

  #remove(raw: RawObject): void {
    this.#objects.delete(keyOf(raw));
    this.#api.remove(raw.kind, raw.metadata.namespace ?? '', raw.metadata.name);
  }

  #any(): RawObject {
    const random = this.#random;
    const namespace = random.of(NAMESPACES);
    const name = random.of(NAMES);
    switch (random.below(12)) {
      case 0:
        return rawNamespace(namespace);
      case 1:
        return rawPod(namespace, name, random.of(ADDRESSES), random.once(6) ? 'Succeeded' : 'Running');
      case 2:
        return rawServiceImport(namespace, name, random.once(2) ? [] : [random.of(ADDRESSES)]);
      case 3:
        return rawImportedSlice(namespace, name, random.of(SLICES), this.#endpoints());
      case 4:
      case 5:
      case 6: {
        const clusterIP = random.of(CLUSTER_IPS);
        return rawService(namespace, name, { clusterIP, clusterIPs: [clusterIP] });
      }
      default:
        return this.#slice(rawSlice(namespace, name, 'x', this.#endpoints()));
    }
  }

  /** Its name is not its owner's, so that it can change its owner, and go from one watch to another. */
  #slice(raw: RawObject): RawObject {
    const random = this.#random;
    const labels = { ...raw.metadata.labels };
    if (random.once(2)) labels[HEADLESS_LABEL] = '';
    if (random.once(4)) labels[MANAGED_BY_LABEL] = 'me';
    if (random.once(6)) delete labels[SERVICE_NAME_LABEL];
    return { ...raw, metadata: { ...raw.metadata, name: random.of(SLICES), labels } };
  }

  #endpoints(): readonly RawEndpoint[] {
    const random = this.#random;
    return Array.from({ length: random.below(4) }, () => ({
      address: random.of(ADDRESSES),
      ready: !random.once(5),
      ...(random.once(4) ? { hostname: random.of(NAMES) } : {}),
      ...(random.once(4) ? { podName: random.of(NAMES) } : {}),
      ...(random.once(4) ? { zone: random.of(NAMES) } : {}),
    }));
  }
}

function keyOf({ kind, metadata }: RawObject): string {
  return `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;
}
