/** One of the server's two data planes: with an express lane, or with the plain lane alone. Knows nothing of clusters or of what is right. */

import { Counters, COUNTER_SLOTS, type Series } from '../../server/counters.ts';
import { DataPlane, type DataPlaneOptions } from '../../server/data/data-plane.ts';
import type { Plan } from '../../server/plan.ts';
import type { Count } from '../../zones/units.ts';
import { serverAddressFrom } from '../support/client.ts';
import type { ModelQuestion } from '../support/model/world.ts';
import type { Reply } from '../support/reply.ts';
import { Asker, type Replies } from './asker.ts';

export class Lane {
  readonly plane: DataPlane;
  readonly #slots = new Float64Array(new SharedArrayBuffer(COUNTER_SLOTS * Float64Array.BYTES_PER_ELEMENT));
  readonly #said: Series[] = [];
  #asker: Asker | undefined;

  constructor(options: Omit<DataPlaneOptions, 'counters'>) {
    const counters = new Counters(this.#slots.buffer, (series) => {
      if (series.metric === 'fivedots_express_replies_total') this.#said.push(series);
    });
    this.plane = new DataPlane({ ...options, counters });
  }

  /** Replies that the plain lane was not asked for. */
  get expressReplies(): Count {
    return this.#said.reduce((sum, { slot }) => sum + (this.#slots[slot] ?? 0), 0);
  }

  async use(plan: Plan): Promise<void> {
    const [address = ''] = await this.plane.use(plan);
    this.#asker ??= await Asker.open(serverAddressFrom(address));
  }

  ask(queries: readonly Buffer[]): Promise<readonly Replies[]> {
    return this.#open().ask(queries);
  }

  transfer(zone: ModelQuestion['labels']): Promise<readonly Reply[]> {
    return this.#open().transfer(zone);
  }

  async close(): Promise<void> {
    this.#asker?.close();
    await this.plane.close();
  }

  #open(): Asker {
    if (this.#asker === undefined) throw new Error('the subject has no setting yet');
    return this.#asker;
  }
}
