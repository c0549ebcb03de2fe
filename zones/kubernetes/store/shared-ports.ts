/**
 * Lists of ports, each kept once: nearly all Services and slices of a cluster have one of a few. Knows nothing of who has them.
 */

import type { Count } from '../../units.ts';
import type { Port } from '../objects.ts';

/** Different lists that are remembered; beyond them lists are kept as they come. */
const LISTS_MAX: Count = 1000;

export class SharedPorts {
  readonly #lists = new Map<string, readonly Port[]>();

  /** An equal list, the same one each time. */
  share(ports: readonly Port[]): readonly Port[] {
    const text = JSON.stringify(ports);
    const known = this.#lists.get(text);
    if (known !== undefined) return known;
    if (this.#lists.size < LISTS_MAX) this.#lists.set(text, ports);
    return ports;
  }
}
