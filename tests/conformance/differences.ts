/**
 * The rows that fivedots does not pass, each on purpose. A test holds that this is what it does: a row that passes, or fails without a
 * reason here, fails it.
 */

/** Why, by the id of the check. */
export const DIFFERENCES: ReadonlyMap<string, string> = new Map([]);
