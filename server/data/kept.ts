/** State that outlives a reload: caches, upstream connections. Knows nothing of what it keeps but how to close it. */

import type { Kept } from '../pipeline.ts';

/** States by key. A plan asks for what it needs; what the newest plan did not ask for is closed. */
export class KeptStates {
  #states = new Map<string, Kept>();

  /** Begins a new plan: `keep` reuses or makes, `commit` closes what was not asked for, `abandon` closes what was made for nothing. */
  begin(): {
    keep: <State extends Kept>(key: string, make: () => State) => State;
    commit: () => void;
    abandon: () => void;
  } {
    let before: ReadonlyMap<string, Kept> = this.#states;
    const wanted = new Map<string, Kept>();
    return {
      keep: <State extends Kept>(key: string, make: () => State): State => {
        // The key names the plugin, so what is found under it was made by the same `make`.
        const state = (wanted.get(key) ?? before.get(key) ?? make()) as State;
        wanted.set(key, state);
        return state;
      },
      commit: () => {
        this.#states = wanted;
        for (const [key, state] of before) if (wanted.get(key) !== state) state.close();
        // A plugin may hold on to `keep`; what the plan before it kept must not live on for that.
        before = new Map();
      },
      abandon: () => {
        for (const [key, state] of wanted) if (before.get(key) !== state) state.close();
      },
    };
  }

  close(): void {
    for (const state of this.#states.values()) state.close();
    this.#states.clear();
  }
}
