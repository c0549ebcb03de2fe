/**
 * Two data planes that are told the same: one with an express lane, one without. Clocks turned by hand, no order by chance. Knows how a
 * server's parts are put together, nothing of what is right.
 */

import type { ExecutionContext } from 'ava';

import { planOf } from '../../server/control/planner.ts';
import { DataPlane } from '../../server/data/data-plane.ts';
import { transparent, type Chance } from '../../server/pipeline.ts';
import type { Plan } from '../../server/plan.ts';
import { loadbalanceBy } from '../../server/plugins/loadbalance.ts';
import { plugins, type AnyPlugin } from '../../server/plugins/order.ts';
import type { Protocol, Query, Reply } from '../../server/query.ts';
import { textOf } from '../../zones/kubernetes/object-text.ts';
import { KINDS, type ClusterChange } from '../../zones/kubernetes/objects.ts';
import type { Count, Milliseconds } from '../../zones/units.ts';
import { datagramsUntilLastReply, serverAddressFrom, type ServerAddress } from './client.ts';
import { corefileOf } from './corefile.ts';
import { EXAMPLE_OBJECTS, listed } from './example-cluster.ts';
import { testContext, type TestContext } from './plugin-context.ts';
import { encodeQuery, type Asked } from './query.ts';
import { SteadyClient } from './steady-client.ts';

export type BothLanesOptions = {
  readonly corefile: string;
  /** Takes the place of `forward`; it is told which lane asks. */
  readonly upstream?: (query: Query) => Reply;
  /** Of `loadbalance`; the order stays if it is absent. */
  readonly chance?: () => Chance;
  readonly plugins?: readonly AnyPlugin[];
  /** As in `DataPlaneOptions`. */
  readonly atOnceMax?: Count;
};

/** One of the two. */
export type Side = {
  readonly plane: DataPlane;
  readonly test: TestContext;
  addresses: readonly ServerAddress[];
  /** One for each of them. */
  clients: readonly SteadyClient[];
};

/** What both said; undefined where nothing came. */
export type Pair = { readonly express: Buffer | undefined; readonly plain: Buffer | undefined };

/** Id of the query behind those that may be met with silence. */
const LAST_ID = 0xfffe;

export class BothLanes {
  readonly express: Side;
  readonly plain: Side;
  readonly #known: ReadonlyMap<string, AnyPlugin>;
  #cluster = '';

  private constructor(t: ExecutionContext, { upstream, chance, plugins: others = [], atOnceMax }: BothLanesOptions) {
    const told = upstream === undefined ? [] : [fakeForward(upstream)];
    const make = (express: boolean): Side => {
      const loadbalance = loadbalanceBy(chance?.() ?? ((below) => below - 1));
      const known = new Map([
        ...plugins,
        ...[loadbalance as AnyPlugin, ...told, ...others].map((plugin) => [plugin.name, plugin] as const),
      ]);
      const test = testContext();
      const plane = new DataPlane({
        clock: test.context.clock,
        wallClock: () => TEST_TIME,
        log: test.context.log,
        counters: test.context.counters,
        plugins: known,
        express,
        atOnceMax,
        taken: () => {},
      });
      const side: Side = { plane, test, addresses: [], clients: [] };
      t.teardown(async () => {
        for (const client of side.clients) client.close();
        await plane.close();
      });
      return side;
    };
    this.express = make(true);
    this.plain = make(false);
    this.#known = new Map([...plugins, ...[...told, ...others].map((plugin) => [plugin.name, plugin] as const)]);
  }

