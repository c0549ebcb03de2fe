/** Faults of large clusters: much to list, and much that changes at once. */

import { rawNamespace, rawService, rawSlice } from '../support/raw-objects.ts';
import { CHANGES, type FaultCase } from './fault-case.ts';
import { events, relists } from './figures.ts';
import { clusterIP, type Stage } from './stage.ts';

/** Of which each fourth object is one. */
const SERVICES = 10_000;

function fillServices({ api }: Stage): void {
  api.put(rawNamespace('many'));
  for (let i = 0; i < SERVICES; i++) api.put(rawService('many', `s${i}`, clusterIP('10.97.0.1')));
}

function fillSlices({ api }: Stage): void {
  for (let i = 0; i < 4 * SERVICES; i++) {
    const address = `10.${128 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`;
    api.put(rawSlice('many', `s${i % SERVICES}`, String(i), [{ address }]));
  }
}

export const SIZE: readonly FaultCase[] = [
  {
    number: 25,
    title: '10,000 objects and 2,000 changes at once',
    server: 'sends them as fast as it can',
    start: 'cold',
    api: { history: 20_000 },
    prepare: fillServices,
    async play(stage) {
      const { api } = stage;
      await stage.synced();
      for (let i = 0; i < 1000; i++) api.put(rawService('many', `t${i}`, clusterIP('10.97.0.2')));
      for (let i = 0; i < 1000; i++) api.remove('Service', 'many', `s${i}`);
      stage.change();
    },
    asks: [
      ...CHANGES,
      { name: 's0.many', answers: ['10.97.0.1', 'NXDOMAIN'] },
      { name: 's1000.many', answers: ['10.97.0.1'] },
      { name: 't999.many', answers: ['NXDOMAIN', '10.97.0.2'] },
    ],
    tells: events('Service'),
    spares: [relists()],
  },
  {
    number: 37,
    title: '50,000 objects are listed again',
    server: 'was away, and has forgotten the history of 10,000 Services and 40,000 EndpointSlices',
    api: { history: 100_000 },
    prepare(stage) {
      fillServices(stage);
      fillSlices(stage);
    },
    async play(stage) {
      const { api } = stage;
      await api.down();
      stage.change();
      api.put(rawSlice('shop', 'db', 'b', [{ address: '10.0.0.2' }]));
      api.compact();
      await api.up();
    },
    asks: [
      ...CHANGES,
      { name: 'db.shop', answers: ['10.0.0.1', '10.0.0.1 10.0.0.2'] },
      { name: 's9999.many', answers: ['10.97.0.1'] },
    ],
    tells: relists('expired', 'EndpointSlice'),
    note: 'the largest delay is printed and decides nothing',
  },
];
