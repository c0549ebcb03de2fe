/** Snapshots as files: there whole or not at all, and only believed where nobody else can have written them. */

import { execFileSync } from 'node:child_process';
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { encodeSnapshot, SNAPSHOT_MAX } from '../../../../zones/kubernetes/snapshot/snapshot-format.ts';
import { readSnapshot, writeSnapshot } from '../../../../zones/kubernetes/snapshot/snapshot-file.ts';
import { sourceOptions } from '../../../support/source-options.ts';

const SOURCE = sourceOptions();
const NEVER = new AbortController().signal;

function content(...namespaces: string[]): Iterable<Buffer> {
  const texts = namespaces.map((name) => `{"kind":"Namespace","namespace":"","name":"${name}"}`);
  return encodeSnapshot(
    SOURCE,
    new Map([
      ['Namespace', texts],
      ['Service', []],
    ]),
    0,
  );
}

async function folderFor(t: ExecutionContext): Promise<{ folder: string; file: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'fivedots-snapshot-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return { folder, file: join(folder, 'cluster') };
}

async function namesIn(file: string): Promise<readonly string[] | string> {
  const reading = await readSnapshot(file, SOURCE);
  if (reading.kind === 'refused') return reading.why;
  if (reading.kind === 'missing') return 'missing';
  return reading.snapshot.listings.flatMap(({ texts }) => [...texts.keys()]);
}

test('what is written is read, for the owner alone, with no other file beside it', async (t) => {
  const { folder, file } = await folderFor(t);
  t.is(await namesIn(file), 'missing');
  t.is(await namesIn(join(folder, 'nosuch', 'cluster')), 'missing');
  await writeSnapshot(file, content('a'), NEVER);
  t.deepEqual(await namesIn(file), ['/a']);
  t.is((await stat(file)).mode & 0o777, 0o600);
  await writeSnapshot(file, content('b', 'c'), NEVER);
  t.deepEqual(await namesIn(file), ['/b', '/c']);
  t.deepEqual(await readdir(folder), ['cluster']);
});

test('a write that ends before the rename leaves the file as it was', async (t) => {
  const { folder, file } = await folderFor(t);
  await writeSnapshot(file, content('a'), NEVER);
  const failing = function* (): Generator<Buffer> {
    yield Buffer.from('half of it');
    throw new Error('no space left');
  };
  await t.throwsAsync(writeSnapshot(file, failing(), NEVER), { message: 'no space left' });
  const stopped = new AbortController();
  const aborting = function* (): Generator<Buffer> {
    yield Buffer.from('half of it');
    stopped.abort();
    yield Buffer.from('the rest');
  };
  await t.throwsAsync(writeSnapshot(file, aborting(), stopped.signal), { name: 'AbortError' });
  await mkdir(join(folder, 'taken'));
  await t.throwsAsync(writeSnapshot(join(folder, 'taken'), content('x'), NEVER), { message: /no snapshot/ });
  t.deepEqual(await namesIn(file), ['/a']);
  t.deepEqual((await readdir(folder)).toSorted(), ['cluster', 'taken']);
});

test('what is no snapshot is not written over; a damaged one is', async (t) => {
  const { folder, file } = await folderFor(t);
  for (const precious of ['.:53 {\n}\n', 'x', '{"format":"another"}\n', ' '.repeat(100)]) {
    await writeFile(file, precious);
    await t.throwsAsync(writeSnapshot(file, content('a'), NEVER), { message: /something that is no snapshot/ });
    t.is(await readFile(file, 'utf8'), precious);
  }
  await rm(file);
  execFileSync('mkfifo', ['-m', '600', file]);
  await t.throwsAsync(writeSnapshot(file, content('a'), NEVER), { message: /something that is no snapshot/ });
  t.true((await stat(file)).isFIFO());
  await rm(file);
  t.deepEqual(await readdir(folder), []);
  for (const left of ['', '{"for', '{"format":"fivedots snapshot","version":9}']) {
    await writeFile(file, left);
    await writeSnapshot(file, content('a'), NEVER);
    t.deepEqual(await namesIn(file), ['/a'], left);
  }
});

test('what a crash has left is taken away, and a link in its place is not followed', async (t) => {
  const { folder, file } = await folderFor(t);
  const temporary = join(folder, '.cluster.tmp');
  await writeFile(temporary, 'half of it');
  t.is(await namesIn(file), 'missing');
  await writeSnapshot(file, content('a'), NEVER);
  t.deepEqual(await namesIn(file), ['/a']);
  const victim = join(folder, 'victim');
  await writeFile(victim, 'precious');
  await symlink(victim, temporary);
  await writeSnapshot(file, content('b'), NEVER);
  t.deepEqual(await namesIn(file), ['/b']);
  t.is(await readFile(victim, 'utf8'), 'precious');
  t.deepEqual((await readdir(folder)).toSorted(), ['cluster', 'victim']);
});

test('two programs with one file: the slower one gives up, and the file is whole', async (t) => {
  const { folder, file } = await folderFor(t);
  const slow = function* (): Generator<Buffer> {
    yield* content('slow');
    execFileSync('/bin/sh', ['-c', 'rm .cluster.tmp && touch .cluster.tmp'], { cwd: folder });
  };
  await t.throwsAsync(writeSnapshot(file, slow(), NEVER), { message: 'another program writes the same snapshot' });
  t.is(await namesIn(file), 'missing');
  t.deepEqual(await readdir(folder), ['.cluster.tmp']);
});

test('a file that others can write, that is a link, or no file at all is refused', async (t) => {
  const { folder, file } = await folderFor(t);
  await writeSnapshot(file, content('a'), NEVER);
  for (const mode of [0o620, 0o602, 0o666]) {
    await chmod(file, mode);
    t.is(await namesIn(file), `can be written by others than its owner (mode ${mode.toString(8)})`);
  }
  await chmod(file, 0o644);
  t.deepEqual(await namesIn(file), ['/a']);
  await symlink(file, join(folder, 'link'));
  t.is(await namesIn(join(folder, 'link')), 'is a symbolic link');
  await mkdir(join(folder, 'folder'));
  t.is(await namesIn(join(folder, 'folder')), 'is not a regular file');
  execFileSync('mkfifo', ['-m', '600', join(folder, 'fifo')]);
  t.is(await namesIn(join(folder, 'fifo')), 'is not a regular file');
  t.is(await namesIn('/dev/null'), 'is not a regular file');
  t.regex(String(await namesIn(join(file, 'below'))), /^cannot be read: ENOTDIR/);
});

(process.geteuid?.() === 0 ? test : test.skip)("a file of another user's is refused", async (t) => {
  const { file } = await folderFor(t);
  await writeSnapshot(file, content('a'), NEVER);
  await chown(file, 65_532, 65_532);
  t.is(await namesIn(file), 'belongs to another user (65532)');
});

test('a file that is too large is not read, and none is written', async (t) => {
  const { folder, file } = await folderFor(t);
  await writeFile(file, '', { mode: 0o600 });
  await truncate(file, SNAPSHOT_MAX + 1);
  t.is(await namesIn(file), `is larger than ${SNAPSHOT_MAX} octets`);
  await rm(file);
  const endless = function* (): Generator<Buffer> {
    for (;;) yield Buffer.alloc(64);
  };
  await t.throwsAsync(writeSnapshot(file, endless(), NEVER, 1000), { message: /larger than the 1000 octets/ });
  t.deepEqual(await readdir(folder), []);
});
