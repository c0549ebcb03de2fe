/** Servers and networks that say nothing, too late, or to somebody who does not listen. */

import { rawService } from '../support/raw-objects.ts';
import { CHANGES, type FaultCase } from './fault-case.ts';
import { reconnects, relists, replies, stalls } from './figures.ts';
import { check, clusterIP } from './stage.ts';

export const SILENCES: readonly FaultCase[] = [
  {
    number: 8,
    title: 'a mute watch',
    server: 'or a half-open connection: a watch is accepted and says nothing',
    async play(stage) {
      stage.api.fail({ on: 'watch', kind: 'Service', does: 'mute', headers: true });
      await stage.rewatch();
      await stage.replied();
      stage.change();
      stage.time.advance(150_000);
    },
    tells: stalls('Service'),
    spares: [relists()],
  },
  {
    number: 9,
    title: 'two mute watches',
    server: 'does so twice',
    async play(stage) {
      stage.api.fail({ on: 'watch', kind: 'Service', does: 'mute', headers: true, times: 2 });
      await stage.rewatch();
      await stage.replied();
      stage.change();
      const next = stage.next('Service', 'watch');
      stage.time.advance(150_000);
      await next;
      await stage.replied();
      stage.time.advance(150_000);
    },
    tells: relists('silence', 'Service'),
  },
  {
    number: 22,
    title: 'stopped while it connects',
    server: 'answers only when the source that asked has been closed by a reload',
    start: 'cold',
    prepare({ api }) {
      api.put(rawService('shop', 'old', clusterIP('10.96.0.60')));
      api.fail({ does: 'late', times: 3 });
    },
    async play(stage) {
      const { api } = stage;
      await stage.until('three requests', () => api.log.length === 3);
      // The new source selects by label; what the old one would have told has none.
      await stage.reload('labels tier=web');
      await stage.until('only the new connections', () => api.connections === 3);
      api.serveLate();
      await stage.synced();
      stage.change();
    },
    asks: [...CHANGES, { name: 'old.shop', answers: ['NXDOMAIN'] }],
    tells: replies('<error>'),
    note: 'that nothing is sent any more is seen at the API server; queries show that nothing late is believed',
  },
  {
    number: 30,
    title: 'headers that never come',
    server: 'takes the request of a watch and does not reply',
    async play(stage) {
      stage.api.fail({ on: 'watch', kind: 'Service', does: 'mute', headers: false });
      await stage.rewatch();
      stage.change();
      stage.time.advance(75_000);
    },
    tells: reconnects('timeout', 'Service'),
    spares: [relists()],
  },
  {
    number: 32,
    title: 'a slow consumer',
    server: 'drops the watch of a client who does not read, and what waited for it (cache_watcher.go, forget)',
    api: { unreadMax: 20 },
    isRelayed: true,
    async play(stage) {
      const { api, relay } = stage;
      relay?.hold();
      const annotations = { note: 'x'.repeat(100_000) };
      for (let i = 0; i < EVENTS_MAX && api.dropped === 0; i++) {
        const object = rawService('shop', 'large', clusterIP('10.96.0.70'));
        api.put({ ...object, metadata: { ...object.metadata, annotations } });
        await new Promise((resolve) => setImmediate(resolve));
      }
      check(api.dropped === 1, 'the API server has dropped a watch');
      stage.change();
      relay?.release();
    },
    asks: [...CHANGES, { name: 'large.shop', answers: ['NXDOMAIN', '10.96.0.70'] }],
    tells: reconnects('ended', 'Service'),
    spares: [relists()],
  },
];

/** 90 MB: more than the sockets of a machine hold; as many as the API server remembers. */
const EVENTS_MAX = 900;
