/** How long something that was made from other things may be used: until one of those is replaced. Knows none of them. */

/** Of one thing. The only value here that changes after it was given away: once, from false to true. */
export class Life {
  #isOver = false;

  get isOver(): boolean {
    return this.#isOver;
  }

  /** What was made from the thing must not be used any more. */
  end(): void {
    this.#isOver = true;
  }
}
