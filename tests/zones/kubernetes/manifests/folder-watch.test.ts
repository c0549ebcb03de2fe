import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { POLL_PERIOD, SETTLE_PERIOD, SETTLES_MAX, watchFolder } from '../../../../zones/kubernetes/manifests/folder-watch.ts';
import { SYSTEM_TIME, type Time } from '../../../../zones/kubernetes/api/time.ts';

test('a look after the last one comes within a second', (t) =>
  t.true(POLL_PERIOD + SETTLES_MAX * SETTLE_PERIOD < 1000));

test('a file is read when its writing is over', async (t) => {
  const folder = await newFolder(t);
  // The pauses of the watcher: in the first the edit begins, in the next two it goes on.
  const edits = ['one ', 'two ', 'three '];
  const time = timeWith(async () => appendFile(join(folder, 'a.yaml'), edits.shift() ?? ''));
  t.deepEqual(await textsOf(t, folder, time, 2), ['', 'one two three ']);
});

test('a file that is written without end is read all the same', async (t) => {
  const folder = await newFolder(t);
  const time = timeWith(async () => appendFile(join(folder, 'a.yaml'), 'x'));
  const [first, second = ''] = await textsOf(t, folder, time, 2);
  t.is(first, '');
  t.true(second.length >= SETTLES_MAX && second.length <= SETTLES_MAX + 3, second);
});

test('what could not be taken is said again', async (t) => {
  const folder = await newFolder(t);
  let calls = 0;
  await new Promise<void>((resolve) => {
    const changed = async (): Promise<boolean> => {
      calls++;
      if (calls === 3) resolve();
      return calls === 3;
    };
    const watcher = watchFolder(
      folder,
      { changed, failed: (error) => t.fail(String(error)) },
      timeWith(async () => undefined),
    );
    t.teardown(() => watcher.close());
  });
  t.is(calls, 3);
});

test('a fault of the listener is reported and ends nothing', async (t) => {
  const folder = await newFolder(t);
  const failures: unknown[] = [];
  await new Promise<void>((resolve) => {
    const changed = async (): Promise<boolean> => {
      if (failures.length < 2) throw new Error('no');
      resolve();
      return true;
    };
    const watcher = watchFolder(
      folder,
      { changed, failed: (error) => failures.push(error) },
      timeWith(async () => undefined),
    );
    t.teardown(() => watcher.close());
  });
  t.is(failures.length, 2);
});

/** The first texts of `a.yaml` that the watcher tells of. */
function textsOf(t: ExecutionContext, folder: string, time: Time, count: number): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const texts: string[] = [];
    const changed = async (): Promise<boolean> => {
      texts.push(await readFile(join(folder, 'a.yaml'), 'utf8'));
      if (texts.length === count) {
        watcher.close();
        resolve(texts);
      }
      return true;
    };
    const watcher = watchFolder(folder, { changed, failed: reject }, time);
    t.teardown(() => watcher.close());
  });
}

/** A clock whose pauses take as long as `pause` does. */
function timeWith(pause: () => Promise<void>): Time {
  return { ...SYSTEM_TIME, sleep: async (_, signal) => (signal.aborted ? undefined : pause()) };
}

async function newFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'manifests-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'a.yaml'), '');
  return folder;
}
