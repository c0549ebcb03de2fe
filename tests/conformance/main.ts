/** `npm run conformance`: the words of its command line, and which servers are asked. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { isInstalled, run } from '../support/programs.ts';
import { ROOT } from '../support/server.ts';
import { NEEDS, type Check } from './check.ts';
import { givenSubject, offersFrom, startPeer } from './peers.ts';
import { presentLines, presentTable, type Column } from './report.ts';
import { FOREIGN, startFivedots, startForeign, type Foreign, type RunningSubject } from './subjects.ts';
import { CHECKS, verdictsOf } from './suite.ts';

const README = join(ROOT, 'tests/conformance/README.md');

const USAGE = `npm run conformance [-- [ID…] [OPTION…]]

Runs the protocol checks of tests/conformance against fivedots and the DNS servers that are installed, side by side.
With DNS_UNDER_TEST=HOST:PORT it asks that server only, and prints what each check saw.

  ID                   the checks to run; all if none is named
  --peer NAME=COMMAND  one more server, started by a shell command (tests/conformance/README.md says what it finds in its environment)
  --write              writes the table into tests/conformance/README.md
  --help               these lines

  DNS_UNDER_TEST_OFFERS    what it, or a peer, was set up with: ${NEEDS.join(',')}
  DNS_UNDER_TEST_UPSTREAM  the port of 127.0.0.1 that it forwards to; spare.test goes to the port behind it
`;

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
// All servers have ended. After thousands of sockets Node's own search for open handles at the end of a process sometimes has no end.
process.exit();

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      peer: { type: 'string', multiple: true, default: [] as string[] },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const checks = CHECKS.filter(({ id }) => positionals.length === 0 || positionals.includes(id));
  if (values.help || checks.length === 0) return say(USAGE);
  if (values.write && checks.length < CHECKS.length) throw new Error('--write takes no ids: the table has every check');
  const given = await givenSubject(process.env);
  if (given !== undefined) return say(presentLines(checks, await columnFrom(checks, given.name, given)));
  const columns = [await columnFrom(checks, 'fivedots', await startFivedots())];
  for (const foreign of FOREIGN.filter(({ program }) => isInstalled(program))) {
    columns.push(await columnFrom(checks, `${foreign.name} ${await versionOf(foreign)}`, await startForeign(foreign)));
  }
  for (const [name, command] of values.peer.map(peerFrom)) {
    columns.push(await columnFrom(checks, name, await startPeer(name, command, offersFrom(process.env) ?? NEEDS)));
  }
  const table = presentTable(checks, columns);
  if (values.write) await writeTable(table);
  else say(table);
  if (columns[0]?.verdicts.some(({ verdict }) => verdict === 'FAIL')) process.exitCode = 1;
}

/** Asks a server and ends it. */
async function columnFrom(checks: readonly Check[], server: string, subject: RunningSubject): Promise<Column> {
  try {
    return { server, verdicts: await verdictsOf(checks, subject) };
  } finally {
    await subject.close();
  }
}

/** The first number with dots in what it says of itself. */
async function versionOf({ program, versionFlag }: Foreign): Promise<string> {
  const { stdout, stderr } = await run([program, versionFlag]);
  return /\d+(?:\.\d+)+/.exec(stdout + stderr)?.[0] ?? '';
}

function peerFrom(word: string): readonly [string, string] {
  const match = /^([^=]+)=(.+)$/s.exec(word);
  if (match === null) throw new Error(`--peer takes NAME=COMMAND, not "${word}"`);
  return [match[1] ?? '', match[2] ?? ''];
}

/** Between the two marks, which keep the formatter from widening it. */
async function writeTable(table: string): Promise<void> {
  const text = await readFile(README, 'utf8');
  const [before, , after] = text.split(/(?<=<!-- prettier-ignore-start -->)|(?=<!-- prettier-ignore-end -->)/);
  await writeFile(README, `${before}\n\n${table}\n${after}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
