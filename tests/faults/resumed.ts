/** Watches that end, and what the server still knows of the time between. */

import { rawNamespace, rawService } from '../support/raw-objects.ts';
import { type FaultCase } from './fault-case.ts';
import { reconnects, relists, replies } from './figures.ts';
import { check, clusterIP } from './stage.ts';

export const RESUMED: readonly FaultCase[] = [
  {
    number: 5,
    title: '410 inside a watch',
    server: 'was away, and has forgotten what happened meanwhile: 200 with an ERROR event 410 (cacher.go)',
    async play(stage) {
      await stage.api.down();
      stage.change();
      stage.api.compact();
      await stage.api.up();
      await stage.answers('new.shop', '10.96.0.20');
      check(stage.requests('Service', 'watch').length === 1, 'no second watch from a version that is forgotten');
    },
    tells: relists('expired', 'Service'),
  },
  {
    number: 6,
    title: '410 instead of a watch',
    server: 'answers a watch with the HTTP status 410',
    async play(stage) {
      stage.api.fail({ on: 'watch', kind: 'Service', does: 'status', status: 410 });
      await stage.rewatch();
      stage.change();
    },
    tells: relists('expired', 'Service'),
  },
  {
    number: 7,
    title: 'RST in a watch',
    server: 'or a load balancer breaks all connections; things change before the next one',
    play(stage) {
      stage.api.reset();
      stage.change();
    },
    tells: reconnects('cut', 'Service'),
    spares: [relists()],
  },
  {
    number: 16,
    title: 'the server is restarted',
    server: 'refuses connections, and comes back with all its history',
    async play(stage) {
      await stage.api.down();
      const { lines } = stage;
      await stage.until('word of it', () => lines.some((line) => line.includes('cannot reach the API server')));
      stage.change();
      await stage.api.up();
    },
    tells: reconnects('unreachable', 'Service'),
    spares: [relists()],
  },
  {
    number: 18,
    title: 'a quiet resource and a compaction',
    server: 'sends only bookmarks of services, then forgets its history (cache_watcher.go, nextBookmarkTime)',
    async play(stage) {
      const { api } = stage;
      for (let i = 0; i < 10; i++) api.put(rawNamespace(`n${i}`));
      api.bookmark(5_000);
      api.compact();
      const next = stage.next('Service', 'watch');
      api.endWatches();
      check((await next).query.get('resourceVersion') === '5000', 'a watch from the version of the bookmark');
      stage.change();
    },
    tells: reconnects('ended', 'Service'),
    spares: [relists()],
  },
  {
    number: 21,
    title: 'etcd restored from a backup',
    server: 'has a lower version than fivedots, and says nothing until it has caught up (cache_watcher.go)',
    async play(stage) {
      const { api } = stage;
      api.restore(500);
      stage.fill();
      stage.change();
      const watches = (): number => api.log.filter(({ ask }) => ask === 'watch').length;
      api.endWatches();
      for (const count of [3, 6]) {
        await stage.until(`${count} watches`, () => watches() >= count);
        await stage.replied();
        stage.time.advance(150_000);
      }
    },
    tells: relists('silence', 'Service'),
  },
  {
    number: 24,
    title: 'deleted and made again in a gap',
    server: 'was away; a service of that time has the name of another, and the history is gone',
    async play({ api }) {
      await api.down();
      api.remove('Service', 'shop', 'pay');
      api.put(rawService('shop', 'pay', clusterIP('10.96.0.77')));
      api.compact();
      await api.up();
    },
    // Never NXDOMAIN: before and after, it exists.
    asks: [{ name: 'pay.shop', answers: ['10.96.0.11', '10.96.0.77'] }],
    tells: relists('expired', 'Service'),
  },
  {
    number: 26,
    title: 'watches that end at once',
    server: 'ends four watches as soon as they have begun',
    async play(stage) {
      stage.api.fail({ on: 'watch', kind: 'Service', does: 'end', times: 4 });
      await stage.rewatch();
      stage.change();
      await stage.until('five watches', () => stage.requests('Service', 'watch').length === 5);
      const { pauses } = stage.time;
      check(pauses.join() === '1200,2400,4800,9600', `growing pauses, not ${pauses.join()}`);
    },
    tells: reconnects('cut', 'Service'),
    spares: [relists()],
  },
  {
    number: 35,
    title: 'a watch that is never ended',
    server: 'takes no notice of timeoutSeconds (kubernetes#102464)',
    async play(stage) {
      const next = stage.next('Service', 'watch');
      await stage.pass(480_000);
      await next;
      stage.change();
    },
    tells: reconnects('overdue', 'Service'),
    spares: [relists(), replies('410')],
  },
];
