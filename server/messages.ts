/** What the control thread and a data thread say to each other. Everything here survives structuredClone. */

import type { Kind } from '../zones/kubernetes/objects.ts';
import type { Count } from '../zones/units.ts';
import type { Series } from './counters.ts';
import type { Plan } from './plan.ts';

/** What a data thread shares with the control thread. */
export type DataThreadMemory = {
  /** `COUNTER_SLOTS` float64: counters.ts. */
  readonly counters: SharedArrayBuffer;
  /** Lines for the log: ring.ts. */
  readonly log: SharedArrayBuffer;
};

/** What of the command line concerns data threads. */
export type DataThreadSettings = {
  /** Is there an express lane? It changes no octet of a reply. */
  readonly express: boolean;
  /** `batched` reads and writes many datagrams with one system call, where the machine has such calls; `dgram` is node:dgram. */
  readonly udp: UdpMode;
};

export type UdpMode = 'batched' | 'dgram';

/** Which of the data threads it is. */
export type DataThreadPlace = {
  /** From 0. */
  readonly index: Count;
  /** Do several threads have sockets of the same ports? */
  readonly reusePort: boolean;
  /** Shared by all of them: upstream/probe-table.ts. */
  readonly probes: SharedArrayBuffer;
};

/** Given to a data thread when it starts. */
export type DataThreadStart = DataThreadMemory & DataThreadSettings & DataThreadPlace;

/** A piece of one step of a cluster's state. */
export type ClusterPart = {
  /** Objects that are new or different: their texts (zones/kubernetes/object-text.ts), one a line. */
  readonly put: string;
  readonly removed: readonly { readonly kind: Kind; readonly namespace: string; readonly name: string }[];
  /** Kinds of which everything is known from here on. */
  readonly whole: readonly Kind[];
  /** Kinds of which from here on everything is known that a snapshot had; absent if there are none. */
  readonly loaded?: readonly Kind[];
  /** The step becomes visible with this one. */
  readonly isLast: boolean;
  /** Serial of the state that the step leads to, with its last part; absent where a store counts for itself. */
  readonly serial?: number;
};

export type ToData =
  | {
      readonly type: 'plan';
      readonly generation: number;
      readonly plan: Plan;
      /** Has no other data thread the ports that are new in it? Then nobody else may have them either. */
      readonly isFirst: boolean;
    }
  | { readonly type: 'cluster'; readonly cluster: string; readonly part: ClusterPart }
  | { readonly type: 'forget-cluster'; readonly cluster: string }
  /** Stop accepting, answer what was accepted, close, then say `drained`. */
  | { readonly type: 'drain' };

export type FromData =
  | { readonly type: 'online' }
  /** The plan is in use and its sockets are open, as `host:port`. */
  | { readonly type: 'planned'; readonly generation: number; readonly listening: readonly string[] }
  /** The plan cannot be used; the one before stays in use. */
  | { readonly type: 'refused'; readonly generation: number; readonly message: string }
  /** A part of a step has been taken in; of these kinds everything is known now. */
  | { readonly type: 'taken'; readonly cluster: string; readonly whole: readonly Kind[] }
  | { readonly type: 'series'; readonly series: readonly Series[] }
  | { readonly type: 'drained' };
