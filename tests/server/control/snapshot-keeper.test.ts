/** When a snapshot is written, and what is said of it. The clock is turned by hand; the files are real. */

import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import {
  ageText,
  SNAPSHOT_INTERVAL,
  SnapshotKeeper,
  type SnapshotResult,
} from '../../../server/control/snapshot-keeper.ts';
import { ClusterMemory } from '../../../zones/kubernetes/cluster-memory.ts';
import { Listing } from '../../../zones/kubernetes/listing.ts';
import type { Service } from '../../../zones/kubernetes/objects.ts';
import type { SourceChange } from '../../../zones/kubernetes/source.ts';
import { namespace, service } from '../../support/example-cluster.ts';
import { FakeTimers } from '../../support/fake-timers.ts';
import { sourceOptions } from '../../support/source-options.ts';

type Stage = {
  readonly folder: string;
  readonly file: string;
  readonly memory: ClusterMemory;
  readonly timers: FakeTimers;
  readonly lines: string[];
  readonly results: SnapshotResult[];
  readonly keeper: SnapshotKeeper;
  /** What becomes of the attempt that is on its way. */
  readonly next: () => Promise<SnapshotResult>;
  readonly change: (...changes: SourceChange[]) => void;
  /** Names of the services in the file. */
  readonly kept: () => Promise<readonly string[]>;
};

async function stageFor(t: ExecutionContext, path: string[] = ['cluster']): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'fivedots-keeper-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return stageIn(folder, join(folder, ...path));
}

function stageIn(folder: string, file: string): Stage {
  const memory = new ClusterMemory();
  const timers = new FakeTimers();
  const lines: string[] = [];
  const results: SnapshotResult[] = [];
  let tell: (result: SnapshotResult) => void = () => {};
  const keeper = new SnapshotKeeper({
    file,
    source: sourceOptions(),
    memory,
    timers,
    log: (level, source, text) => void lines.push(`${level} ${source}: ${text}`),
    wrote(result) {
      results.push(result);
      tell(result);
    },
  });
  keeper.begin();
  return {
    folder,
    file,
    memory,
    timers,
    lines,
    results,
    keeper,
    next: () => new Promise((resolve) => (tell = resolve)),
    change: (...changes) => memory.apply(changes, () => {}),
    kept: async () =>
      [...(await readFile(file, 'utf8')).matchAll(/"Service","namespace":"ns","name":"([^"]+)"/g)].map(
        ([, name = '']) => name,
      ),
  };
}

function web(name: string): SourceChange & { verb: 'put'; object: Service } {
  return { verb: 'put', object: service(`ns/${name}`, ['10.0.0.1']) };
}

const SYNCED: readonly SourceChange[] = [
  { verb: 'replace', listing: new Listing('Namespace', [namespace('ns')]) },
  { verb: 'replace', listing: new Listing('Service', [web('a').object]) },
];

test('what has changed is written at the next interval, once, and only when everything is known', async (t) => {
  const { timers, keeper, results, next, change, kept, folder } = await stageFor(t);
  change(...SYNCED.slice(0, 1));
  await timers.advance(3 * SNAPSHOT_INTERVAL);
  await keeper.flush();
  t.deepEqual(await readdir(folder), []);
  change(...SYNCED);
  await timers.advance(SNAPSHOT_INTERVAL - 1);
  t.deepEqual(results, []);
  const written = next();
  await timers.advance(1);
  t.is(await written, 'written');
  t.deepEqual(await kept(), ['a']);
  t.is(keeper.writtenAt, timers.wall());
  await timers.advance(5 * SNAPSHOT_INTERVAL);
  await keeper.flush();
  t.deepEqual(results, ['written'], 'nothing was new');
  keeper.close();
});

test('many changes within an interval are one write, and the last ones are written at the end', async (t) => {
  const { timers, keeper, results, next, change, kept } = await stageFor(t);
  change(...SYNCED);
  const written = next();
  for (let i = 0; i < 100; i++) {
    change(web(`s${i}`));
    await timers.advance(SNAPSHOT_INTERVAL / 100);
  }
  await written;
  t.deepEqual(results, ['written']);
  t.is((await kept()).length, 101);
  change({ verb: 'remove', kind: 'Service', namespace: 'ns', name: 'a' });
  await keeper.flush();
  t.is((await kept()).length, 100);
  keeper.close();
  t.is(timers.pending, 0);
});

