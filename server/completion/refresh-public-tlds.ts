/** `npm run tlds`: IANA's list of top-level domains in place of the one that is here, if it can be believed. Knows nothing of its use. */

import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import type { Bytes, Count, Milliseconds } from '../../zones/units.ts';
import { tldListDateFrom, tldsFrom } from './tld-list.ts';

const IANA = 'https://data.iana.org/TLD/tlds-alpha-by-domain.txt';
const FILE = fileURLToPath(new URL('public-tlds.txt', import.meta.url));

/** Of the whole list, which has about 10,000 octets. */
const LIST_MAX: Bytes = 256 * 1024;
const PATIENCE: Milliseconds = 30_000;
/** The root loses a handful in a year: whoever has lost more than one in this many has lost the end of the list. */
const LOSABLE: Count = 33;
/** Names that were promised never to be in the root, or that networks use as if they were (RFC 6761, 6762, 7686 and 9476; ICANN for `corp`, `home`, `mail` and `internal`). */
const NEVER_PUBLIC: readonly string[] = [
  'alt',
  'corp',
  'example',
  'home',
  'internal',
  'invalid',
  'lan',
  'local',
  'localhost',
  'mail',
  'onion',
  'test',
];

/**
 * Writes the list at `url` to `file`, whole or not at all.
 * @returns what became of it, in words
 * @throws Error that says why the list is not believed, or could not be had
 */
export async function refreshTlds(url: string, file: string): Promise<string> {
  const old = await readFile(file, 'utf8');
  const text = await download(url);
  const date = tldListDateFrom(text);
  if (date === undefined) throw new Error('it does not begin with "# Version …, Last Updated …"');
  if (!text.endsWith('\n')) throw new Error('its last line has no end');
  const tlds = tldsFrom(text);
  const known = tldsFrom(old);
  const wrong = NEVER_PUBLIC.filter((tld) => tlds.has(tld));
  if (wrong.length > 0) throw new Error(`it has names that are not in the public root: ${wrong.join(', ')}`);
  const oldDate = tldListDateFrom(old) ?? '';
  if (date < oldDate) throw new Error(`it is of ${date}, and the one that is here of ${oldDate}`);
  const lost = known.difference(tlds);
  if (lost.size * LOSABLE > known.size) throw new Error(`it lacks ${lost.size} of ${known.size} TLDs`);
  await replace(file, text);
  return `${tlds.size} TLDs of ${date}; new: ${listed(tlds.difference(known))}; gone: ${listed(lost)}`;
}

async function download(url: string): Promise<string> {
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(PATIENCE) });
  if (response.status !== 200) throw new Error(`the server says ${response.status}`);
  const chunks: Uint8Array[] = [];
  let size: Bytes = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > LIST_MAX) throw new Error(`it is larger than ${LIST_MAX} octets`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('latin1');
}

async function replace(file: string, text: string): Promise<void> {
  const temporary = `${file}.tmp`;
  try {
    await writeFile(temporary, text);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** With what is behind it: `fetch` itself says only that it has failed. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${reasonOf(error.cause)}`;
}

function listed(tlds: ReadonlySet<string>): string {
  return [...tlds].toSorted().join(', ') || 'none';
}

if (import.meta.main) {
  try {
    process.stdout.write(`${FILE}: ${await refreshTlds(IANA, FILE)}\n`);
  } catch (error) {
    process.stderr.write(`${IANA} is not taken: ${reasonOf(error)}\n`);
    process.exitCode = 1;
  }
}
