/** A list that lacks most of what was known is asked for once more before it is believed. */

import test from 'ava';

import { ApiFault } from '../../../../zones/kubernetes/api/api-fault.ts';
import { Doubt } from '../../../../zones/kubernetes/api/doubt.ts';
import { follows, ofServices, synced, type Scene } from '../../../support/api-scene.ts';
import { rawNamespace, rawService } from '../../../support/raw-objects.ts';

function listOf(count: number, prefix = 's'): Map<string, string> {
  return new Map(Array.from({ length: count }, (_, i) => [`shop/${prefix}${i}`, 'x']));
}

for (const [known, listed, isDoubted] of [
  [0, 0, false],
  [99, 0, false],
  [100, 0, true],
  [100, 1, false],
  [200, 100, false],
  [201, 100, true],
  [201, 101, false],
  [10_000, 4999, true],
  [10_000, 5000, false],
] as const) {
  test(`${listed} listed where ${known} are known ${isDoubted ? 'are doubted once' : 'are believed'}`, (t) => {
    const doubt = new Doubt(() => listOf(known));
    const check = (): void => doubt.check(listOf(listed));
    if (isDoubted) t.throws(check, { instanceOf: ApiFault, code: 'shrunk' });
    t.notThrows(check);
    if (isDoubted) t.throws(check, { instanceOf: ApiFault, code: 'shrunk' });
  });
}

test('as many others are doubted as well, and so is a second list that lacks most of the first', (t) => {
  const doubt = new Doubt(() => listOf(1000));
  t.throws(() => doubt.check(listOf(1000, 'other')), { message: 'a list of 1000 lacks 1000 of 1000' });
  t.throws(() => doubt.check(listOf(400)), { message: 'a list of 400 lacks 1000 of 1000' });
  t.throws(() => doubt.check(listOf(100)), { message: 'a list of 100 lacks 300 of 400' });
  t.notThrows(() => doubt.check(listOf(90)));
});

test('slices in which endpoints stay that have left are not missed', (t) => {
  const stays = listOf(150, 'shop/slice:');
  const doubt = new Doubt(() => new Map([...listOf(100), ...stays]));
  t.notThrows(() => doubt.check(listOf(100)));
  t.throws(() => doubt.check(listOf(0)), { message: 'a list of 0 lacks 100 of 100' });
});

/** A server with 252 services that has lost 250 of them when it is listed again. */
async function emptied(t: Parameters<typeof synced>[0], watchList: boolean): Promise<Scene> {
  const made = await synced(t);
  const { api, cluster, time } = made;
  for (let i = 0; i < 250; i++) api.put(rawService('many', `s${i}`));
  await cluster.when(() => cluster.names('Service').length === 252);
  api.watchList = watchList;
  time.advance(2000);
  const next = api.next(ofServices('watch'));
  api.endWatches('Service');
  await next;
  await follows(made, 'last');
  await api.down();
  for (let i = 0; i < 250; i++) api.remove('Service', 'many', `s${i}`);
  api.put(rawNamespace('other'));
  api.compact();
  const listed = api.next(ofServices(watchList ? 'watchlist' : 'list'));
  await api.up();
  await listed;
  time.hold();
  await cluster.when(() => cluster.counted('Service')['relists shrunk'] === 1);
  t.is(cluster.names('Service').length, 253);
  const warnings = cluster.told.filter((text) => text.includes('has lost'));
  t.is(warnings.length, 1);
  t.regex(
    warnings[0] ?? '',
    /^warning: the API server at http:\S+ has lost most services \(a list of 3 lacks 250 of 253 that were known\); the last known state is served meanwhile, until it has said so once more\.$/,
  );
  return made;
}

for (const watchList of [true, false]) {
  test(`what a server has lost is served until it says so twice (WatchList: ${watchList})`, async (t) => {
    const made = await emptied(t, watchList);
    const { cluster, time } = made;
    t.is(time.pauses.at(-1), 3000);
    time.release();
    await cluster.when(() => cluster.names('Service').length === 3);
    t.is(cluster.count('replace', 'Service'), 2);
    t.regex(cluster.told.at(-1) ?? '', /^info: .* followed again/);
    await follows(made, 'new');
  });

  test(`what a server has lost for a moment is never gone (WatchList: ${watchList})`, async (t) => {
    const made = await emptied(t, watchList);
    const { api, cluster, time } = made;
    for (let i = 0; i < 250; i++) api.put(rawService('many', `s${i}`));
    time.release();
    await cluster.when(() => cluster.count('replace', 'Service') === 2);
    t.is(cluster.names('Service').length, 253);
    t.true(
      cluster.batches
        .flat()
        .every((change) => change.verb !== 'replace' || change.listing.kind !== 'Service' || change.listing.size !== 3),
    );
    await follows(made, 'new');
  });
}
