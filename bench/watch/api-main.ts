/** The process of the API server: makes the cluster, serves it, changes it when told. Its words are the shape, as JSON, and whether it knows WatchList. */

import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';

import type { Bytes, Count, Milliseconds } from '../../zones/units.ts';
import type { ApiCalls, Churned } from './api-process.ts';
import { ApiServer } from './api-server.ts';
import { answerCalls, sharedNow } from './calls.ts';
import { churnOf, type ChurnKind } from './churn.ts';
import { Cluster, MARKER_ENDPOINTS, type Shape } from './cluster.ts';

const [shape = '', watchList] = process.argv.slice(2);
const cluster = new Cluster(JSON.parse(shape) as Shape); // what api-process.ts gives
const server = new ApiServer(cluster, watchList === 'watchlist');
const port = await server.listen();
/** Of the churn that runs. */
let generation: Count = 0;

answerCalls({
  describe() {
    const own = cluster.slices().filter(({ service }) => service !== MARKER_ENDPOINTS);
    const endpoints = own.reduce((sum, slice) => sum + slice.endpoints.length, 0);
    return { port, endpoints, slices: own.length };
  },
  open() {
    server.open();
    return sharedNow();
  },
  churn,
  stop() {
    generation++;
  },
  mark(number) {
    cluster.version++;
    const { service } = cluster.mark(number);
    const at = sharedNow();
    server.tell({ type: 'MODIFIED', object: service });
    return at;
  },
  async expire(number) {
    cluster.version++;
    cluster.mark(number);
    await server.expire();
    return sharedNow();
  },
  requests() {
    return server.requests;
  },
} satisfies ApiCalls);

/** Not more than this is written ahead of the slowest reader when the rate is the highest there is. */
const UNREAD_MAX: Bytes = 256 * 1024;
/** Steps in one go. */
const BURST: Count = 16;
const PACE: Milliseconds = 1;

async function churn(kind: ChurnKind, rate: number, events: Count): Promise<Churned> {
  const step = churnOf(cluster, kind);
  const own = ++generation;
  const began = sharedNow();
  let written = 0;
  while (written < events && generation === own) {
    const due = Math.min(events, ((sharedNow() - began) / 1000) * rate, written + BURST);
    while (written < due) {
      for (const event of step()) {
        server.tell(event);
        written++;
      }
    }
    await (rate === Infinity ? nextTurn() : pause(PACE));
    while (server.unread > UNREAD_MAX) await pause(PACE);
  }
  return { written, elapsed: sharedNow() - began };
}
