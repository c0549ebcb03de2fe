/** Lives of what is known under a key, as far as somebody has asked for one. Knows nothing of what keys mean. */

import { Life } from '../../life.ts';

export class Lives {
  readonly #lives = new Map<string, Life>();

  get isEmpty(): boolean {
    return this.#lives.size === 0;
  }

  /** The life of what is known under the key now. Whoever asks knows that there is something; else this would grow with the questions. */
  of(key: string): Life {
    const known = this.#lives.get(key);
    if (known !== undefined) return known;
    const life = new Life();
    this.#lives.set(key, life);
    return life;
  }

  /** Something else is known from now on. */
  end(key: string): void {
    const life = this.#lives.get(key);
    if (life === undefined) return;
    life.end();
    this.#lives.delete(key);
  }
}
