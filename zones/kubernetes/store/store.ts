/** The trimmed objects of one cluster, found by what a question asks for. Knows nothing of zones, TTLs or the Corefile. */

import type { ReverseDigits } from '../../ip.ts';
import { Life } from '../../life.ts';
import type { Count, Seconds } from '../../units.ts';
import type { ClusterView } from './cluster-view.ts';
import type { ReadyAddress } from './endpoints.ts';
import type { ClusterChange, ClusterObject, Kind, Namespace, Pod } from '../objects.ts';
import { PodAddresses } from './pod-addresses.ts';
import type { ServiceRecords } from './records.ts';
import { serialAfter } from './serial.ts';
import { ServiceTables } from './service-tables.ts';
import type { ServiceEntry } from './service-table.ts';
import { ClusterSnapshot } from './snapshot.ts';

/**
 * Changes cost what they touch, never what the cluster holds. A service's records are made by the first question and hang on
 * the service's entry, so they go when the service or one of its slices does.
 */
export class ClusterStore implements ClusterView {
  readonly #wallClock: () => Seconds;
  #serial: number;
  /** Is the serial told with the steps? */
  #isSerialTold = false;
  readonly #synced = new Set<Kind>();
  /** Not synced, but loaded from a snapshot. */
  readonly #stale = new Set<Kind>();
  #state: State = { namespaces: new Map(), services: new ServiceTables(), pods: new PodAddresses(), life: new Life() };
  /** Of the state as it is, as long as somebody reads it. */
  #snapshot: WeakRef<ClusterSnapshot> | undefined;

  /** @param wallClock seconds since 1970, for the serial only, and only while no step tells it */
  constructor(wallClock: () => Seconds) {
    this.#wallClock = wallClock;
    this.#serial = Math.floor(wallClock()) >>> 0;
  }