test('what changes while it is written is in the next one', async (t) => {
  const { keeper, change, kept, results } = await stageFor(t);
  change(...SYNCED);
  const first = keeper.save();
  change(web('b'));
  const both = keeper.flush();
  await first;
  await both;
  t.deepEqual(results, ['written', 'written']);
  t.deepEqual(await kept(), ['a', 'b']);
  keeper.close();
});

test('what was loaded and is confirmed is not written again; what is new after it is', async (t) => {
  const before = await stageFor(t);
  before.change(...SYNCED);
  await before.keeper.flush();
  before.keeper.close();
  const { keeper, memory, lines, change, kept, timers, results } = stageIn(before.folder, before.file);
  await timers.advance(3 * 3_600_000);
  await keeper.load((listings) => memory.load(listings, () => {}));
  t.true(memory.isLoaded('Service'));
  t.is(keeper.writtenAt, before.keeper.writtenAt);
  t.regex(
    lines.join('\n'),
    /^info plugin\/kubernetes: The snapshot is used \(.*\/cluster, 2 objects, written 2027-\S+Z, 3 h ago\)\. Names .* as stale/,
  );
  change(...SYNCED);
  t.false(memory.isLoaded('Service'));
  await keeper.flush();
  t.deepEqual(results, []);
  change(web('b'));
  await keeper.flush();
  t.deepEqual(await kept(), ['a', 'b']);
  keeper.close();
});

test('a snapshot that comes after the API server is not used; of one that comes between, what is missing', async (t) => {
  const { keeper, change, file, folder } = await stageFor(t);
  change(...SYNCED);
  await keeper.flush();
  keeper.close();
  const late = stageIn(folder, file);
  late.change(...SYNCED);
  await late.keeper.load(() => t.fail());
  t.regex(late.lines.join('\n'), /^info plugin\/kubernetes: The snapshot is not needed/);
  late.keeper.close();
  const between = stageIn(folder, file);
  between.change({ verb: 'replace', listing: new Listing('Namespace', [namespace('other')]) });
  await between.keeper.load((listings) => between.memory.load(listings, () => {}));
  t.deepEqual([...between.memory.texts('Namespace').keys()], ['/other']);
  t.deepEqual([...between.memory.texts('Service').keys()], ['ns/a']);
  between.change(...SYNCED.slice(1));
  await between.keeper.flush();
  t.deepEqual(between.results, ['written'], 'the file has another namespace');
  between.keeper.close();
});

test('failures are said once, tried again at each interval, and leave nothing behind', async (t) => {
  const { folder, timers, keeper, results, lines, next, change } = await stageFor(t, ['file', 'cluster']);
  await writeFile(join(folder, 'file'), '');
  change(...SYNCED);
  for (let i = 0; i < 3; i++) {
    const failed = next();
    await timers.advance(SNAPSHOT_INTERVAL);
    t.is(await failed, 'failed');
    await keeper.flush();
  }
  t.deepEqual(new Set(results), new Set(['failed']));
  t.is(lines.length, 1);
  t.regex(
    lines[0] ?? '',
    /^warning plugin\/kubernetes: The snapshot cannot be written \(.*file\/cluster\): Error: ENOTDIR.* tried again every 10 s\.$/,
  );
  await rm(join(folder, 'file'));
  await mkdir(join(folder, 'file'));
  await keeper.flush();
  t.is(results.at(-1), 'written');
  t.regex(lines[1] ?? '', /^info .* written again/);
  t.is((await stat(join(folder, 'file', 'cluster'))).mode & 0o777, 0o600);
  keeper.close();
});

test('after its end nothing is read or written', async (t) => {
  const { folder, timers, keeper, results, lines, change } = await stageFor(t);
  change(...SYNCED);
  keeper.close();
  await timers.advance(5 * SNAPSHOT_INTERVAL);
  await keeper.flush();
  await keeper.load(() => t.fail());
  t.deepEqual(await readdir(folder), []);
  t.deepEqual([results, lines, timers.pending], [[], [], 0]);
});

test('ages in words', (t) => {
  const ages: readonly [number, string][] = [
    [-5_000, '0 s'],
    [119_000, '119 s'],
    [120_000, '2 min'],
    [7_199_000, '120 min'],
    [7_200_000, '2 h'],
    [172_799_000, '48 h'],
    [172_800_000, '2 days'],
  ];
  for (const [age, text] of ages) t.is(ageText(age), text);
});
