/** What a case of the table is: how the server goes wrong, what may be answered meanwhile, and which figure tells of it. */

import type { FakeApiOptions } from '../support/fake-api-server.ts';
import type { Figure } from './figures.ts';
import type { Stage } from './stage.ts';

/** A question, and each right answer to it in the order in which they become right; none comes back. */
export type Ask = {
  /** Below `svc.cluster.local`, or in full with a final dot. */
  readonly name: string;
  /** A if it is not said. */
  readonly type?: string;
  /** As `answer-text.ts` writes them: the first is right before the fault, the last after it. */
  readonly answers: readonly [string, ...string[]];
};

export type FaultCase = {
  /** As in the list of faults that the reflector was designed against. */
  readonly number: number;
  readonly title: string;
  /** What the API server, or the network, did. */
  readonly server: string;
  /** `cold`: the fault is there before fivedots is, so the first answers may be SERVFAIL. `synced` if it is not said. */
  readonly start?: 'cold' | 'synced';
  readonly api?: FakeApiOptions;
  /** Puts a network between fivedots and its API server that can stand still. */
  readonly isRelayed?: true;
  /** More directives of `kubernetes`. */
  readonly directives?: string;
  /** Before fivedots is started. */
  readonly prepare?: (stage: Stage) => void | Promise<void>;
  /** From the fault to the moment from which on the last answers must come. */
  readonly play: (stage: Stage) => void | Promise<void>;
  /** Besides those that every case asks; `CHANGES` if it is not said. */
  readonly asks?: readonly Ask[];
  /** Grows by what happens. */
  readonly tells: Figure;
  /** Does not grow: what would be too much for so small a fault. */
  readonly spares?: readonly Figure[];
  /** What no query can show. */
  readonly note?: string;
};

/** What `Stage.change` changes. */
export const CHANGES: readonly Ask[] = [
  { name: 'new.shop', answers: ['NXDOMAIN', '10.96.0.20'] },
  { name: 'pay.shop', answers: ['10.96.0.11', 'NXDOMAIN'] },
];

/** Asked in every case, and answered alike all the time unless the case says otherwise. */
export const STEADY: readonly Ask[] = [
  { name: 'cart.shop', answers: ['10.96.0.10'] },
  { name: 'db.shop', answers: ['10.0.0.1'] },
  { name: 'nobody.shop', answers: ['NXDOMAIN'] },
  { name: '10.0.96.10.in-addr.arpa.', type: 'PTR', answers: ['cart.shop.svc.cluster.local.'] },
];
