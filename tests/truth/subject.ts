/**
 * The real server in this process: raw objects go in where an API server's would, questions go in over real sockets. Knows
 * how the server's parts are put together, nothing of what is right.
 */

import { Counters, COUNTER_SLOTS } from '../../server/counters.ts';
import { DataPlane } from '../../server/data/data-plane.ts';
import { ClusterFeed } from '../../server/control/cluster-feed.ts';
import { planOf } from '../../server/control/planner.ts';
import { kubernetesAt } from '../../server/plugins/kubernetes.ts';
import type { KubernetesOptions } from '../../server/plugins/kubernetes-options.ts';
import type { Plugin } from '../../server/pipeline.ts';
import type { ClusterPart } from '../../server/messages.ts';
import type { Plan } from '../../server/plan.ts';
import { plugins, type AnyPlugin } from '../../server/plugins/order.ts';
import { addressFrom, type Address } from '../../zones/ip.ts';
import { resourcesOf, selectorsOf, type Resource } from '../../zones/kubernetes/api/api-resources.ts';
import { JoinedStreams } from '../../zones/kubernetes/api/joined-streams.ts';
import { Replica, type WatchedChange } from '../../zones/kubernetes/api/replica.ts';
import { KINDS, type Kind } from '../../zones/kubernetes/objects.ts';
import type { Count, Seconds } from '../../zones/units.ts';
import { serverAddressFrom } from '../support/client.ts';
import { corefileOf as corefileFrom } from '../support/corefile.ts';
import { matcherFrom, type Matcher } from '../support/fake-api-selectors.ts';
import type { ModelQuestion } from '../support/model/world.ts';
import type { RawObject } from '../support/raw-objects.ts';
import type { Reply } from '../support/reply.ts';
import { Asker, type Replies } from './asker.ts';
import type { Delivery } from './events.ts';
import { corefileOf, type Setting } from './settings.ts';
import { OutsideUpstream } from './upstream.ts';

/** So few that the small clusters here have steps of both kinds: applied at once, and made beside the state in use. */
const AT_ONCE_MAX: Count = 3;

/** A server whose answers are looked at. */
export type Subject = {
  /** Lines of its log that tell of a fault, since it was configured. */
  readonly complaints: readonly string[];
  /** Begins anew, with an empty cluster of which nothing is known. */
  configure(setting: Setting): Promise<void>;
  /** Shows what the API server says in one step. */
  deliver(deliveries: readonly Delivery[]): Promise<void>;
  /** Time goes on. */
  pass(span: Seconds): void;
  /** The octets of each query over both transports. */
  ask(queries: readonly Buffer[]): Promise<readonly Replies[]>;
  /** The messages of a whole zone. */
  transfer(zone: ModelQuestion['labels']): Promise<readonly Reply[]>;
};

/** fivedots. A new setting takes the place of the last one, on the same sockets. */
export class Fivedots implements Subject {
  readonly #upstream: OutsideUpstream;
  readonly #plane: DataPlane;
  readonly #plugins: ReadonlyMap<string, AnyPlugin>;
  readonly complaints: string[] = [];
  #asker: Asker | undefined;
  #watched: ReadonlyMap<Kind, readonly Watched[]> = new Map();
  /** What the streams have told of this delivery so far. */
  #told: WatchedChange[] = [];
  #cluster = '';
  #localAddresses: readonly Address[] = [];
  #time: Seconds = 0;
  #feed = this.#newFeed(() => {});
  #version = 0;

  private constructor(upstream: OutsideUpstream) {
    this.#upstream = upstream;
    const kubernetes = listeningEverywhere(kubernetesAt(() => this.#localAddresses));
    this.#plugins = new Map([...plugins, [kubernetes.name, kubernetes as AnyPlugin]]);
    this.#plane = new DataPlane({
      clock: () => performance.now(),
      wallClock: () => this.#time,
      log: (level, source, text) => {
        if (level === 'error') this.complaints.push(`${level} ${source} ${text}`);
      },
      counters: new Counters(new SharedArrayBuffer(COUNTER_SLOTS * Float64Array.BYTES_PER_ELEMENT), () => {}),
      plugins: this.#plugins,
      atOnceMax: AT_ONCE_MAX,
      taken: () => this.#feed.taken(0),
    });
  }

  static async start(): Promise<Fivedots> {
    return new Fivedots(await OutsideUpstream.start());
  }

