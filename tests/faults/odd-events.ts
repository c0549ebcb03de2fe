/** Watches whose lines are not what they should be, or are unusual, or meet a fault of our own. */

import { rawService } from '../support/raw-objects.ts';
import { type FaultCase } from './fault-case.ts';
import { droppedEvents, events, protocolErrors, reconnects, relists } from './figures.ts';
import { check, clusterIP } from './stage.ts';

export const ODD_EVENTS: readonly FaultCase[] = [
  {
    number: 10,
    title: 'half a line',
    server: 'ends a watch in the middle of an event',
    async play(stage) {
      const body = '{"type":"ADDED","object":{"kind":"Serv';
      stage.api.fail({ on: 'watch', kind: 'Service', does: 'send', body, ending: 'end' });
      await stage.rewatch();
      stage.change();
    },
    tells: reconnects('cut', 'Service'),
    spares: [relists(), protocolErrors('Service')],
  },
  {
    number: 11,
    title: 'garbage instead of a deletion',
    server: 'or a proxy spoils the line that says that a service is gone',
    async play(stage) {
      stage.api.mangleNext('Service', () => '{"type":"DELETED","object":{"met\u0000');
      stage.change();
      await stage.answers('new.shop', '10.96.0.20');
    },
    tells: protocolErrors('Service'),
    spares: [relists()],
  },
  {
    number: 17,
    title: 'events twice and out of order',
    server: 'says again what has long changed, a deletion among it',
    async play({ api }) {
      const pay = (ip: string): void => api.put(rawService('shop', 'pay', clusterIP(ip)));
      pay('10.96.0.12');
      pay('10.96.0.13');
      for (const [type, age] of [
        ['MODIFIED', 0],
        ['MODIFIED', 1],
        ['DELETED', 1],
      ] as const) {
        const object = rawService('shop', 'pay', clusterIP('10.96.0.12'));
        object.metadata.resourceVersion = String(api.version - age);
        api.write('Service', `${JSON.stringify({ type, object })}\n`);
      }
    },
    asks: [{ name: 'pay.shop', answers: ['10.96.0.11', '10.96.0.12', '10.96.0.13'] }],
    tells: droppedEvents('Service'),
    spares: [relists(), reconnects()],
  },
  {
    number: 29,
    title: 'labels that leave the selector',
    server: 'says DELETED of an object that goes on without its label, ADDED of one that gets it (cache_watcher.go)',
    directives: 'labels tier=web',
    prepare: ({ api }) => api.put(rawService('shop', 'new', clusterIP('10.96.0.20'))),
    play({ api }) {
      api.put(rawService('shop', 'pay', clusterIP('10.96.0.11')));
      api.put(rawService('shop', 'new', clusterIP('10.96.0.20'), { tier: 'web' }));
    },
    tells: events('Service'),
    spares: [relists()],
  },
  {
    number: 31,
    title: 'a line longer than is taken',
    server: 'sends a line of more than 8 MiB, and again after that',
    play(stage) {
      const object = rawService('shop', 'cart');
      const metadata = {
        resourceVersion: String(stage.api.version),
        annotations: { note: 'x'.repeat(8 * 1024 * 1024) },
      };
      const event = { type: 'MODIFIED', object: { ...object, metadata: { ...object.metadata, ...metadata } } };
      const line = `${JSON.stringify(event)}\n`;
      stage.api.fail({ on: 'watch', kind: 'Service', does: 'send', body: line, ending: 'silence' });
      stage.api.write('Service', line);
      stage.change();
    },
    tells: relists('protocol', 'Service'),
  },
  {
    number: 36,
    title: 'characters cut in pieces',
    server: 'sends every octet in a chunk of its own, U+2028 and characters of four octets among them',
    async play(stage) {
      const { api } = stage;
      api.chunkSize = 1;
      await stage.rewatch();
      const object = rawService('shop', 'new', clusterIP('10.96.0.20'));
      const annotations = { note: 'a\u2028b\u2029c\u0085d\re ☃ 𝔘' };
      api.put({ ...object, metadata: { ...object.metadata, annotations } });
      api.remove('Service', 'shop', 'pay');
    },
    tells: events('Service'),
    spares: [relists(), protocolErrors('Service')],
  },
  {
    number: 38,
    title: 'a receiver that throws',
    server: 'does nothing wrong: a fault in fivedots keeps an event from being understood',
    async play(stage) {
      stage.receiverFaults.push(new Error('no room'));
      stage.change();
      await stage.answers('new.shop', '10.96.0.20');
      check(
        stage.lines.some((line) => line.includes('no room')),
        'the log says what was thrown',
      );
    },
    tells: relists('internal', 'Service'),
  },
];
