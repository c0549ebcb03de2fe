/**
 * The real server in this process, once with an express lane and once without: raw objects go in where an API server's would,
 * questions go in over real sockets. Knows how the server's parts are put together, nothing of what is right.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ClusterFeed } from '../../server/control/cluster-feed.ts';
import { planOf } from '../../server/control/planner.ts';
import { autopathAt } from '../../server/plugins/autopath.ts';
import { cacheAt } from '../../server/plugins/cache.ts';
import { kubernetesAt } from '../../server/plugins/kubernetes.ts';
import { loadbalanceBy } from '../../server/plugins/loadbalance.ts';
import type { KubernetesOptions } from '../../server/plugins/kubernetes-options.ts';
import type { Plugin } from '../../server/pipeline.ts';
import type { Plan } from '../../server/plan.ts';
import { plugins, type AnyPlugin } from '../../server/plugins/order.ts';
import { searchDomainsFrom } from '../../server/upstream/resolv-conf.ts';
import { addressFrom, type Address } from '../../zones/ip.ts';
import type { Name } from '../../zones/name.ts';
import { resourcesOf, selectorsOf, type Resource } from '../../zones/kubernetes/api/api-resources.ts';
import { JoinedStreams } from '../../zones/kubernetes/api/joined-streams.ts';
import { Replica, type WatchedChange } from '../../zones/kubernetes/api/replica.ts';
import { KINDS, type Kind } from '../../zones/kubernetes/objects.ts';
import type { Count, Milliseconds, Seconds } from '../../zones/units.ts';
import { corefileOf as corefileFrom } from '../support/corefile.ts';
import { matcherFrom, type Matcher } from '../support/fake-api-selectors.ts';
import type { ModelQuestion } from '../support/model/world.ts';
import type { RawObject } from '../support/raw-objects.ts';
import type { Reply } from '../support/reply.ts';
import type { Replies } from './asker.ts';
import { Clock, PatienceTimers, type Patience } from './clocks.ts';
import { textsOf, type CompletionFiles, type CompletionSetting } from './completion-settings.ts';
import type { Delivery } from './events.ts';
import { Lane } from './lane.ts';
import { authoritatively, outside } from './outside.ts';
import { corefileOf, type Setting } from './settings.ts';
import { OutsideUpstream } from './upstream.ts';

/** So few that the small clusters here have steps of both kinds: applied at once, and made beside the state in use. */
const AT_ONCE_MAX: Count = 3;

/** Any: the timers are ours. */
const PATIENCE: Milliseconds = 1;

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
  ask(queries: readonly Buffer[], patience?: Patience): Promise<readonly Replies[]>;
  /** The same without an express lane. */
  askPlain(queries: readonly Buffer[], patience?: Patience): Promise<readonly Replies[]>;
  /** The messages of a whole zone. */
  transfer(zone: ModelQuestion['labels']): Promise<readonly Reply[]>;
  /** Replies so far that came from the express lane. */
  readonly expressReplies: Count;
};

/** fivedots. A new setting takes the place of the last one, on the same sockets. */
export class Fivedots implements Subject {
  readonly #upstream: OutsideUpstream;
  readonly #express: Lane;
  readonly #plain: Lane;
  readonly #plugins: ReadonlyMap<string, AnyPlugin>;
  readonly complaints: string[] = [];
  #watched: ReadonlyMap<Kind, readonly Watched[]> = new Map();
  /** What the streams have told of this delivery so far. */
  #told: WatchedChange[] = [];
  #cluster = '';
  #localAddresses: readonly Address[] = [];
  #time: Seconds = 0;
  readonly #clock = new Clock();
  readonly #patience = new PatienceTimers();
  readonly #folder: string;
  #nodeDomains: readonly Name[] = [];
  #feed: ClusterFeed = this.#newFeed();
  #version = 0;

