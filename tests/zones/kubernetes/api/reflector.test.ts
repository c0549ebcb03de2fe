/** The reflector against a real small API server that fails in every way that real ones do. Time is the test's own. */

import test from 'ava';

import { openApiSource } from '../../../../zones/kubernetes/api/api-source.ts';
import { asked, expire, follows, ofServices, opened, scene, synced } from '../../../support/api-scene.ts';
import {
  rawImportedSlice,
  rawNamespace,
  rawPod,
  rawService,
  rawServiceImport,
  rawSlice,
  type RawObject,
} from '../../../support/raw-objects.ts';
import { sourceOptions } from '../../../support/source-options.ts';

// The numbers are those of the list of faults that the reflector was designed against.

test('1: WatchList gives the state in one step, then changes as they come', async (t) => {
  const made = await synced(t);
  const { api, cluster } = made;
  t.deepEqual(cluster.names('Service'), ['shop/cart', 'shop/pay']);
  t.is(cluster.count('put', 'Service'), 0);
  await follows(made, 'new');
  api.put(rawService('shop', 'cart', { clusterIP: '10.96.0.99', clusterIPs: ['10.96.0.99'] }));
  await cluster.when(() => JSON.stringify(cluster.get('Service', 'shop', 'cart')).includes('10.96.0.99'));
  api.remove('Service', 'shop', 'pay');
  await cluster.when(() => cluster.get('Service', 'shop', 'pay') === undefined);
  t.deepEqual(cluster.names('Service'), ['shop/cart', 'shop/new']);
  t.is(asked(made, 'list').length, 0);
  t.is(asked(made, 'watchlist').length, 1);
  t.is(cluster.count('replace', 'Service'), 1);
  t.deepEqual(cluster.told, []);
});

for (const watchList of [true, false]) {
  test(`1: a Namespace's annotation comes with the ${watchList ? 'WatchList' : 'list'}, and an event that is of nothing else is told`, async (t) => {
    const { api, cluster, open } = await scene(t);
    api.watchList = watchList;
    const refusing = rawNamespace('shop');
    refusing.metadata.annotations = { 'fivedots.dev/search-completion': 'off' };
    const isRefused = (): boolean =>
      new Map(Object.entries(cluster.get('Namespace', '', 'shop') ?? {})).get('refusesCompletion') === true;
    api.put(refusing);
    open();
    await cluster.when(() => cluster.isSynced('Namespace'));
    t.true(isRefused());
    api.put(rawNamespace('shop'));
    await cluster.when(() => !isRefused());
    api.put(refusing);
    await cluster.when(isRefused);
    t.deepEqual(
      cluster.news.filter((key) => key.startsWith('Namespace')),
      ['Namespace /shop', 'Namespace /shop', 'Namespace /shop'],
    );
  });
}

test('1: the parameters of WatchList and of a watch are those that the API wants', async (t) => {
  const made = await synced(t, { labels: 'a=b', namespaceLabels: 'c=d' });
  const [first] = asked(made, 'watchlist');
  t.deepEqual(Object.fromEntries(first?.query ?? []), {
    labelSelector: 'a=b',
    watch: 'true',
    allowWatchBookmarks: 'true',
    timeoutSeconds: '450',
    sendInitialEvents: 'true',
    resourceVersionMatch: 'NotOlderThan',
  });
  t.is(first?.headers['user-agent'], 'fivedots/1.2.3');
  t.is(first?.headers['accept-encoding'], undefined);
  const namespaces = made.api.log.find(({ kind }) => kind === 'Namespace');
  t.is(namespaces?.query.get('labelSelector'), 'c=d');
  const next = made.api.next(ofServices('watch'));
  made.time.advance(2000);
  made.api.endWatches('Service');
  t.deepEqual(Object.fromEntries((await next).query), {
    labelSelector: 'a=b',
    watch: 'true',
    allowWatchBookmarks: 'true',
    timeoutSeconds: '450',
    resourceVersion: '1003',
  });
});

for (const [name, status] of [
  ['does not know WatchList', 422],
  ['finds its parameters odd', 400],
] as const) {
  test(`2: a server that ${name} (${status}) is listed at once and asked for WatchList again after an hour`, async (t) => {
    const made = await scene(t);
    const { api, cluster, time } = made;
    api.fail({ on: 'watchlist', does: 'status', status, times: 4 });
    made.open();
    await cluster.when(() => cluster.isSynced('Service') && cluster.isSynced('Namespace'));
    t.deepEqual(cluster.names('Service'), ['shop/cart', 'shop/pay']);
    t.deepEqual(time.pauses, []);
    await follows(made, 'new');
    let next = api.next(ofServices('list'));
    expire(made);
    await next;
    t.is(asked(made, 'watchlist').length, 1);
    await follows(made, 'newer');
    time.advance(3_600_000);
    next = api.next(ofServices('watchlist'));
    expire(made);
    await next;
    await follows(made, 'newest');
  });
}

test('3: a list comes in pages of 500 and is published in one step', async (t) => {
  const made = await scene(t);
  const { api, cluster } = made;
  api.watchList = false;
  for (let i = 0; i < 1200; i++) api.put(rawService('many', `s${i}`));
  made.open();
  await cluster.when(() => cluster.isSynced('Service'));
  t.is(cluster.names('Service').length, 1202);
  t.deepEqual(
    asked(made, 'list').map(({ query }) => [query.get('limit'), query.has('continue'), query.has('resourceVersion')]),
    [
      ['500', false, false],
      ['500', true, false],
      ['500', true, false],
    ],
  );
  t.is(cluster.count('replace', 'Service'), 1);
});

test('3: a page that is too large is asked for again in parts, which grow again', async (t) => {
  const made = await scene(t);
  const { api, cluster } = made;
  api.watchList = false;
  for (let i = 0; i < 1000; i++) api.put(rawService('many', `s${i}`));
  const when = (query: URLSearchParams): boolean => query.get('limit') === '500';
  const body = Buffer.alloc(64 * 1024 * 1024 + 1, ' ');
  api.fail({ on: 'list', kind: 'Service', when, does: 'send', body, ending: 'end' });
  made.open();
  await cluster.when(() => cluster.isSynced('Service'));
  t.is(cluster.names('Service').length, 1002);
  t.deepEqual(
    asked(made, 'list').map(({ query }) => query.get('limit')),
    ['500', '125', '250', '500', '500'],
  );
});