  /** The Corefile of a setting, as this subject reads it. */
  corefile(setting: Setting): string {
    return corefileOf(setting, this.#upstream.address);
  }

  async configure(setting: Setting): Promise<void> {
    this.complaints.length = 0;
    this.#localAddresses = setting.localAddresses.map((text) => addressFrom(text)).filter((each) => each !== undefined);
    this.#time = setting.time;
    this.#feed = this.#newFeed((part) => this.#plane.take(this.#cluster, part));
    const { blocks } = corefileFrom({ Corefile: this.corefile(setting) });
    const plan = planOf(blocks, { defaultPort: 53, plugins: this.#plugins });
    const { source, cluster } = kubernetesOptionsOf(plan);
    this.#plane.forget(this.#cluster);
    this.#plane.forget(cluster);
    this.#cluster = cluster;
    const resources = resourcesOf(source);
    this.#watched = new Map(
      KINDS.map((kind) => [kind, this.#streamsOf(resources.filter((each) => each.kind === kind))]),
    );
    const [address = ''] = await this.#plane.use(plan);
    this.#asker ??= await Asker.open(serverAddressFrom(address));
  }

  pass(span: Seconds): void {
    this.#time += span;
  }

  deliver(deliveries: readonly Delivery[]): Promise<void> {
    this.#told = [];
    for (const delivery of deliveries) this.#stream(delivery);
    this.#feed.apply(this.#told);
    return this.#plane.settled();
  }

  ask(queries: readonly Buffer[]): Promise<readonly Replies[]> {
    return this.#open().ask(queries);
  }

  transfer(zone: ModelQuestion['labels']): Promise<readonly Reply[]> {
    return this.#open().transfer(zone);
  }

  async close(): Promise<void> {
    this.#asker?.close();
    await this.#plane.close();
    await this.#upstream.close();
  }

  #newFeed(send: (part: ClusterPart) => void): ClusterFeed {
    return new ClusterFeed({ threads: 1, wallClock: () => this.#time, send });
  }

  #open(): Asker {
    if (this.#asker === undefined) throw new Error('the subject has no setting yet');
    return this.#asker;
  }

  /** As the API source does it: what is read over several streams is joined. */
  #streamsOf(resources: readonly Resource[]): readonly Watched[] {
    const tell = (changes: readonly WatchedChange[]): void => void this.#told.push(...changes);
    const [{ kind } = { kind: undefined }, second] = resources;
    const joined = kind === undefined || second === undefined ? undefined : new JoinedStreams(kind, tell);
    return resources.map((resource) => {
      const stream = joined?.add();
      return {
        resource,
        replica: new Replica(resource, stream?.known ?? (() => this.#feed.memory.texts(resource.kind))),
        selects: matcherFrom(selectorsOf(resource)),
        publish: stream?.publish ?? tell,
      };
    });
  }

  #stream(delivery: Delivery): void {
    const kind = (delivery.verb === 'list' ? delivery.kind : delivery.object.kind) as Kind;
    const streams = this.#watched.get(kind) ?? [];
    // Nobody promises that it is always the same one which comes first.
    for (const stream of ++this.#version % 2 === 0 ? streams : streams.toReversed()) {
      stream.publish([this.#changeFor(stream, delivery)], String(this.#version));
    }
  }

  #changeFor({ replica, selects }: Watched, delivery: Delivery): WatchedChange {
    if (delivery.verb === 'list') {
      const listing = replica.newListing();
      for (const object of delivery.objects) if (selects(object)) listing.put(this.#stored(object));
      return replica.replace(listing, String(this.#version));
    }
    // Whoever watches with a selector is told that an object which it does not select any more is gone.
    const type = delivery.verb === 'put' && selects(delivery.object) ? 'MODIFIED' : 'DELETED';
    const change = replica.apply(type, this.#stored(delivery.object));
    if (change === 'old') throw new Error('the versions of a subject only grow');
    return change;
  }

  /** A copy, so that nothing of ours is shared with the server. */
  #stored(object: RawObject): RawObject {
    const resourceVersion = String(this.#version);
    return structuredClone({ ...object, metadata: { ...object.metadata, resourceVersion } });
  }
}

/** The plugin as if nothing were bound to one address: its machine's addresses are then those that it is given. */
function listeningEverywhere(plugin: Plugin<KubernetesOptions>): Plugin<KubernetesOptions> {
  const { layer } = plugin;
  if (layer === undefined) throw new Error(`${plugin.name} has no layer`);
  return { ...plugin, layer: (options, context) => layer(options, { ...context, hosts: [''] }) };
}

/** What the plugin's own `parse` made. */
function kubernetesOptionsOf(plan: Plan): KubernetesOptions {
  const directive = plan.blocks.flatMap((block) => block.plugins).find(({ name }) => name === 'kubernetes');
  if (directive === undefined) throw new Error('a setting without kubernetes');
  return directive.options as KubernetesOptions;
}

type Watched = {
  readonly resource: Resource;
  readonly replica: Replica;
  readonly selects: Matcher;
  readonly publish: (changes: readonly WatchedChange[], version: string) => void;
};