  /**
   * Applies changes in order, in one step for every reader: nothing in here waits, and nothing in an object makes it throw.
   * @param serial of the state that they lead to, where several stores show the same one; without it the store counts for itself
   */
  apply(changes: readonly ClusterChange[], serial?: number): void {
    let hasChanged = false;
    for (const change of changes) if (applied(this.#state, change)) hasChanged = true;
    this.#settle(changes, hasChanged, serial);
  }

  /**
   * The same in many small steps, for changes that take longer than a query may wait: what they touch is made again beside
   * the state in use, and takes its place with the last step. There must be no other change meanwhile.
   */
  *applyBeside(changes: readonly ClusterChange[], serial?: number): Generator<undefined, void> {
    const kinds = new Set(changes.map(kindOf));
    const { namespaces, services, pods } = this.#state;
    const next: State = {
      namespaces: new Map(namespaces),
      services: SERVICE_KINDS.isDisjointFrom(kinds) ? services : yield* services.copy(),
      pods: kinds.has('Pod') ? yield* pods.copy() : pods,
      life: new Life(),
    };
    let hasChanged = false;
    for (const change of changes) {
      if (applied(next, change)) hasChanged = true;
      yield undefined;
    }
    this.#state.life.end();
    this.#state = next;
    this.#settle(changes, hasChanged, serial);
  }

  /** Answers may be others from now on: moves the serial on, if it is not told. Also called where the objects stay and are shown in another way. */
  advance(): void {
    if (!this.#isSerialTold) this.#serial = serialAfter(this.#serial, this.#wallClock());
    this.#snapshot = undefined;
  }

  /** Has this kind been received whole at least once? */
  isSynced(kind: Kind): boolean {
    return this.#synced.has(kind);
  }

  /** Is all that is known of this kind what a snapshot had? */
  isStale(kind: Kind): boolean {
    return this.#stale.has(kind);
  }

  /** Serial of the zones made from this cluster: it moves with every change that can change an answer. */
  get serial(): number {
    return this.#serial;
  }

  hasNamespace(name: string): boolean {
    return this.#state.namespaces.has(name);
  }

  /** Are the search lists of its pods not to be walked for them? */
  refusesCompletion(namespace: string): boolean {
    return this.#state.namespaces.get(namespace)?.refusesCompletion === true;
  }

  service(namespace: string, name: string): ServiceEntry | undefined {
    return this.#state.services.services.get(namespace, name);
  }

  /** The records of a service; undefined if there is no such service. */
  records(namespace: string, name: string, usesPodNames: boolean): ServiceRecords | undefined {
    return this.#state.services.services.records(namespace, name, usesPodNames);
  }

  /** The records of a service of the clusterset; undefined if there is no such import. */
  importRecords(namespace: string, name: string, usesPodNames: boolean): ServiceRecords | undefined {
    return this.#state.services.imports.records(namespace, name, usesPodNames);
  }

  /** Services with that cluster IP, by `addressKey`; one at most in a healthy cluster. In no order. */
  servicesByClusterIP(key: string): readonly ServiceEntry[] {
    return this.#state.services.byClusterIP.get(key);
  }

  /** Where in the slices that address is a ready one, by `addressKey`. In no order. */
  readyAddresses(key: string): readonly ReadyAddress[] {
    return this.#state.services.byReadyAddress.get(key);
  }

  /** Of the namespaces, of the tables as a whole, and of whether they are a snapshot's. */
  get life(): Life {
    return this.#state.life;
  }

  /** Of the names of an address that has some, by `addressKey`. */
  lifeOfAddress(key: string): Life {
    return this.#state.services.addressLives.of(key);
  }

  /** How many addresses a slice has; 0 if there is no such slice. */
  addressCount(namespace: string, name: string): Count {
    return this.#state.services.addressCount(namespace, name);
  }

  /** Is there a cluster IP or ready address that begins with these digits, and whose key `isShown` is true of? */
  hasAddressUnder(digits: ReverseDigits, isShown: (key: string) => boolean): boolean {
    return this.#state.services.addresses.hasBeginning(digits, isShown);
  }

  /** Has a pod of the namespace this address, in the text that the API has for it? */
  hasPod(namespace: string, address: string): boolean {
    return this.#state.pods.has(namespace, address);
  }

  /** The pod that sends from this address, if that can be told. */
  podAt(address: string): Pod | undefined {
    return this.#state.pods.only(address);
  }

  /**
   * The state as it is now, for readers who need longer than one step. Only references are copied, and only once for all who
   * read the same state.
   */
  snapshot(): ClusterSnapshot {
    const known = this.#snapshot?.deref();
    if (known !== undefined) return known;
    const { namespaces, services, pods } = this.#state;
    const made = new ClusterSnapshot(
      this.#serial,
      new Set(namespaces.keys()),
      services.services.snapshot(),
      services.imports.snapshot(),
      pods.all(),
    );
    this.#snapshot = new WeakRef(made);
    return made;
  }

  #settle(changes: readonly ClusterChange[], hasChanged: boolean, serial: number | undefined): void {
    for (const { verb, kind } of changes.filter(isMark)) {
      if (verb === 'whole') this.#synced.add(kind);
      if (this.#synced.has(kind)) this.#stale.delete(kind);
      else if (!this.#stale.has(kind)) {
        this.#stale.add(kind);
        begin(this.#state); // the same answers are said in another way
      }
    }
    if (serial !== undefined) {
      this.#isSerialTold = true;
      if (serial !== this.#serial) this.#snapshot = undefined;
      this.#serial = serial;
    }
    if (hasChanged) this.advance();
  }
}

/** All that answers are made from. */
type State = {
  readonly namespaces: Map<string, Namespace>;
  readonly services: ServiceTables;
  readonly pods: PodAddresses;
  life: Life;
};

const SERVICE_KINDS: ReadonlySet<Kind> = new Set(['Service', 'EndpointSlice', 'ServiceImport']);

function kindOf(change: ClusterChange): Kind {
  return change.verb === 'put' ? change.object.kind : change.kind;
}

/** Does it say how much is known of a kind? */
function isMark(change: ClusterChange): change is Extract<ClusterChange, { verb: 'whole' | 'loaded' }> {
  return change.verb === 'whole' || change.verb === 'loaded';
}

/** Did it change anything that an answer depends on? Objects that say what is known already do not come here (ClusterMemory). */
function applied(state: State, change: ClusterChange): boolean {
  switch (change.verb) {
    case 'put':
      return put(state, change.object);
    case 'remove':
      return remove(state, change.kind, change.namespace, change.name);
    case 'whole':
    case 'loaded':
      return false;
  }
}

/** Namespaces come, go and change what they refuse, and snapshots are loaded, so seldom that all answers may end with one. */
function begin(state: State): void {
  state.life.end();
  state.life = new Life();
}

function put(state: State, object: ClusterObject): boolean {
  const { services, pods } = state;
  switch (object.kind) {
    case 'Namespace':
      return putNamespace(state, object);
    case 'Service':
      services.putService(object);
      return true;
    case 'EndpointSlice':
      return services.putSlice(object);
    case 'Pod':
      return pods.put(object);
    case 'ServiceImport':
      services.putImport(object);
      return true;
  }
}

function putNamespace(state: State, namespace: Namespace): boolean {
  const known = state.namespaces.get(namespace.name);
  if (known !== undefined && known.refusesCompletion === namespace.refusesCompletion) return false;
  state.namespaces.set(namespace.name, namespace);
  begin(state);
  return true;
}

function remove(state: State, kind: Kind, namespace: string, name: string): boolean {
  const { namespaces, services, pods } = state;
  switch (kind) {
    case 'Namespace':
      if (!namespaces.delete(name)) return false;
      begin(state);
      return true;
    case 'Service':
      return services.removeService(namespace, name);
    case 'EndpointSlice':
      return services.removeSlice(namespace, name);
    case 'Pod':
      return pods.remove(namespace, name);
    case 'ServiceImport':
      return services.imports.remove(namespace, name);
  }
}