test('3: pods, which are large, come in pages of 250', async (t) => {
  const made = await scene(t, { pods: true });
  const { api, cluster } = made;
  api.watchList = false;
  for (let i = 0; i < 600; i++) api.put(rawPod('many', `p${i}`, `10.1.${i >> 8}.${i & 255}`));
  made.open();
  await cluster.when(() => cluster.isSynced('Pod'));
  t.is(cluster.names('Pod').length, 600);
  const pages = api.log.filter(({ kind, ask }) => kind === 'Pod' && ask === 'list');
  t.deepEqual(
    pages.map(({ query }) => query.get('limit')),
    ['250', '250', '250'],
  );
});

test('3: what changes between two pages comes with the watch that follows', async (t) => {
  const made = await scene(t);
  const { api, cluster } = made;
  api.watchList = false;
  for (let i = 0; i < 600; i++) api.put(rawService('many', `s${i}`));
  const between = api.next((logged) => ofServices('list')(logged) && logged.query.has('continue'));
  made.open();
  void between.then(() => api.put(rawService('many', 'late')));
  await cluster.when(() => cluster.get('Service', 'many', 'late') !== undefined);
  t.is(cluster.names('Service').length, 603);
});

for (const [times, limits] of [
  [1, ['500', '500', '500', '500']],
  [2, ['500', '500', '500', '500', undefined]],
] as const) {
  test(`4: a list whose moment is compacted away ${times} times starts again and comes to its end`, async (t) => {
    const made = await scene(t);
    const { api, cluster } = made;
    api.watchList = false;
    for (let i = 0; i < 600; i++) api.put(rawService('many', `s${i}`));
    const when = (query: URLSearchParams): boolean => query.has('continue');
    api.fail({ on: 'list', kind: 'Service', when, does: 'status', status: 410, times });
    made.open();
    await cluster.when(() => cluster.isSynced('Service'));
    t.is(cluster.names('Service').length, 602);
    t.deepEqual(
      asked(made, 'list').map(({ query }) => query.get('limit') ?? undefined),
      [...limits],
    );
    t.is(cluster.count('replace', 'Service'), 1);
  });
}

test('5: a watch told 410 inside a 200 lists again, and what was deleted meanwhile is gone', async (t) => {
  const made = await synced(t);
  const { api, cluster } = made;
  await api.down();
  api.remove('Service', 'shop', 'pay');
  api.put(rawService('shop', 'new'));
  api.compact();
  await api.up();
  await cluster.when(() => cluster.count('replace', 'Service') === 2);
  t.deepEqual(cluster.names('Service'), ['shop/cart', 'shop/new']);
  t.true(asked(made, 'watch').length >= 1);
});

test('6: a watch refused with HTTP status 410 lists again after at most two seconds', async (t) => {
  const made = await synced(t);
  const { api, cluster, time } = made;
  api.fail({ on: 'watch', kind: 'Service', does: 'status', status: 410 });
  time.advance(2000);
  api.endWatches('Service');
  await cluster.when(() => cluster.count('replace', 'Service') === 2);
  t.deepEqual(time.pauses, [1000]);
  await follows(made, 'new');
});

test('7: a connection broken with RST goes on from the same version and loses nothing', async (t) => {
  const made = await synced(t);
  const { api, cluster } = made;
  await api.down();
  api.put(rawService('shop', 'new'));
  api.remove('Service', 'shop', 'pay');
  await api.up();
  await cluster.when(() => cluster.names('Service').join() === 'shop/cart,shop/new');
  t.is(cluster.count('replace', 'Service'), 1);
  t.is(asked(made, 'list').length, 0);
  t.deepEqual(new Set(asked(made, 'watch').map(({ query }) => query.get('resourceVersion'))), new Set(['1003']));
});

test('8: a watch that has gone mute is left after 150 s without a byte and taken up at the same version', async (t) => {
  const made = await synced(t);
  const { api, cluster, time } = made;
  api.fail({ on: 'watch', kind: 'Service', does: 'mute', headers: true });
  time.advance(2000);
  let next = api.next(ofServices('watch'));
  api.endWatches('Service');
  await next;
  await opened(made, 'Service');
  api.put(rawService('shop', 'new'));
  next = api.next(ofServices('watch'));
  time.advance(149_000);
  t.is(asked(made, 'watch').length, 1);
  time.advance(1000);
  t.is((await next).query.get('resourceVersion'), '1003');
  await cluster.when(() => cluster.get('Service', 'shop', 'new') !== undefined);
  t.is(cluster.count('replace', 'Service'), 1);
  t.deepEqual(time.pauses, []);
});

test('9: two mute watches in a row are answered with a list', async (t) => {
  const made = await synced(t);
  const { api, cluster, time } = made;
  api.fail({ on: 'watch', kind: 'Service', does: 'mute', headers: true, times: 2 });
  time.advance(2000);
  let next = api.next(ofServices('watch'));
  api.endWatches('Service');
  await next;
  await opened(made, 'Service');
  next = api.next(ofServices('watch'));
  time.advance(150_000);
  await next;
  await opened(made, 'Service');
  time.advance(150_000);
  await cluster.when(() => cluster.count('replace', 'Service') === 2);
  await follows(made, 'new');
  t.is(asked(made, 'watchlist').length, 2);
});

test('10: half a line before the end of a watch is thrown away and comes again whole', async (t) => {
  const made = await synced(t);
  const { api, cluster, time } = made;
  api.fail({
    on: 'watch',
    kind: 'Service',
    does: 'send',
    body: '{"type":"ADDED","object":{"kind":"Serv',
    ending: 'end',
  });
  time.advance(2000);
  api.endWatches('Service');
  await api.next(ofServices('watch'));
  await api.next(ofServices('watch'));
  await follows(made, 'new');
  t.is(cluster.count('replace', 'Service'), 1);
});

test('11: a line that cannot be read does not move the version: the deletion in it comes again', async (t) => {
  const made = await synced(t);
  const { api, cluster } = made;
  api.mangleNext('Service', () => '{"type":"DELETED","object":{"met\u0000');
  const next = api.next(ofServices('watch'));
  api.remove('Service', 'shop', 'pay');
  api.put(rawService('shop', 'new'));
  t.is((await next).query.get('resourceVersion'), '1003');
  await cluster.when(() => cluster.names('Service').join() === 'shop/cart,shop/new');
  t.is(cluster.count('replace', 'Service'), 1);
});

