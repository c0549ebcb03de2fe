/** Faults of lists: the first one, and those that have to be made again while the last state is answered. */

import type { Milliseconds } from '../../zones/units.ts';
import { rawNamespace, rawService } from '../support/raw-objects.ts';
import { CHANGES, type FaultCase } from './fault-case.ts';
import { events, gaps, objects, relists, replies, stalls } from './figures.ts';
import { check, clusterIP, type Stage } from './stage.ts';

/** More services than two pages have. */
function fillPages({ api }: Stage): void {
  api.put(rawNamespace('many'));
  for (let i = 0; i < 1200; i++) api.put(rawService('many', `s${i}`, clusterIP('10.97.0.1')));
}

const MANY = [
  ...CHANGES,
  { name: 's0.many', answers: ['10.97.0.1'] },
  { name: 's1199.many', answers: ['10.97.0.1'] },
] as const;

/** Lists are taken aside every 45 to 75 minutes: after an hour by the clock of the test, whose chance is the middle. */
const RESYNC_WITHIN: Milliseconds = 3_600_000;
const BOOKMARK_INTERVAL: Milliseconds = 60_000;

export const LISTS: readonly FaultCase[] = [
  {
    number: 1,
    title: 'WatchList, then changes',
    server: 'sends all objects and the marked bookmark, then events, a deletion among them (cacher.go, KEP-3157)',
    start: 'cold',
    async play(stage) {
      await stage.synced();
      stage.change();
    },
    tells: events('Service'),
    spares: [relists(), replies('422')],
  },
  {
    number: 2,
    title: 'no WatchList',
    server: 'answers 422: the feature gate is off (apimachinery, internalversion/validation)',
    start: 'cold',
    prepare: ({ api }) => void (api.watchList = false),
    async play(stage) {
      await stage.synced();
      check(stage.requests('Service', 'list').length === 1, 'one list of services');
      check(stage.time.pauses.length === 0, 'no pause before the list');
      stage.change();
    },
    tells: relists('refused', 'Service'),
  },
  {
    number: 3,
    title: 'a list in pages',
    server: 'gives 500 objects at once and a token for the next page (get.go, storage/cacher)',
    start: 'cold',
    prepare(stage) {
      stage.api.watchList = false;
      fillPages(stage);
    },
    async play(stage) {
      await stage.synced();
      check(stage.requests('Service', 'list').length === 3, 'three pages of services');
      stage.change();
    },
    asks: MANY,
    tells: objects('Service'),
  },
  {
    number: 4,
    title: 'pages that are compacted away',
    server: 'answers 410 to the second page, twice (etcd3/errors.go)',
    prepare: fillPages,
    async play(stage) {
      stage.api.watchList = false;
      const when = (query: URLSearchParams): boolean => query.has('continue');
      stage.api.fail({ on: 'list', kind: 'Service', when, does: 'status', status: 410, times: 2 });
      const listed = stage.next('Service', 'list');
      stage.expire();
      await listed;
      stage.change();
    },
    asks: MANY,
    tells: replies('410'),
  },
  {
    number: 19,
    title: 'a first list without its end',
    server: 'sends all objects, but never the marked bookmark, as some aggregated servers do (antrea#8123)',
    async play(stage) {
      stage.api.marksListEnd = false;
      const listed = stage.next('Service', 'watchlist');
      stage.expire();
      await listed;
      await stage.replied();
      stage.change();
      stage.time.advance(30_000);
    },
    tells: relists('stalled', 'Service'),
  },
  {
    number: 20,
    title: 'first lists that break off',
    server: 'sends one object of many and breaks the connection, then again and ends the reply',
    async play(stage) {
      const { api } = stage;
      const object = rawService('shop', 'cart');
      object.metadata.resourceVersion = String(api.version);
      const body = `${JSON.stringify({ type: 'ADDED', object })}\n`;
      api.fail({ on: 'watchlist', kind: 'Service', does: 'send', body, ending: 'reset' });
      api.fail({ on: 'watchlist', kind: 'Service', does: 'send', body, ending: 'end' });
      const listed = stage.next('Service', 'list');
      stage.expire();
      await listed;
      stage.change();
    },
    tells: relists('cut', 'Service'),
  },
  {
    number: 33,
    title: 'a list that stops half-way',
    server: 'sends the first half of a page and nothing more',
    async play(stage) {
      const { api } = stage;
      api.watchList = false;
      const body = '{"kind":"ServiceList","metadata":{"resourceVersion":"1"},"items":[';
      api.fail({ on: 'list', kind: 'Service', does: 'send', body, ending: 'silence' });
      const listed = stage.next('Service', 'list');
      stage.expire();
      await listed;
      await stage.replied();
      stage.change();
      stage.time.advance(30_000);
    },
    tells: stalls('Service'),
  },
  {
    number: 40,
    title: 'a window that a watch skips',
    server: 'tells no watch of a new service and a deletion, now or later (lf-edge/eve#6113); a list has both',
    async play(stage) {
      const { api } = stage;
      api.plant(rawService('shop', 'new', clusterIP('10.96.0.20')));
      api.plantRemoval('Service', 'shop', 'pay');
      const listed = stage.next('Service', 'list');
      await stage.pass(RESYNC_WITHIN);
      await listed;
      await stage.replied();
      // Compared when the watch has come to the version of the list.
      await stage.pass(BOOKMARK_INTERVAL);
    },
    tells: gaps('Service'),
    spares: [relists()],
  },
];
