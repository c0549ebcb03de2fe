/** The API server's process as the bench holds it. Knows nothing of what is measured. */

import type { Count, Milliseconds } from '../../zones/units.ts';
import type { Requests } from './api-server.ts';
import { Callee } from './calls.ts';
import type { ChurnKind } from './churn.ts';
import type { Shape } from './cluster.ts';

/** Times are those of `sharedNow`. */
export type ApiCalls = {
  describe(): { readonly port: number; readonly endpoints: Count; readonly slices: Count };
  /** Until then no request is answered. */
  open(): Milliseconds;
  /** Writes that many events at a rate per second; Infinity is as fast as they are read. Another churn, or `stop`, ends it. */
  churn(kind: ChurnKind, rate: number, events: Count): Promise<Churned>;
  stop(): void;
  /** Gives the marker Service the address of that number; when it was written. */
  mark(number: Count): Milliseconds;
  /** Gives all markers that address without a word and ends all watches with 410; when the first of the new requests came. */
  expire(number: Count): Promise<Milliseconds>;
  requests(): Requests;
};

/** What a churn has done. */
export type Churned = { readonly written: Count; readonly elapsed: Milliseconds };

export type ApiProcess = Callee<ApiCalls>;

export function startApi(shape: Shape, knowsWatchList: boolean): ApiProcess {
  return new Callee<ApiCalls>(PROGRAM, [JSON.stringify(shape), knowsWatchList ? 'watchlist' : 'lists']);
}

const PROGRAM = new URL('./api-main.ts', import.meta.url);
