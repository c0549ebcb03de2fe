/** How exchanges are called off whose replies nobody wants any more. Knows nothing of exchanges. */

/** What an exchange looks at; an AbortSignal is one too. */
export type CallOff = {
  readonly aborted: boolean;
  addEventListener(what: 'abort', listener: () => void): void;
  removeEventListener(what: 'abort', listener: () => void): void;
};

/** An AbortController for what is made for each query: without tables for its listeners, and without an error that has a stack. */
export class Calling implements CallOff {
  #aborted = false;
  #listeners: (() => void)[] | undefined;

  get aborted(): boolean {
    return this.#aborted;
  }

  addEventListener(_what: 'abort', listener: () => void): void {
    if (this.#listeners === undefined) this.#listeners = [listener];
    else this.#listeners.push(listener);
  }

  removeEventListener(_what: 'abort', listener: () => void): void {
    const at = this.#listeners?.indexOf(listener) ?? -1;
    if (at !== -1) this.#listeners?.splice(at, 1);
  }

  /** Listeners may leave while they are told. */
  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    const listeners = this.#listeners ?? [];
    this.#listeners = undefined;
    for (const listener of listeners) listener();
  }
}
