/** The top-level domains of the public root, as they were when the list was made. Knows nothing of who looks them up. */

import { readFileSync } from 'node:fs';

import { tldListDateFrom, tldsFrom } from './tld-list.ts';

/** In IANA's format (https://data.iana.org/TLD/tlds-alpha-by-domain.txt); its head says where it is from, and `npm run tlds` brings IANA's own of today. */
const text = readFileSync(new URL('public-tlds.txt', import.meta.url), 'utf8');

/** Each without dots, in lower case; internationalized ones as `xn--…`. */
export const PUBLIC_TLDS: ReadonlySet<string> = tldsFrom(text);

/** When the list was made: `2026-11-20`. */
export const PUBLIC_TLDS_DATE: string = tldListDateFrom(text) ?? 'an unknown day';
