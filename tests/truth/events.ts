/**
 * What happens to a cluster, as an API server tells it: objects that come, change and go, lists that are read again. Makes
 * random histories and keeps the state that they lead to. Knows nothing of answers.
 */

import fc from 'fast-check';

import { KINDS, type Kind } from '../../zones/kubernetes/objects.ts';
import type { RawObject } from '../support/raw-objects.ts';
import { clustersFrom, objectsFrom, slicesTogether, touched } from './clusters.ts';
import type { Palette } from './palettes.ts';
import { exchanged, respelled } from './slice-changes.ts';

/** One thing that the API server says. */
export type Delivery =
  | { readonly verb: 'put'; readonly object: RawObject }
  | { readonly verb: 'remove'; readonly object: RawObject }
  /** These are all the objects of that kind. */
  | { readonly verb: 'list'; readonly kind: Kind; readonly objects: readonly RawObject[] };

/** What becomes visible in one step. */
export type Batch = {
  readonly deliveries: readonly Delivery[];
  /** Are questions on their way while it arrives? */
  readonly isRaced: boolean;
};

/** The objects that were delivered, and of which kinds all of them were. */
export class ClusterState {
  readonly #objects = new Map<string, RawObject>();
  readonly #listed = new Set<Kind>();

  get objects(): readonly RawObject[] {
    return [...this.#objects.values()];
  }

  ofKind(kind: Kind): readonly RawObject[] {
    return this.objects.filter((object) => object.kind === kind);
  }

  isListed(kind: Kind): boolean {
    return this.#listed.has(kind);
  }

  apply(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) {
      if (delivery.verb === 'put') this.#objects.set(keyOf(delivery.object), delivery.object);
      else if (delivery.verb === 'remove') this.#objects.delete(keyOf(delivery.object));
      else {
        for (const [key, object] of this.#objects) if (object.kind === delivery.kind) this.#objects.delete(key);
        for (const object of delivery.objects) this.#objects.set(keyOf(object), object);
        this.#listed.add(delivery.kind);
      }
    }
  }
}

/** Kind, namespace and name. */
export function keyOf({ kind, metadata }: RawObject): string {
  return `${kind} ${metadata.namespace ?? ''} ${metadata.name}`;
}

/** A random history; what is still open in it depends on the state that it meets. */
export type History = {
  readonly first: readonly RawObject[];
  /** Order in which the kinds are listed at the start. */
  readonly order: readonly Kind[];
  /** Index of the batch in which a kind is listed; far beyond the end for never. */
  readonly listedAt: readonly number[];
  readonly events: readonly Event[];
};

type Event = { readonly steps: readonly Step[]; readonly isRaced: boolean };

type Step =
  | { readonly does: 'put'; readonly object: RawObject }
  /** One part of an object changes to what it is in another one. */
  | { readonly does: 'edit'; readonly nth: number; readonly donor: RawObject; readonly part: number }
  | { readonly does: 'touch'; readonly nth: number }
  /** Endpoints of a slice exchange something, or addresses are spelled otherwise. */
  | { readonly does: 'exchange' | 'respell'; readonly nth: number }
  | { readonly does: 'delete'; readonly nth: number }
  /** A list after missed events: some objects are gone, some new. */
  | { readonly does: 'list'; readonly kind: Kind; readonly nth: number; readonly donors: readonly RawObject[] };

export function historiesFrom(palette: Palette, length: number): fc.Arbitrary<History> {
  const nth = fc.nat({ max: 1000 });
  const object = objectsFrom(palette);
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 5, arbitrary: object.map((put): Step => ({ does: 'put', object: put })) },
    {
      weight: 6,
      arbitrary: fc.record({ does: fc.constant('edit' as const), nth, donor: object, part: fc.nat({ max: 119 }) }),
    },
    { weight: 1, arbitrary: nth.map((n): Step => ({ does: 'touch', nth: n })) },
    { weight: 2, arbitrary: nth.map((n): Step => ({ does: 'delete', nth: n })) },
    { weight: 5, arbitrary: nth.map((n): Step => ({ does: 'exchange', nth: n })) },
    { weight: 2, arbitrary: nth.map((n): Step => ({ does: 'respell', nth: n })) },
    {
      weight: 1,
      arbitrary: fc.record({
        does: fc.constant('list' as const),
        kind: fc.constantFrom(...KINDS),
        nth,
        donors: fc.array(object, { maxLength: 2 }),
      }),
    },
  );
  const event: fc.Arbitrary<Event> = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        steps: fc.array(step, { minLength: 1, maxLength: 4 }),
        isRaced: fc.nat({ max: 3 }).map((n) => n === 0),
      }),
    },
    {
      weight: 1,
      arbitrary: slicesTogether(palette).map((slices) => ({
        steps: slices.map((slice): Step => ({ does: 'put', object: slice })),
        isRaced: true,
      })),
    },
  );
  const late = fc.constantFrom(0, 0, 1, 3, 1000);
  return fc.record({
    first: clustersFrom(palette),
    order: fc.shuffledSubarray([...KINDS], { minLength: KINDS.length }),
    listedAt: fc.oneof(
      { weight: 3, arbitrary: fc.constant(KINDS.map(() => 0)) },
      { weight: 1, arbitrary: fc.tuple(...KINDS.map(() => late)) },
    ),
    events: fc.array(event, { minLength: length - 1, maxLength: length - 1 }),
  });
}