  /** Both with the Corefile and, if that has a cluster, the example's objects. */
  static async start(t: ExecutionContext, options: BothLanesOptions): Promise<BothLanes> {
    const both = new BothLanes(t, options);
    await both.use(options.corefile);
    if (both.#cluster !== '') await both.apply(listed(EXAMPLE_OBJECTS));
    return both;
  }

  get sides(): readonly Side[] {
    return [this.express, this.plain];
  }

  /** Another Corefile from now on. */
  async use(corefile: string): Promise<void> {
    const { blocks } = corefileOf({ Corefile: corefile });
    const plan = planOf(blocks, { defaultPort: 0, plugins: this.#known });
    for (const { name, options } of plan.blocks.flatMap((block) => block.plugins)) {
      if (name === 'kubernetes') this.#cluster = (options as { cluster: string }).cluster;
    }
    for (const side of this.sides) {
      side.addresses = (await usedBy(side.plane, plan)).map(serverAddressFrom);
      for (const client of side.clients) client.close();
      side.clients = side.addresses.map((address) => new SteadyClient(address));
    }
  }

  /** One step of the cluster's. */
  async apply(changes: readonly ClusterChange[]): Promise<void> {
    const part = {
      put: changes.flatMap((change) => (change.verb === 'put' ? [textOf(change.object)] : [])).join('\n'),
      removed: changes.flatMap((change) => (change.verb === 'remove' ? [change] : [])),
      whole: changes.some(({ verb }) => verb === 'whole') ? KINDS : [],
      isLast: true,
    };
    for (const { plane } of this.sides) plane.take(this.#cluster, part);
    for (const { plane } of this.sides) await plane.settled();
  }

  pass(span: Milliseconds): void {
    for (const { test } of this.sides) test.pass(span);
  }

  /** Asks both once. `listener` is the place of the address among those that are listened on. */
  async ask(query: Buffer, protocol: Protocol = 'udp', listener = 0): Promise<Pair> {
    const [express, plain] = await Promise.all(
      this.sides.map(({ clients }) => placeOf(clients, listener).ask(query, protocol)),
    );
    return { express, plain };
  }

  /** Asks both the same, so often, over both transports; fails at the first octet that differs. Gives what was said last. */
  async agree(t: ExecutionContext, asked: Asked | Buffer, what = '', times: Count = 2, listener = 0): Promise<Buffer> {
    const query = Buffer.isBuffer(asked) ? asked : encodeQuery(1, asked);
    let last: Buffer = Buffer.alloc(0);
    for (let time = 0; time < times; time++) {
      for (const protocol of ['udp', 'tcp'] as const) {
        const { express, plain } = await this.ask(query, protocol, listener);
        if (express === undefined || plain === undefined) throw new Error('no reply');
        if (!express.equals(plain)) {
          t.is(
            express.toString('hex'),
            plain.toString('hex'),
            `${what} ${query.toString('latin1', 12)} over ${protocol}`,
          );
        }
        last = plain;
      }
    }
    return last;
  }

  /** Sends all the messages to both from one socket each and gives all that comes back, silence as well. */
  async converse(messages: readonly Buffer[]): Promise<{ readonly express: Buffer[]; readonly plain: Buffer[] }> {
    const all = [...messages, encodeQuery(LAST_ID, { ...NOTHING, name: 'example.org' })];
    const [express = [], plain = []] = await Promise.all(
      this.sides.map(({ addresses }) => datagramsUntilLastReply(placeOf(addresses, 0), all)),
    );
    return { express, plain };
  }

  /** Replies that came from the express lane. */
  get expressReplies(): Count {
    return this.total('fivedots_express_replies_total');
  }

  /** Of a metric of the plane with an express lane, over all labels. */
  total(metric: string): Count {
    let sum = 0;
    for (const [row, [value = 0]] of this.express.test.series()) if (row.startsWith(`${metric}{`)) sum += value;
    return sum;
  }
}

/** When all of these began, in seconds since 1970. */
const TEST_TIME = 1_700_000_000;

const NOTHING: Asked = {
  name: '',
  class: 1,
  type: 1,
  recursionDesired: false,
  checkingDisabled: false,
  authenticData: false,
  reserved: false,
  edns: undefined,
};

/** The port that the kernel gives for TCP may be somebody's UDP port already. */
async function usedBy(plane: DataPlane, plan: Plan): Promise<readonly string[]> {
  for (let tries = 1; ; tries++) {
    try {
      return await plane.use(plan);
    } catch (error) {
      if (tries === TRIES_MAX || !String(error).includes('another program uses that port')) throw error;
    }
  }
}

const TRIES_MAX: Count = 10;

function placeOf<Value>(values: readonly Value[], listener: number): Value {
  const value = values[listener];
  if (value === undefined) throw new Error(`there is no listener ${listener}`);
  return value;
}

/** An upstream without sockets: its reply is a promise, as one of `forward` is. */
function fakeForward(upstream: (query: Query) => Reply): AnyPlugin {
  return {
    name: 'forward',
    parse: () => undefined,
    layer: () => transparent(() => (query) => Promise.resolve(upstream(query))),
  };
}