for (const [name, line] of [
  ['no JSON', 'not json'],
  ['an array', '[]'],
  ['null', 'null'],
  ['an event without an object', '{"type":"ADDED"}'],
  ['an object without metadata', '{"type":"ADDED","object":{"kind":"Service"}}'],
  ['an object without a name', '{"type":"ADDED","object":{"metadata":{"resourceVersion":"2000"}}}'],
  ['an object without a version', '{"type":"ADDED","object":{"metadata":{"name":"x","namespace":"y"}}}'],
  [
    'a version that is a number',
    '{"type":"ADDED","object":{"metadata":{"name":"x","namespace":"y","resourceVersion":7}}}',
  ],
  ['a bookmark without a version', '{"type":"BOOKMARK","object":{"kind":"Service"}}'],
  ['a line longer than 8 MiB', 'x'.repeat(8 * 1024 * 1024 + 1)],
] as const) {
  test(`11: what is no event twice in a row leads round it by a list: ${name}`, async (t) => {
    const made = await synced(t);
    const { api, cluster } = made;
    api.fail({ on: 'watch', kind: 'Service', does: 'send', body: `${line}\n`, ending: 'silence' });
    api.write('Service', `${line}\n`);
    await cluster.when(() => cluster.count('replace', 'Service') === 2);
    t.is(asked(made, 'watch').length, 1);
    await follows(made, 'new');
    t.deepEqual(cluster.names('Service'), ['shop/cart', 'shop/new', 'shop/pay']);
  });
}