  private constructor(upstream: OutsideUpstream, folder: string) {
    this.#upstream = upstream;
    this.#folder = folder;
    const kubernetes = listeningEverywhere(kubernetesAt(() => this.#localAddresses));
    // Any other order would be another one each time.
    const loadbalance = loadbalanceBy((below) => below - 1);
    const autopath = autopathAt({
      nodeDomains: () => this.#nodeDomains,
      patience: PATIENCE,
      schedule: this.#patience.schedule,
    });
    const cache = cacheAt(() => this.#nodeDomains);
    this.#plugins = new Map([
      ...plugins,
      [autopath.name, autopath as AnyPlugin],
      [cache.name, cache as AnyPlugin],
      [kubernetes.name, kubernetes as AnyPlugin],
      [loadbalance.name, loadbalance as AnyPlugin],
    ]);
    this.#express = this.#lane(true);
    this.#plain = this.#lane(false);
  }

  static async start(): Promise<Fivedots> {
    return new Fivedots(await OutsideUpstream.start(), await mkdtemp(join(tmpdir(), 'truth-')));
  }

  /** The Corefile of a setting, as this subject reads it. */
  corefile(setting: Setting): string {
    const { searches, tlds } = this.#files;
    return corefileOf(setting, { upstream: this.#upstream.address, searches, tlds });
  }

  get #files(): CompletionFiles {
    return { searches: join(this.#folder, 'resolv.conf'), tlds: join(this.#folder, 'tlds.txt') };
  }

  async configure(setting: Setting): Promise<void> {
    this.complaints.length = 0;
    this.#localAddresses = setting.localAddresses.map((text) => addressFrom(text)).filter((each) => each !== undefined);
    this.#time = setting.time;
    this.#feed = this.#newFeed();
    this.#clock.use(setting.cache === undefined ? 'running' : 'standing');
    this.#upstream.world = setting.cache === undefined ? outside : (question) => authoritatively(outside(question));
    if (setting.completion !== undefined) await this.#prepare(setting.completion);
    const { blocks } = corefileFrom({ Corefile: this.corefile(setting) });
    const plan = planOf(blocks, { defaultPort: 53, plugins: this.#plugins });
    const { source, cluster } = kubernetesOptionsOf(plan);
    for (const { plane } of this.#lanes) {
      plane.forget(this.#cluster);
      plane.forget(cluster);
    }
    this.#cluster = cluster;
    const resources = resourcesOf(source);
    this.#watched = new Map(
      KINDS.map((kind) => [kind, this.#streamsOf(resources.filter((each) => each.kind === kind))]),
    );
    for (const lane of this.#lanes) await lane.use(plan);
  }

  async #prepare(completion: CompletionSetting): Promise<void> {
    this.#nodeDomains = searchDomainsFrom(`search ${completion.nodeDomains.join(' ')}`);
    const { searches, tlds } = textsOf(completion);
    await Promise.all([writeFile(this.#files.searches, searches), writeFile(this.#files.tlds, tlds)]);
  }

  pass(span: Seconds): void {
    this.#time += span;
    this.#clock.pass(span * 1000);
  }

  async deliver(deliveries: readonly Delivery[]): Promise<void> {
    this.#told = [];
    for (const delivery of deliveries) this.#stream(delivery);
    this.#feed.apply(this.#told);
    for (const { plane } of this.#lanes) await plane.settled();
  }

  ask(queries: readonly Buffer[], patience: Patience = 'endless'): Promise<readonly Replies[]> {
    return this.#patience.during(patience, () => this.#express.ask(queries));
  }

  askPlain(queries: readonly Buffer[], patience: Patience = 'endless'): Promise<readonly Replies[]> {
    return this.#patience.during(patience, () => this.#plain.ask(queries));
  }

  transfer(zone: ModelQuestion['labels']): Promise<readonly Reply[]> {
    return this.#express.transfer(zone);
  }

  get expressReplies(): Count {
    return this.#express.expressReplies;
  }

  async close(): Promise<void> {
    for (const lane of this.#lanes) await lane.close();
    await this.#upstream.close();
    await rm(this.#folder, { recursive: true });
  }

  get #lanes(): readonly Lane[] {
    return [this.#express, this.#plain];
  }

  /** To both lanes, each at its own pace. */
  #newFeed(): ClusterFeed {
    return new ClusterFeed({
      threads: 2,
      wallClock: () => this.#time,
      send: (part, thread) => this.#lanes[thread]?.plane.take(this.#cluster, part),
    });
  }

  #lane(express: boolean): Lane {
    return new Lane({
      clock: this.#clock.now,
      wallClock: () => this.#time,
      log: (level, source, text) => {
        // That the outside said nothing in time is no fault of the server's.
        const isOutsides = source === 'plugin/autopath' && !text.includes('please report it');
        if (level === 'error' && !isOutsides) this.complaints.push(`${level} ${source} ${text}`);
      },
      plugins: this.#plugins,
      express,
      atOnceMax: AT_ONCE_MAX,
      taken: () => this.#feed.taken(express ? 0 : 1),
    });
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