/** The history as an API server would tell it, one batch for each moment. */
export function told(history: History): readonly Batch[] {
  const state = new ClusterState();
  const when = new Map(KINDS.map((kind, i) => [kind, history.listedAt[i] ?? 0]));
  /** Objects that only the list will bring. */
  const withheld = new Map<Kind, readonly RawObject[]>();
  const begin = history.order.flatMap((kind): readonly Delivery[] => {
    const objects = [
      ...new Map(history.first.filter((each) => each.kind === kind).map((each) => [keyOf(each), each])).values(),
    ];
    if (when.get(kind) === 0) return [{ verb: 'list', kind, objects }];
    withheld.set(
      kind,
      objects.filter((_, i) => i % 2 === 1),
    );
    return objects.filter((_, i) => i % 2 === 0).map((object) => ({ verb: 'put', object }));
  });
  state.apply(begin);
  return [
    { deliveries: begin, isRaced: false },
    ...history.events.map(({ steps, isRaced }, i): Batch => {
      const deliveries: Delivery[] = [];
      const add = (delivery: Delivery | undefined): void => {
        if (delivery === undefined) return;
        state.apply([delivery]);
        deliveries.push(delivery);
      };
      for (const kind of history.order) {
        if (when.get(kind) !== i + 1) continue;
        const objects = [...state.ofKind(kind), ...(withheld.get(kind) ?? [])];
        add({ verb: 'list', kind, objects: [...new Map(objects.map((each) => [keyOf(each), each])).values()] });
      }
      for (const step of steps) add(resolved(step, state));
      return { deliveries, isRaced };
    }),
  ];
}

function resolved(step: Step, state: ClusterState): Delivery | undefined {
  switch (step.does) {
    case 'put':
      return { verb: 'put', object: step.object };
    case 'edit': {
      const object = pick(state.ofKind(step.donor.kind as Kind), step.nth);
      return object === undefined
        ? { verb: 'put', object: step.donor }
        : { verb: 'put', object: grafted(object, step.donor, step.part) };
    }
    case 'touch': {
      const object = pick(state.objects, step.nth);
      return object === undefined ? undefined : { verb: 'put', object: touched(object, step.nth) };
    }
    case 'exchange':
    case 'respell': {
      const slice = pick(state.ofKind('EndpointSlice'), step.nth);
      if (slice === undefined) return undefined;
      const object = step.does === 'exchange' ? exchanged(slice, step.nth >> 3) : respelled(slice);
      return { verb: 'put', object };
    }
    case 'delete': {
      const object = pick(state.objects, step.nth);
      return object === undefined ? undefined : { verb: 'remove', object };
    }
    case 'list': {
      // A list that is read again can only follow a first one.
      if (!state.isListed(step.kind)) return undefined;
      const kept = state.ofKind(step.kind).filter((_, i) => ((step.nth >> (i % 8)) & 3) !== 3);
      const all = [...kept, ...step.donors.filter(({ kind }) => kind === step.kind)];
      return { verb: 'list', kind: step.kind, objects: [...new Map(all.map((each) => [keyOf(each), each])).values()] };
    }
  }
}