for (const [name, body] of [
  ['a Status', undefined],
  ['plain text', 'The apiserver is shutting down, please try again later.'],
] as const) {
  test(`12: 429 with ${name} waits as long as Retry-After says`, async (t) => {
    const made = await synced(t);
    const { api, cluster, time } = made;
    const headers = { 'Retry-After': '10' };
    api.fail({
      on: 'watch',
      kind: 'Service',
      does: 'status',
      status: 429,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    time.advance(2000);
    api.endWatches('Service');
    await api.next(ofServices('watch'));
    await follows(made, 'new');
    t.deepEqual(time.pauses, [11_000]);
    t.is(cluster.count('replace', 'Service'), 1);
  });
}

test('14: credentials that stay refused are tried at a bounded rate, and the state is kept', async (t) => {
  const made = await synced(t);
  const { api, cluster, time } = made;
  api.token = 'something else';
  time.advance(2000);
  api.endWatches('Service');
  await cluster.when(() => cluster.reports.filter(({ text }) => text.includes('Attempt')).length >= 8);
  t.deepEqual(time.pauses.slice(0, 8), [1200, 2400, 4800, 9600, 19_200, 38_400, 45_000, 45_000]);
  t.deepEqual(cluster.names('Service'), ['shop/cart', 'shop/pay']);
  t.is(cluster.told.length, 1);
  t.regex(
    cluster.told[0] ?? '',
    /^warning: the API server at http:.* does not accept our credentials \(401 Unauthorized/,
  );
  api.token = '';
  await follows(made, 'new');
  t.is(cluster.count('replace', 'Service'), 1);
});

test('15: a storm of 500, 503 and 504 changes nothing but the pauses', async (t) => {
  const made = await synced(t);
  const { api, cluster, time } = made;
  for (const status of [500, 503, 504, 502, 500]) api.fail({ on: 'watch', kind: 'Service', does: 'status', status });
  time.advance(2000);
  api.endWatches('Service');
  await api.next(ofServices('watch'));
  await follows(made, 'new');
  t.deepEqual(time.pauses, [1200, 2400, 4800, 9600, 19_200]);
  t.is(cluster.count('replace', 'Service'), 1);
  t.is(asked(made, 'watch').length, 6);
});

test('16: a server that refuses connections and comes back is taken up at the same version', async (t) => {
  const made = await synced(t);
  const { api, cluster, time } = made;
  await api.down();
  await cluster.when(() => cluster.told.length > 0);
  t.regex(
    cluster.told[0] ?? '',
    /^warning: cannot reach the API server at http:.*ECONNREFUSED.*last known state is served/,
  );
  t.is(cluster.told.length, 1);
  api.put(rawService('shop', 'new'));
  await api.up();
  await cluster.when(() => cluster.get('Service', 'shop', 'new') !== undefined);
  t.is(cluster.count('replace', 'Service'), 1);
  t.true(time.pauses.every((pause) => pause <= 60_000));
});

test('17: events that come twice or out of order never bring back an older state', async (t) => {
  const made = await synced(t);
  const { api, cluster } = made;
  const event = (type: string, version: number, ip: string): string => {
    const object = rawService('shop', 'cart', { clusterIP: ip, clusterIPs: [ip] });
    object.metadata.resourceVersion = String(version);
    return `${JSON.stringify({ type, object })}\n`;
  };
  api.write('Service', event('MODIFIED', 2000, '10.96.0.20'));
  api.write('Service', event('MODIFIED', 2000, '10.96.0.20'));
  api.write('Service', event('MODIFIED', 1999, '10.96.0.19'));
  api.write('Service', event('DELETED', 1999, '10.96.0.19'));
  api.write('Service', event('MODIFIED', 2001, '10.96.0.21'));
  await cluster.when(() => JSON.stringify(cluster.get('Service', 'shop', 'cart')).includes('10.96.0.21'));
  t.is(cluster.count('put', 'Service'), 2);
  t.is(cluster.count('remove', 'Service'), 0);
  t.is(cluster.told.filter((text) => text.includes('older')).length, 1);
});

test('what one chunk brings is one step, however much work it is and wherever its lines are cut', async (t) => {
  const made = await synced(t);
  const { api, cluster, time } = made;
  // Every look at the clock says that others want their turn.
  Object.assign(time, { now: () => (ticks += 1000) });
  let ticks = 0;
  const before = cluster.batches.length;
  const names = Array.from({ length: 20 }, (_, i) => `s${i}`);
  const lines = names.map((name, i) => {
    const object = rawService('shop', name);
    object.metadata.resourceVersion = String(2000 + i);
    return `${JSON.stringify({ type: 'ADDED', object })}\n`;
  });
  api.write('Service', lines.join(''));
  await cluster.when(() => cluster.get('Service', 'shop', 's19') !== undefined);
  const batches = cluster.batches.slice(before).map((batch) => batch.length);
  t.deepEqual(batches, [20]);
});

test('17: versions are compared as numbers of any length', async (t) => {
  const made = await synced(t);
  const { api, cluster } = made;
  const event = (name: string, version: string): string => {
    const object = rawService('shop', name);
    object.metadata.resourceVersion = version;
    return `${JSON.stringify({ type: 'ADDED', object })}\n`;
  };
  api.write('Service', event('a', '9999'));
  api.write('Service', event('b', '10000'));
  api.write('Service', event('c', '99999999999999999999'));
  api.write('Service', event('d', '100000000000000000000'));
  await cluster.when(() => cluster.get('Service', 'shop', 'd') !== undefined);
  t.is(cluster.names('Service').length, 6);
});

test('18: bookmarks alone move the version on, so that a compaction costs no list', async (t) => {
  const made = await synced(t);
  const { api, cluster, time } = made;
  for (let i = 0; i < 10; i++) api.put(rawNamespace(`n${i}`));
  api.bookmark();
  api.compact();
  await cluster.when(() => cluster.names('Namespace').length === 11);
  // The bookmark stands before this event in the stream.
  await follows(made, 'new');
  api.bookmark(5000);
  api.compact();
  api.endWatches('Namespace');
  time.advance(2000);
  const next = api.next(ofServices('watch'));
  api.endWatches('Service');
  t.is((await next).query.get('resourceVersion'), '5000');
  await follows(made, 'newer');
  t.is(cluster.count('replace', 'Service'), 1);
});

test('19: a watch whose list has no marked end is listed after 30 s of silence', async (t) => {
  const made = await scene(t);
  const { api, cluster, time } = made;
  api.marksListEnd = false;
  made.open();
  await api.next(ofServices('watchlist'));
  await opened(made, 'Service');
  t.false(cluster.isSynced('Service'));
  time.advance(30_000);
  await cluster.when(() => cluster.isSynced('Service'));
  t.deepEqual(cluster.names('Service'), ['shop/cart', 'shop/pay']);
  await follows(made, 'new');
  t.deepEqual(time.pauses, []);
});

test('19: an ordinary bookmark where the marked one should be tells the same without waiting', async (t) => {
  const made = await scene(t);
  const { api, cluster } = made;
  api.marksListEnd = false;
  made.open();
  await api.next(ofServices('watchlist'));
  api.bookmark();
  await cluster.when(() => cluster.isSynced('Service'));
  t.deepEqual(cluster.names('Service'), ['shop/cart', 'shop/pay']);
});

test('20: what is deleted or changed while a first list comes in is not in it, or as it is then', async (t) => {
  const made = await scene(t);
  const { api, cluster } = made;
  const line = (type: string, object: object): string => `${JSON.stringify({ type, object })}\n`;
  const service = (name: string, version: string, ip: string): RawObject => {
    const object = rawService('shop', name, { clusterIP: ip, clusterIPs: [ip] });
    object.metadata.resourceVersion = version;
    return object;
  };
  const annotations = { 'k8s.io/initial-events-end': 'true' };
  const body = [
    line('ADDED', service('a', '11', '10.96.0.1')),
    line('ADDED', service('b', '5', '10.96.0.2')),
    line('MODIFIED', service('b', '12', '10.96.0.3')),
    line('DELETED', service('a', '13', '10.96.0.1')),
    line('BOOKMARK', { kind: 'Service', metadata: { resourceVersion: '13', annotations } }),
  ].join('');
  api.fail({ on: 'watchlist', kind: 'Service', does: 'send', body, ending: 'silence' });
  made.open();
  await cluster.when(() => cluster.isSynced('Service'));
  t.deepEqual(cluster.names('Service'), ['shop/b']);
  t.like(cluster.get('Service', 'shop', 'b'), { clusterIPs: ['10.96.0.3'] });
  t.is(cluster.batches.flat().length, cluster.count('replace', 'Service') + cluster.count('replace', 'Namespace'));
});

test('20: a first list that breaks off deletes nothing; after two a list in pages is taken', async (t) => {
  const made = await synced(t);
  const { api, cluster } = made;
  const object = rawService('shop', 'cart');
  object.metadata.resourceVersion = '1002';
  const body = `${JSON.stringify({ type: 'ADDED', object })}\n`;
  api.fail({ on: 'watchlist', kind: 'Service', does: 'send', body, ending: 'reset' });
  api.fail({ on: 'watchlist', kind: 'Service', does: 'send', body, ending: 'end' });
  api.fail({ on: 'watch', kind: 'Service', does: 'status', status: 410 });
  const listed = api.next(ofServices('list'));
  api.reset();
  await listed;
  t.deepEqual(cluster.names('Service'), ['shop/cart', 'shop/pay']);
  await cluster.when(() => cluster.count('replace', 'Service') === 2);
  t.deepEqual(cluster.names('Service'), ['shop/cart', 'shop/pay']);
  t.is(asked(made, 'watchlist').length, 3);
  t.true(
    cluster.batches
      .flat()
      .every((change) => change.verb !== 'replace' || change.listing.size !== 1 || change.listing.kind !== 'Service'),
  );
});

test('20: a first list that ends without its mark after a while is no list either', async (t) => {
  const made = await scene(t);
  const { api, cluster, time } = made;
  api.marksListEnd = false;
  made.open();
  for (let i = 0; i < 2; i++) {
    await api.next(ofServices('watchlist'));
    await opened(made, 'Service');
    time.advance(2000);
    api.endWatches('Service');
  }
  await cluster.when(() => cluster.isSynced('Service'));
  t.deepEqual(time.pauses, [1200, 2400]);
  t.is(cluster.count('replace', 'Service'), 1);
});

test('21: a server put back to an older state is silent, and is listed after two silences', async (t) => {
  const made = await synced(t);
  const { api, cluster, time } = made;
  api.restore(500);
  api.put(rawService('shop', 'restored'));
  time.advance(2000);
  let next = api.next(ofServices('watch'));
  api.endWatches('Service');
  await next;
  await opened(made, 'Service');
  next = api.next(ofServices('watch'));
  time.advance(150_000);
  await next;
  await opened(made, 'Service');
  time.advance(150_000);
  await cluster.when(() => cluster.count('replace', 'Service') === 2);
  t.deepEqual(cluster.names('Service'), ['shop/restored']);
  await follows(made, 'new');
});

for (const ending of ['endWatches', 'reset'] as const) {
  test(`21: the same where something on the way ends silent watches sooner (${ending})`, async (t) => {
    const made = await synced(t);
    const { api, cluster, time } = made;
    api.restore(500);
    api.put(rawService('shop', 'restored'));
    for (let round = 0; round < 6; round++) {
      t.is(cluster.count('replace', 'Service'), 1);
      const next = api.next(ofServices(round < 5 ? 'watch' : 'watchlist'));
      time.advance(60_000);
      api[ending]();
      await next;
      await opened(made, 'Service');
    }
    await cluster.when(() => cluster.count('replace', 'Service') === 2);
    t.deepEqual(cluster.names('Service'), ['shop/restored']);
    t.is(cluster.counted('Service')['relists silence'], 1);
    await follows(made, 'new');
  });
}

for (const [name, does] of [
  ['connecting', { does: 'mute', headers: false }],
  ['listing', { does: 'mute', headers: true }],
] as const) {
  test(`22: nothing comes after close while ${name}`, async (t) => {
    const made = await scene(t);
    const { api, cluster, time } = made;
    api.fail({ ...does, times: 2 });
    const source = made.open();
    await api.next(ofServices('watchlist'));
    if (does.headers) await opened(made, 'Service');
    source.close();
    api.put(rawService('shop', 'new'));
    await new Promise((resolve) => setImmediate(resolve));
    t.is(time.deadlines, 0);
    t.deepEqual(cluster.batches, []);
    t.deepEqual(cluster.told, []);
    t.is(api.log.length, 2);
  });
}

test('22: nothing comes after close, though events are on their way', async (t) => {
  const made = await scene(t);
  const { api, cluster } = made;
  const source = made.open();
  await cluster.when(() => cluster.isSynced('Service') && cluster.isSynced('Namespace'));
  for (let i = 0; i < 100; i++) api.put(rawService('shop', `s${i}`));
  source.close();
  const before = cluster.batches.length;
  await api.down();
  t.is(cluster.batches.length, before);
});

test('24: a service deleted and made again while nobody looked is the new one', async (t) => {
  const made = await synced(t);
  const { api, cluster } = made;
  await api.down();
  api.remove('Service', 'shop', 'pay');
  api.put(rawService('shop', 'pay', { clusterIP: '10.96.0.77', clusterIPs: ['10.96.0.77'] }));
  await api.up();
  await cluster.when(() => JSON.stringify(cluster.get('Service', 'shop', 'pay')).includes('10.96.0.77'));
  t.deepEqual(cluster.names('Service'), ['shop/cart', 'shop/pay']);
});

test('25: 10,000 objects and then 2,000 changes in a burst arrive complete', async (t) => {
  const made = await scene(t, {}, { history: 20_000 });
  const { api, cluster } = made;
  for (let i = 0; i < 10_000; i++) api.put(rawService('many', `s${i}`));
  made.open();
  await cluster.when(() => cluster.isSynced('Service'));
  t.is(cluster.names('Service').length, 10_002);
  for (let i = 0; i < 1000; i++) api.put(rawService('many', `t${i}`));
  for (let i = 0; i < 1000; i++) api.remove('Service', 'many', `s${i}`);
  await cluster.when(() => cluster.count('remove', 'Service') === 1000);
  t.is(cluster.count('put', 'Service'), 1000);
  t.is(cluster.names('Service').length, 10_002);
  t.true(cluster.batches.length < 1000, 'changes are published in batches');
});

test('26: watches that end as soon as they begin are not taken up without a pause', async (t) => {
  const made = await synced(t);
  const { api, cluster, time } = made;
  api.fail({ on: 'watch', kind: 'Service', does: 'end', times: 4 });
  time.advance(2000);
  api.endWatches('Service');
  for (let i = 0; i < 5; i++) await api.next(ofServices('watch'));
  await follows(made, 'new');
  t.deepEqual(time.pauses, [1200, 2400, 4800, 9600]);
  t.is(cluster.count('replace', 'Service'), 1);
});

test('26: a watch that says something and ends within a second is taken up after a second', async (t) => {
  const made = await synced(t);
  const { api, cluster, time } = made;
  const bookmark = { type: 'BOOKMARK', object: { kind: 'Service', metadata: { resourceVersion: '1500' } } };
  const body = `${JSON.stringify(bookmark)}\n`;
  api.fail({ on: 'watch', kind: 'Service', does: 'send', body, ending: 'end', times: 3 });
  time.advance(2000);
  const next = api.next(({ query }) => query.get('resourceVersion') === '1500' && time.pauses.length === 3);
  api.endWatches('Service');
  await next;
  t.deepEqual(time.pauses, [1000, 1000, 1000]);
  t.is(cluster.count('replace', 'Service'), 1);
});

test('29: an object whose labels leave the selector goes, and one whose labels enter it comes', async (t) => {
  const made = await scene(t, { labels: 'tier=web' });
  const { api, cluster } = made;
  api.put(rawService('shop', 'web', {}, { tier: 'web' }));
  made.open();
  await cluster.when(() => cluster.isSynced('Service'));
  t.deepEqual(cluster.names('Service'), ['shop/web']);
  api.put(rawService('shop', 'cart', {}, { tier: 'web' }));
  await cluster.when(() => cluster.names('Service').length === 2);
  api.put(rawService('shop', 'web', {}, { tier: 'db' }));
  await cluster.when(() => cluster.names('Service').join() === 'shop/cart');
  t.is(cluster.count('remove', 'Service'), 1);
});

test('30: a server that takes the connection and never replies is left after 75 s', async (t) => {
  const made = await scene(t);
  const { api, cluster, time } = made;
  api.fail({ does: 'mute', headers: false, times: 2 });
  made.open();
  await api.next(ofServices('watchlist'));
  time.advance(74_000);
  t.is(time.pauses.length, 0);
  time.advance(1000);
  await cluster.when(() => cluster.isSynced('Service'));
  t.is(time.pauses.length, 2);
});

test('30: a list that gets no reply is left after 30 s', async (t) => {
  const made = await scene(t);
  const { api, cluster, time } = made;
  api.watchList = false;
  api.fail({ on: 'list', kind: 'Service', does: 'mute', headers: false });
  made.open();
  await api.next(ofServices('list'));
  time.advance(29_999);
  t.is(time.pauses.length, 0);
  time.advance(1);
  await cluster.when(() => cluster.isSynced('Service'));
  t.is(time.pauses.length, 1);
});

test('33: a list that stalls half-way is left after 30 s, and the state is kept', async (t) => {
  const made = await scene(t);
  const { api, cluster, time } = made;
  api.watchList = false;
  api.fail({ on: 'list', kind: 'Service', does: 'send', body: '{"kind":"ServiceList","items":[', ending: 'silence' });
  made.open();
  await api.next(ofServices('list'));
  await opened(made, 'Service');
  time.advance(30_000);
  await cluster.when(() => cluster.isSynced('Service'));
  t.deepEqual(cluster.names('Service'), ['shop/cart', 'shop/pay']);
});

test('35: a server that never ends a watch is left half a minute after it should have', async (t) => {
  const made = await synced(t);
  const { api, cluster, time } = made;
  for (let seconds = 0; seconds < 360; seconds += 120) {
    time.advance(120_000);
    api.bookmark(api.version + 1);
    api.put(rawNamespace(`n${seconds}`));
    await cluster.when(() => cluster.get('Namespace', '', `n${seconds}`) !== undefined);
    await follows(made, `s${seconds}`);
  }
  const next = api.next(ofServices('watch'));
  time.advance(119_000);
  t.is(asked(made, 'watch').length, 0);
  time.advance(1000);
  await next;
  t.deepEqual(time.pauses, []);
});

test('35: silence means nothing with a server that sends no bookmarks, until the watch should have ended', async (t) => {
  const made = await scene(t);
  const { api, cluster, time } = made;
  api.watchList = false;
  made.open();
  await cluster.when(() => cluster.isSynced('Service') && cluster.isSynced('Namespace'));
  await follows(made, 'new');
  const next = api.next(ofServices('watch'));
  time.advance(479_000);
  t.is(asked(made, 'watch').length, 1);
  time.advance(1000);
  t.is((await next).query.get('resourceVersion'), String(api.version));
  t.is(cluster.count('replace', 'Service'), 1);
});

test('36: characters cut by a chunk and U+2028 inside a line are no ends of lines', async (t) => {
  const made = await synced(t);
  const { api, cluster } = made;
  const object = rawService('shop', 'snow');
  object.metadata.resourceVersion = '2000';
  object.metadata.annotations = { note: 'a\u2028b\u2029c\u0085d\re ☃ 𝔘' };
  const line = Buffer.from(`${JSON.stringify({ type: 'ADDED', object })}\n`);
  const cut = line.indexOf(Buffer.from('☃')) + 1;
  api.write('Service', line.subarray(0, cut));
  await new Promise((resolve) => setImmediate(resolve));
  api.write('Service', line.subarray(cut));
  await cluster.when(() => cluster.get('Service', 'shop', 'snow') !== undefined);
  t.is(asked(made, 'watch').length, 0);
});

test('38: a receiver that throws is told of the whole state again', async (t) => {
  const { api, cluster, time } = await scene(t);
  let faults = 2;
  const source = openApiSource(
    { ...sourceOptions({ podNames: false }), from: { kind: 'endpoint', url: api.url, tls: undefined } },
    {
      report: cluster.report,
      known: cluster.known,
      change(changes) {
        if (changes.some((change) => change.verb === 'put') && faults-- > 0) throw new Error('no room');
        cluster.change(changes);
      },
    },
    { version: '1', variables: {}, time },
  );
  t.teardown(() => source.close());
  await cluster.when(() => cluster.isSynced('Service'));
  api.put(rawService('shop', 'a'));
  await cluster.when(() => cluster.get('Service', 'shop', 'a') !== undefined);
  t.is(cluster.count('replace', 'Service'), 2);
  t.true(cluster.reports.some(({ text }) => text.includes('no room')));
});

test('39: a kind that may not be read says what right is missing, and the others are served', async (t) => {
  const made = await scene(t, { endpointSlices: true });
  const { api, cluster, time } = made;
  api.forbidden.add('endpointslices');
  time.hold();
  made.open();
  await cluster.when(() => cluster.isSynced('Service') && cluster.told.length > 0);
  t.false(cluster.isSynced('EndpointSlice'));
  t.deepEqual(cluster.told.length, 1);
  t.regex(
    cluster.told[0] ?? '',
    /^error: not allowed to watch endpointslices\.discovery\.k8s\.io .*apiGroups: \["discovery.k8s.io"\], resources: \["endpointslices"\], verbs: \["list", "watch"\]/,
  );
  t.deepEqual(time.pauses, [10_000]);
  api.forbidden.clear();
  time.release();
  await cluster.when(() => cluster.isSynced('EndpointSlice'));
  t.regex(cluster.told[1] ?? '', /^info: .*followed again/);
});

const IMPORTS = { endpointSlices: true, imports: true };

test('ServiceImports are read where they are asked for, and so is what is imported of a slice', async (t) => {
  const made = await scene(t, { ...IMPORTS, labels: 'team=a' });
  const { api, cluster } = made;
  api.put(rawServiceImport('shop', 'cart', ['10.112.0.1'], { team: 'a' }));
  api.put(rawServiceImport('shop', 'pay', [], { team: 'b' }));
  api.put(withLabels(rawImportedSlice('shop', 'cart', 'east', [{ address: '10.1.0.1' }]), { team: 'a' }));
  made.open();
  await cluster.when(() => cluster.isSynced('ServiceImport') && cluster.isSynced('EndpointSlice'));
  t.deepEqual(cluster.names('ServiceImport'), ['shop/cart']);
  t.like(cluster.get('EndpointSlice', 'shop', 'cart-east'), { imported: { service: 'cart', cluster: 'east' } });
  api.put(rawServiceImport('shop', 'new', ['10.112.0.2'], { team: 'a' }));
  await cluster.when(() => cluster.get('ServiceImport', 'shop', 'new') !== undefined);
  api.remove('ServiceImport', 'shop', 'cart');
  await cluster.when(() => cluster.get('ServiceImport', 'shop', 'cart') === undefined);
  t.deepEqual(cluster.told, []);
});

test('without multicluster nothing of it is asked for or kept', async (t) => {
  const made = await scene(t, { endpointSlices: true });
  const { api, cluster } = made;
  api.put(rawImportedSlice('shop', 'cart', 'east', [{ address: '10.1.0.1', zone: 'a' }]));
  made.open();
  await cluster.when(() => cluster.isSynced('EndpointSlice'));
  t.deepEqual(Object.keys(cluster.get('EndpointSlice', 'shop', 'cart-east') ?? {}).toSorted(), [
    'endpoints',
    'kind',
    'name',
    'namespace',
    'ports',
    'service',
  ]);
  t.true(api.log.every(({ kind }) => kind !== 'ServiceImport'));
});

test('noendpoints: only imported slices are asked for, and they are of no Service', async (t) => {
  const made = await scene(t, { imports: true, labels: 'team=a' });
  const { api, cluster } = made;
  const imported = rawImportedSlice('shop', 'cart', 'east', [{ address: '10.1.0.1' }]);
  api.put(withLabels(imported, { team: 'a' }));
  api.put(withLabels(rawSlice('shop', 'cart', 'own', [{ address: '10.0.0.1' }]), { team: 'a' }));
  api.put(
    withLabels(rawImportedSlice('shop', 'cart', 'both', []), { team: 'a', 'kubernetes.io/service-name': 'cart' }),
  );
  api.put(rawImportedSlice('shop', 'cart', 'other-team', []));
  made.open();
  await cluster.when(() => cluster.isSynced('EndpointSlice'));
  t.deepEqual(cluster.names('EndpointSlice'), ['shop/cart-both', 'shop/cart-east']);
  t.like(cluster.get('EndpointSlice', 'shop', 'cart-both'), { service: '', imported: { cluster: 'both' } });
});

test('topology zones are kept where they are asked for, from lists and from events', async (t) => {
  const made = await scene(t, { endpointSlices: true, topologyZones: true });
  const { api, cluster } = made;
  api.put(rawSlice('shop', 'cart', 'a', [{ address: '10.0.0.1', zone: 'Zone-A' }, { address: '10.0.0.2' }]));
  made.open();
  await cluster.when(() => cluster.isSynced('EndpointSlice'));
  t.like(cluster.get('EndpointSlice', 'shop', 'cart-a'), { topologyZones: ['zone-a'] });
  api.put(rawSlice('shop', 'cart', 'a', [{ address: '10.0.0.1', zone: 'zone-b' }]));
  await cluster.when(() => cluster.count('put', 'EndpointSlice') > 0);
  t.like(cluster.get('EndpointSlice', 'shop', 'cart-a'), { topologyZones: ['zone-b'] });
});

// CoreDNS plugin/kubernetes waits for it for ever, and with it everything else.
for (const watchList of [true, false]) {
  test(`a server that does not know ServiceImports has none, until it does (WatchList: ${watchList})`, async (t) => {
    const made = await scene(t, IMPORTS);
    const { api, cluster, time } = made;
    api.watchList = watchList;
    api.unknown.add('serviceimports');
    time.hold();
    const source = made.open();
    const isSynced = (): boolean => cluster.isSynced('ServiceImport') && cluster.isSynced('EndpointSlice');
    await cluster.when(() => isSynced() && cluster.told.length > 0);
    await new Promise((resolve) => setImmediate(resolve));
    t.deepEqual(cluster.names('ServiceImport'), []);
    t.is(cluster.told.length, 1);
    t.regex(
      cluster.told[0] ?? '',
      /^warning: the API server at .* has no serviceimports\.multicluster\.x-k8s\.io .*Install its CustomResourceDefinition or remove `multicluster`\.$/,
    );
    t.deepEqual(time.pauses, [60_000]);
    const reports = cluster.reports.length;
    time.release();
    time.hold();
    await cluster.when(() => cluster.reports.length > reports);
    await new Promise((resolve) => setImmediate(resolve));
    t.deepEqual(time.pauses, [60_000, 60_000]);
    t.like(
      source.freshness?.().find(({ kind }) => kind === 'ServiceImport'),
      { staleness: 60 },
      'since it was asked for last',
    );
    api.unknown.clear();
    api.put(rawServiceImport('shop', 'cart', ['10.112.0.1']));
    time.release();
    await cluster.when(() => cluster.names('ServiceImport').length === 1);
    t.regex(cluster.told[1] ?? '', /^info: .*followed again/);
  });
}

test('a receiver that throws when it is told of none is told again', async (t) => {
  const { api, cluster, time } = await scene(t);
  api.unknown.add('serviceimports');
  let faults = 2;
  const source = openApiSource(
    {
      ...sourceOptions({ endpointSlices: true, imports: true, podNames: false }),
      from: { kind: 'endpoint', url: api.url, tls: undefined },
    },
    {
      report: cluster.report,
      known: cluster.known,
      change(changes) {
        const [first] = changes;
        if (first?.verb === 'replace' && first.listing.kind === 'ServiceImport' && faults-- > 0)
          throw new Error('no room');
        cluster.change(changes);
      },
    },
    { version: '1', variables: {}, time },
  );
  t.teardown(() => source.close());
  await cluster.when(() => cluster.isSynced('ServiceImport'));
  t.true(cluster.reports.some(({ text }) => text.includes('no room')));
});

test('ServiceImports that were there stay while the server says that it does not know them', async (t) => {
  const made = await scene(t, IMPORTS);
  const { api, cluster } = made;
  api.put(rawServiceImport('shop', 'cart', ['10.112.0.1']));
  made.open();
  await cluster.when(() => cluster.isSynced('ServiceImport'));
  api.unknown.add('serviceimports');
  api.endWatches('ServiceImport');
  await cluster.when(() => cluster.told.length > 0);
  t.regex(cluster.told[0] ?? '', /^warning: .* has no serviceimports/);
  t.deepEqual(cluster.names('ServiceImport'), ['shop/cart']);
  api.unknown.clear();
  api.put(rawServiceImport('shop', 'pay', ['10.112.0.2']));
  await cluster.when(() => cluster.names('ServiceImport').length === 2);
  t.is(cluster.count('remove', 'ServiceImport'), 0);
});

test('ServiceImports that may not be read say what right is missing, and what is waiting for it', async (t) => {
  const made = await scene(t, IMPORTS);
  const { api, cluster, time } = made;
  api.forbidden.add('serviceimports');
  time.hold();
  made.open();
  await cluster.when(() => cluster.isSynced('EndpointSlice') && cluster.told.length > 0);
  t.false(cluster.isSynced('ServiceImport'));
  t.regex(
    cluster.told[0] ?? '',
    /^error: not allowed to watch serviceimports\.multicluster\.x-k8s\.io .*multicluster names get SERVFAIL.*apiGroups: \["multicluster\.x-k8s\.io"\], resources: \["serviceimports"\]/,
  );
});

test('another resource that the server does not know is waited for', async (t) => {
  const made = await scene(t, IMPORTS);
  const { api, cluster, time } = made;
  api.unknown.add('endpointslices');
  time.hold();
  made.open();
  await cluster.when(() => cluster.isSynced('ServiceImport') && cluster.told.length > 0);
  t.false(cluster.isSynced('EndpointSlice'));
  t.regex(cluster.told[0] ?? '', /^error: .*Kubernetes 1\.21 or later is needed/);
});

function withLabels(object: RawObject, labels: Record<string, string>): RawObject {
  return { ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...labels } } };
}

test('41: a server that is away at the start is said once, and read as soon as it is there', async (t) => {
  const made = await scene(t, { endpointSlices: true, pods: true });
  const { api, cluster } = made;
  await api.down();
  made.open();
  await cluster.when(() => cluster.reports.length >= 12);
  t.is(cluster.told.length, 1);
  t.regex(cluster.told[0] ?? '', /^error: cannot reach the API server .*SERVFAIL/);
  await api.up();
  await cluster.when(() => cluster.isSynced('Service'));
  t.deepEqual(cluster.names('Service'), ['shop/cart', 'shop/pay']);
});

for (const chance of [0, 0.999_999]) {
  test(`42: pauses stay between their bounds (chance ${chance})`, async (t) => {
    const made = await scene(t);
    const { api, cluster, time } = made;
    time.chance = chance;
    await api.down();
    made.open();
    await cluster.when(() => cluster.reports.length >= 20);
    const floor = [800, 1600, 3200, 6400, 12_800, 25_600, 30_000];
    time.pauses.slice(0, 14).forEach((pause, i) => {
      const least = floor[Math.floor(i / 2)] ?? 30_000;
      t.true(pause >= least && pause <= 2 * least, `pause ${i} is ${pause}`);
    });
  });
}

test('a name as long as a line is not said whole', async (t) => {
  const { api, cluster } = await synced(t);
  const metadata = { namespace: 'shop', name: 'x'.repeat(1_000_000) };
  api.write('Service', `${JSON.stringify({ type: 'ADDED', object: { metadata } })}\n`);
  const isSaid = (text: string): boolean => text.includes('without a resourceVersion');
  await cluster.when(() => cluster.reports.some(({ text }) => isSaid(text)));
  t.true(cluster.reports.every(({ text }) => text.length < 1000));
});

test('an event of another type is left aside and said once', async (t) => {
  const made = await synced(t);
  const { api, cluster } = made;
  for (let i = 0; i < 3; i++) api.write('Service', '{"type":"SUMMARY","object":{"kind":"Service"}}\n');
  await follows(made, 'new');
  t.is(cluster.told.length, 1);
  t.regex(cluster.told[0] ?? '', /unknown type "SUMMARY"/);
});

test('an object that can no longer be used is removed, and one that never could is not spoken of', async (t) => {
  const made = await synced(t, { pods: true });
  const { api, cluster } = made;
  api.put(rawPod('shop', 'web-1', '10.0.0.1'));
  await cluster.when(() => cluster.names('Pod').length === 1);
  // A server that knows the field selector says DELETED instead.
  const say = (type: string, pod: RawObject): void => {
    pod.metadata.resourceVersion = String(api.version + 1);
    api.write('Pod', `${JSON.stringify({ type, object: pod })}\n`);
    api.bookmark(api.version + 1);
  };
  say('MODIFIED', rawPod('shop', 'web-1', '10.0.0.1', 'Succeeded'));
  await cluster.when(() => cluster.names('Pod').length === 0);
  api.remove('Pod', 'shop', 'web-1');
  say('ADDED', rawPod('shop', 'web-2', '10.0.0.2', 'Failed'));
  api.put(rawPod('shop', 'web-3', '10.0.0.3'));
  await cluster.when(() => cluster.names('Pod').length === 1);
  t.deepEqual(
    cluster.news.filter((news) => news.startsWith('Pod')),
    ['Pod shop/web-1', 'Pod shop/web-1', 'Pod shop/web-3'],
  );
  t.deepEqual(cluster.names('Pod'), ['shop/web-3']);
});

test('only pods that run are asked for', async (t) => {
  const made = await scene(t, { pods: true });
  const { api, cluster } = made;
  api.put(rawPod('shop', 'done', '10.0.0.1', 'Succeeded'));
  api.put(rawPod('shop', 'runs', '10.0.0.2'));
  made.open();
  await cluster.when(() => cluster.isSynced('Pod'));
  t.deepEqual(cluster.names('Pod'), ['shop/runs']);
});

test('slices tell when they were caused, but not those of the first list', async (t) => {
  const made = await scene(t, { endpointSlices: true });
  const { api, cluster } = made;
  api.put(rawSlice('shop', 'cart', 'abc', [{ address: '10.0.0.1' }]));
  made.open();
  await cluster.when(() => cluster.isSynced('EndpointSlice'));
  t.deepEqual(cluster.slices, []);
  api.put(rawSlice('shop', 'pay', 'xyz', [{ address: '10.0.0.2' }]));
  await cluster.when(() => cluster.names('EndpointSlice').length === 2);
  t.deepEqual(cluster.slices, [
    { namespace: 'shop', service: 'pay', triggered: Date.UTC(2026, 10, 20, 10, 0, 0, 123) },
  ]);
});

test('names that JavaScript gives a meaning to are names like others', async (t) => {
  const made = await synced(t);
  const { api, cluster } = made;
  for (const name of ['constructor', 'then', 'valueof', '1', '0x10']) api.put(rawService('then', name));
  const hostile = rawService('then', 'x');
  const text = JSON.stringify({
    type: 'ADDED',
    object: { ...hostile, metadata: { ...hostile.metadata, resourceVersion: '5000' } },
  });
  api.write('Service', `${text.replace('{"type"', '{"__proto__":{"type":"ERROR"},"type"')}\n`);
  await cluster.when(() => cluster.get('Service', 'then', 'x') !== undefined);
  t.deepEqual(
    cluster.names('Service').filter((name) => name.startsWith('then/')),
    ['then/0x10', 'then/1', 'then/constructor', 'then/then', 'then/valueof', 'then/x'],
  );
});
