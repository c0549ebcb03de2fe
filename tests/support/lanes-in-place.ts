/** Both lanes of one listener without sockets, for tests of hundreds of thousands of queries. Knows how a listener joins them. */

import { planOf } from '../../server/control/planner.ts';
import { routesOf } from '../../server/data/block.ts';
import { ExpressLane } from '../../server/data/express/express-lane.ts';
import { eitherLane } from '../../server/data/lanes.ts';
import { Server } from '../../server/data/serve.ts';
import { transparent, type Chance } from '../../server/pipeline.ts';
import { loadbalanceBy } from '../../server/plugins/loadbalance.ts';
import { plugins, type AnyPlugin } from '../../server/plugins/order.ts';
import type { Query, Reply } from '../../server/query.ts';
import type { ClusterStore } from '../../zones/kubernetes/store/store.ts';
import type { Count } from '../../zones/units.ts';
import { corefileOf } from './corefile.ts';
import { TEST_PEER, testContext } from './plugin-context.ts';

export type LanesInPlaceOptions = {
  /** Of one listener. */
  readonly corefile: string;
  readonly store?: ClusterStore;
  /** Takes the place of `forward`, and answers at once. */
  readonly upstream?: (query: Query) => Reply;
  readonly chance?: Chance;
};

export type LanesInPlace = {
  /** The reply, from the express lane if that knows it. */
  readonly ask: (query: Buffer) => Buffer;
  /** Of a metric, over all labels. */
  readonly total: (metric: string) => Count;
};

/** @throws Error if a query is met with silence, or its reply has to be waited for */
export function lanesInPlace({ corefile, store, upstream, chance }: LanesInPlaceOptions): LanesInPlace {
  const { context, series } = testContext();
  const { clock, counters, log } = context;
  const loadbalance = loadbalanceBy(chance ?? ((below) => below - 1));
  const known = new Map([...plugins, [loadbalance.name, loadbalance as AnyPlugin]]);
  if (upstream !== undefined) {
    known.set('forward', { name: 'forward', parse: () => undefined, layer: () => transparent(() => upstream) });
  }
  const plan = planOf(corefileOf({ Corefile: corefile }).blocks, { defaultPort: 53, plugins: known });
  const server = new Server(clock, log, counters);
  const [routes] = routesOf(
    plan,
    known,
    (block, listener, place) => ({
      ...context,
      ...place,
      block,
      server: listener.server,
      shared: new Map(),
      cluster: () => {
        if (store === undefined) throw new Error('this test has no cluster');
        return store;
      },
    }),
    (zones, label) => new ExpressLane({ zones, server: label, counters, clock, tell: server.tell }),
  ).values();
  const lane = routes?.express;
  if (routes === undefined || lane === undefined) throw new Error('the Corefile has no listener');
  const answer = eitherLane({
    express: (query, start, end, reply, at, asker) => lane.answer(query, start, end, reply, at, asker),
    plain: (packet, peer) => server.serve(packet, peer, routes),
    clock,
  });
  return {
    ask(query) {
      const reply = answer(query, TEST_PEER);
      if (!Buffer.isBuffer(reply)) throw new Error('no reply at once');
      return reply;
    },
    total(metric) {
      let sum = 0;
      for (const [row, [value = 0]] of series()) if (row.startsWith(`${metric}{`)) sum += value;
      return sum;
    },
  };
}
