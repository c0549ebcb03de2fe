/** Lists of top-level domains as text, one to each line. Knows nothing of which TLDs there are, and of no file. */

import { isLabel } from '../../zones/kubernetes/api-values.ts';
import type { Count } from '../../zones/units.ts';
import { show } from '../corefile/fault.ts';

/** Seven times what the root had in 2025. */
const TLDS_MAX: Count = 10_000;

/** A list that cannot be used. The message names the line. */
export class TldListError extends Error {
  readonly code = 'TLD_LIST';
  /** The first is 1. */
  readonly line: Count;

  constructor(line: Count, reason: string) {
    super(`line ${line}: ${reason}`);
    this.name = 'TldListError';
    this.line = line;
  }
}

/**
 * The TLDs of a list in IANA's format, in lower case: what stands behind a `#` is a comment, and an empty line is nothing.
 * @throws TldListError
 */
export function tldsFrom(text: string): ReadonlySet<string> {
  const tlds = new Set<string>();
  for (const [i, line] of text.split('\n').entries()) {
    const tld = line.replace(/#.*$/, '').trim().toLowerCase();
    if (tld === '') continue;
    if (!isLabel(tld)) throw new TldListError(i + 1, `found ${show(tld)}, expected ${LABEL}`);
    tlds.add(tld);
    if (tlds.size > TLDS_MAX) throw new TldListError(i + 1, `at most ${TLDS_MAX} TLDs are read`);
  }
  return tlds;
}

/**
 * When the list was made, such as `2026-11-20`: the first line of IANA's says `# Version 2026112000, Last Updated …`, where the
 * last two digits count the versions of a day. Undefined if this one does not.
 */
export function tldListDateFrom(text: string): string | undefined {
  const [, year, month, day] = /^# Version (\d{4})(\d\d)(\d\d)\d\d, Last Updated \S/.exec(text) ?? [];
  return year === undefined ? undefined : `${year}-${month}-${day}`;
}

const LABEL = 'a TLD: letters, digits and inner hyphens, at most 63, in ASCII (xn--…)';