/** The object with one of its parts as the donor has it: the smallest changes are those that are overlooked. */
function grafted(object: RawObject, donor: RawObject, part: number): RawObject {
  const paths = PARTS[object.kind as Kind];
  const path = paths[part % paths.length] ?? [];
  const which = Math.floor(part / paths.length);
  return withPart(object, donor, path, which) as RawObject;
}

/** Paths of the parts that are exchanged; `*` is any element of a list. */
const PARTS: { readonly [K in Kind]: readonly (readonly string[])[] } = {
  Namespace: [
    ['metadata', 'labels'],
    ['metadata', 'annotations'],
  ],
  Service: [
    ['spec'],
    ['spec', 'externalName'],
    ['spec', 'ports'],
    ['spec', 'ports', '*'],
    ['spec', 'ports', '*', 'protocol'],
    ['metadata', 'labels'],
  ],
  EndpointSlice: [
    ['metadata', 'labels'],
    ['metadata', 'labels', 'kubernetes.io/service-name'],
    ['metadata', 'labels', 'endpointslice.kubernetes.io/managed-by'],
    ['metadata', 'labels', 'service.kubernetes.io/headless'],
    ['metadata', 'labels', 'multicluster.kubernetes.io/service-name'],
    ['metadata', 'labels', 'multicluster.kubernetes.io/source-cluster'],
    ['endpoints'],
    ['endpoints', '*'],
    ['endpoints', '*', 'addresses'],
    ['endpoints', '*', 'hostname'],
    ['endpoints', '*', 'hostname'],
    ['endpoints', '*', 'conditions'],
    ['endpoints', '*', 'targetRef'],
    ['endpoints', '*', 'targetRef'],
    ['endpoints', '*', 'zone'],
    ['endpoints', '*', 'zone'],
    ['ports'],
    ['ports', '*'],
    ['ports', '*', 'name'],
    ['ports', '*', 'protocol'],
    ['ports', '*', 'port'],
  ],
  ServiceImport: [['spec'], ['spec', 'type'], ['spec', 'ips'], ['spec', 'ports'], ['metadata', 'labels']],
  Pod: [['metadata'], ['metadata', 'labels'], ['status'], ['status', 'phase']],
};

function withPart(value: unknown, donor: unknown, path: readonly string[], which: number): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return donor;
  if (step === '*') {
    if (!Array.isArray(value) || !Array.isArray(donor) || value.length === 0 || donor.length === 0) return value;
    const at = which % value.length;
    return value.with(at, withPart(value[at], donor[which % donor.length], rest, which));
  }
  const fields: Record<string, unknown> = { ...(value as Record<string, unknown> | null) };
  const part = withPart(fields[step], (donor as Record<string, unknown> | null)?.[step], rest, which);
  if (part === undefined) delete fields[step];
  else fields[step] = part;
  // A slice of another address family would not be stored.
  if (step === 'endpoints' && rest.length === 0)
    fields['addressType'] = (donor as Record<string, unknown>)['addressType'];
  // An object keeps its name.
  return step === 'metadata' && rest.length === 0
    ? { ...fields, metadata: { ...(part as object), ...names(value) } }
    : fields;
}

function names(object: unknown): { name: string; namespace?: string } {
  const { name, namespace } = (object as RawObject).metadata;
  return { name, ...(namespace === undefined ? {} : { namespace }) };
}

function pick<T>(list: readonly T[], nth: number): T | undefined {
  return list[nth % list.length];
}
