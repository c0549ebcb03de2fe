/** A new list in place of the old one: only if it can be believed, and whole. */

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { refreshTlds } from '../../../server/completion/refresh-public-tlds.ts';

const HEADER = '# Version 2026112000, Last Updated Fri Nov 20 07:07:01 2026 UTC\n';
const TLDS = Array.from({ length: 330 }, (_, i) => `T${i}`);
const OLD = `# Version 2026111900, Last Updated Thu Nov 19 07:07:01 2026 UTC\n${linesOf(TLDS)}`;

function linesOf(tlds: readonly string[]): string {
  return tlds.map((tld) => `${tld}\n`).join('');
}

/** What `refreshTlds` says, and what the file has then; nothing else may be left in its folder. */
async function refreshed(t: ExecutionContext, answer: RequestListener): Promise<{ said: string; text: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'fivedots-tlds-'));
  const server = createServer(answer).listen(0, '127.0.0.1');
  t.teardown(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });
  await new Promise((resolve) => server.once('listening', resolve));
  const file = join(folder, 'list.txt');
  await writeFile(file, OLD);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/list.txt`;
  const said = await refreshTlds(url, file).catch((error: unknown) => String(error));
  t.deepEqual(await readdir(folder), ['list.txt']);
  return { said, text: await readFile(file, 'utf8') };
}

function body(text: string): RequestListener {
  return (_request, response) => void response.end(text);
}

const TAKEN: readonly (readonly [string, string, string])[] = [
  ['the same TLDs', `${HEADER}${linesOf(TLDS)}`, '330 TLDs of 2026-11-20; new: none; gone: none'],
  [
    'some more, and one in 33 less',
    `${HEADER}${linesOf([...TLDS.slice(10), 'NEW', 'XN--P1AI'])}`,
    '322 TLDs of 2026-11-20; new: new, xn--p1ai; gone: t0, t1, t2, t3, t4, t5, t6, t7, t8, t9',
  ],
  ['what is there already', OLD, '330 TLDs of 2026-11-19; new: none; gone: none'],
];

for (const [title, text, words] of TAKEN) {
  test(`taken: ${title}`, async (t) => {
    t.deepEqual(await refreshed(t, body(text)), { said: words, text });
  });
}

const REFUSED: readonly (readonly [string, RequestListener, RegExp])[] = [
  ['nothing', body(''), /does not begin with/],
  ['no list', body('<!DOCTYPE html>\n<p>Sign in to use this network\n'), /does not begin with/],
  ['a list without a header', body(linesOf(TLDS)), /does not begin with/],
  ['a list with something else in it', body(`${HEADER}${linesOf(TLDS)}co.uk\n`), /line 332: found "co\.uk"/],
  ['too few', body(`${HEADER}${linesOf(TLDS.slice(11))}`), /lacks 11 of 330 TLDs/],
  ['the header alone', body(HEADER), /lacks 330 of 330 TLDs/],
  ['half of a last line', body(`${HEADER}${linesOf(TLDS)}NE`), /last line has no end/],
  [
    'names of the inside',
    body(`${HEADER}${linesOf([...TLDS, 'INTERNAL', 'CORP', 'ONION'])}`),
    /not in the public root: corp, internal, onion/,
  ],
  [
    'an older list',
    body(OLD.replace('20261119', '20261118')),
    /is of 2026-11-18, and the one that is here of 2026-11-19/,
  ],
  ['too much', body(`${HEADER}${linesOf(TLDS)}${'#'.repeat(262_144)}\n`), /larger than 262144 octets/],
  ['an error', (_request, response) => void response.writeHead(404).end(HEADER + linesOf(TLDS)), /the server says 404/],
  [
    'a way elsewhere',
    (_request, response) => void response.writeHead(302, { location: '/other' }).end(),
    /fetch failed/,
  ],
  [
    'a body that ends early',
    (_request, response) => {
      response.writeHead(200, { 'content-length': '1000000' }).write(HEADER + linesOf(TLDS));
      response.destroy();
    },
    /Error/,
  ],
];

for (const [title, answer, reason] of REFUSED) {
  test(`refused: ${title}`, async (t) => {
    const { said, text } = await refreshed(t, answer);
    t.regex(said, reason);
    t.is(text, OLD);
  });
}
