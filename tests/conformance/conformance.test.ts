/** fivedots against every check, every check against a server that is bad, and README.md against what came of it. */

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import test from 'ava';

import { ROOT } from '../support/server.ts';
import { flawed } from './broken.ts';
import { NEEDS, type Subject } from './check.ts';
import { FLAWS } from './flaws.ts';
import { columnsOf } from './report.ts';
import { startFivedots, type RunningSubject } from './subjects.ts';
import { CHECKS, Turns, verdictOf } from './suite.ts';

let begun: Promise<RunningSubject> | undefined;
const fivedots = (): Promise<RunningSubject> => (begun ??= startFivedots());
test.after.always('the server ends', async () => (await begun)?.close());

const turns = new Turns();
// The last of them wait longest, for connections to end and TTLs to run out.
for (const check of CHECKS.toReversed()) {
  test(`${check.id}: ${check.title}`, async (t) => {
    const result = await turns.take(async () => verdictOf(check, await fivedots()));
    // What this machine has no address for cannot be asked of any server.
    if (result.verdict === 'n/a') t.log(`passed over: nobody can offer ${result.lacks.join(', ')} here`);
    t.not(result.verdict, 'FAIL', result.verdict === 'FAIL' ? result.seen : '');
  });
}

for (const check of CHECKS) {
  test(`${check.id} fails where the server is bad`, async (t) => {
    const flaw = FLAWS.get(check.id);
    if (flaw === undefined) return t.fail('say in flaws.ts what a server must do for the check to fail');
    const result = await turns.take(async () => {
      const subject = await flawed(await fivedots(), flaw);
      try {
        return await verdictOf(check, subject);
      } finally {
        await subject.close();
      }
    });
    t.not(result.verdict, 'pass');
    if (result.verdict === 'FAIL') t.log(result.seen);
  });
}

const readme = readFileSync(join(ROOT, 'tests/conformance/README.md'), 'utf8');
const table = columnsOf(readme);
const WRITE = 'npm run conformance -- --write brings README.md up to date';

test('README.md has every check, and fivedots passes them', (t) => {
  const passes = new Map(CHECKS.map(({ id }) => [id, 'pass']));
  t.deepEqual(table.get('fivedots'), passes, WRITE);
});

test('README.md says what each word of DNS_UNDER_TEST_OFFERS means', (t) => {
  const words = [...readme.matchAll(/^- `([a-z]+)`: /gm)].map(([, word]) => word);
  t.deepEqual(words, [...NEEDS]);
});

/** What shows that a check is right that no other server in README.md passes. */
const ALONE: ReadonlyMap<string, string> = new Map([
  [
    'C61a',
    'nobody else has a cluster to wait for but CoreDNS, which says SERVFAIL and no more (RFC 8914 section 4.15)',
  ],
  ['C61b', 'Unbound knows 3 only, CoreDNS sends no extended errors (RFC 8914 section 4.20)'],
  ['C61c', 'Unbound tries for longer than a client waits, CoreDNS sends no extended errors'],
  ['C61d', 'Unbound came to say it after that version, CoreDNS sends no extended errors (RFC 8914 section 4.14)'],
  ['C69', 'Unbound does all of it but one TTL for an RRset (RFC 2181 section 5.2)'],
  ['C71a', 'both others ask more often than RFC 9520 section 3.1 allows'],
  ['C71b', 'Unbound tries for longer than a client waits, CoreDNS asks for each client anew'],
  ['C73', 'both others stop listening at the first reply with another question (RFC 5452 section 9.1)'],
]);

test('a check is passed by another server too, or there is a reason', (t) => {
  const others = [...table].filter(([name]) => name !== 'fivedots').map(([, verdicts]) => verdicts);
  t.true(others.length >= 3, WRITE);
  const alone = CHECKS.filter(({ id }) => !others.some((verdicts) => verdicts.get(id) === 'pass')).map(({ id }) => id);
  t.deepEqual(alone, [...ALONE.keys()]);
});

test('a server that is named is asked alone, and what it does wrong is told', async (t) => {
  const good = await fivedots();
  const bad = await flawed(good, FLAWS.get('C22') ?? {});
  t.teardown(() => bad.close());
  t.regex(
    await conformanceOf(good),
    /^C01 \| pass \| .+\nC22 \| pass \| .+\nC31 \| n\/a {2}\| .* any\n.+: 2 pass, 0 FAIL, 1 n\/a\n$/,
  );
  t.regex(await conformanceOf(bad), /^C22 \| FAIL \| expected rcode NXDOMAIN, got NOERROR$/m);
});

async function conformanceOf({ addresses }: Subject): Promise<string> {
  const named = addresses.map(({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`));
  const { stdout } = await promisify(execFile)(process.execPath, ['tests/conformance/main.ts', 'C01', 'C22', 'C31'], {
    cwd: ROOT,
    env: { ...process.env, DNS_UNDER_TEST: named.join(',') },
  });
  return stdout;
}
