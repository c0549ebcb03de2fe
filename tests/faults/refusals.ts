/** Servers that are not there, do not let us in, or have no time. */

import { rawSlice } from '../support/raw-objects.ts';
import { CHANGES, type FaultCase } from './fault-case.ts';
import { reconnects, relists, replies } from './figures.ts';
import { certificate, check, labelled, TOKEN, type Stage } from './stage.ts';

/** How many are followed: Namespaces, Services, EndpointSlices. */
const KINDS = 3;

async function refused(
  stage: Stage,
  status: 429,
  how: { headers: Record<string, string>; body?: string },
): Promise<void> {
  stage.api.fail({ on: 'watch', kind: 'Service', does: 'status', status, ...how });
  await stage.rewatch();
  stage.change();
  await stage.answers('new.shop', '10.96.0.20');
}

export const REFUSALS: readonly FaultCase[] = [
  {
    number: 12,
    title: '429 with a Status',
    server: 'has too much to do and says when to come again: Retry-After 10 (API priority and fairness)',
    async play(stage) {
      await refused(stage, 429, { headers: { 'Retry-After': '10' } });
      check(stage.time.pauses.join() === '11000', 'ten seconds and a little');
    },
    tells: replies('429'),
    spares: [relists()],
  },
  {
    number: 34,
    title: '429 as plain text',
    server: 'shuts down: Retry-After 5, Connection: close, no Status (filters/with_retry_after.go)',
    async play(stage) {
      const body = 'The apiserver is shutting down, please try again later.';
      await refused(stage, 429, { headers: { 'Retry-After': '5', Connection: 'close' }, body });
      check(stage.time.pauses.join() === '5500', 'five seconds and a little');
    },
    tells: reconnects('refused', 'Service'),
    spares: [relists()],
  },
  {
    number: 13,
    title: 'a token is rotated',
    server: 'no longer takes the old token; the new one is in its file',
    async play(stage) {
      await stage.rotateToken('another token');
      stage.api.token = 'another token';
      await stage.rewatch();
      stage.change();
      await stage.answers('new.shop', '10.96.0.20');
      check(stage.time.pauses.length === 0, 'no pause');
    },
    tells: replies('401'),
    spares: [relists()],
  },
  {
    number: 14,
    title: 'credentials that stay refused',
    server: 'answers 401 again and again',
    async play(stage) {
      stage.api.token = 'nobody has it';
      stage.api.endWatches();
      await stage.until('ten refusals', async () => (await stage.value(replies('401'))) >= 10);
      const { pauses } = stage.time;
      check(
        pauses.every((pause) => pause >= 800 && pause <= 60_000),
        `pauses between 0.8 and 60 s, not ${pauses.join()}`,
      );
      stage.change();
      stage.api.token = TOKEN;
    },
    tells: reconnects('refused', 'Service'),
    spares: [relists()],
  },
  {
    number: 15,
    title: 'a storm of 5xx',
    server: 'or its load balancer answers 500, 503, 504, 502, 500',
    async play(stage) {
      for (const status of [500, 503, 504, 502, 500]) {
        stage.api.fail({ on: 'watch', kind: 'Service', does: 'status', status });
      }
      await stage.rewatch();
      stage.change();
    },
    tells: reconnects('refused', 'Service'),
    spares: [relists()],
  },
  {
    number: 23,
    title: 'a private CA',
    server: 'has a certificate of another CA than ca.crt, then the right one',
    start: 'cold',
    async prepare({ api }) {
      api.tls = await certificate('other-server');
      await api.down();
      await api.up();
    },
    async play(stage) {
      const { api } = stage;
      await stage.until('six refusals', async () => (await stage.value(replies('<error>'))) >= 6);
      check(api.log.length === 0, 'no request, and so no token, over a connection that nobody vouches for');
      check((await stage.get('/ready')).status === 503, '/ready is 503');
      await api.down();
      api.tls = await certificate('server');
      await api.up();
      await stage.synced();
      stage.change();
    },
    tells: relists('unreachable', 'Service'),
  },
  {
    number: 27,
    title: 'a CA is rotated',
    server: 'comes back with a certificate of a new CA, which is in ca.crt only later',
    async play(stage) {
      const { api } = stage;
      await api.down();
      api.tls = await certificate('other-server');
      await api.up();
      stage.change();
      const before = await stage.value(replies('<error>'));
      await stage.until('refusals', async () => (await stage.value(replies('<error>'))) >= before + 6);
      await stage.rotateCa('other-ca');
    },
    tells: reconnects('unreachable', 'Service'),
    spares: [relists()],
  },
  {
    number: 28,
    title: 'the token is missing for a while',
    server: 'takes the old token while its file is away, then only the new one, then the file is there',
    async play(stage) {
      await stage.removeToken();
      stage.time.advance(61_000);
      await stage.rewatch();
      await stage.beat();
      stage.api.token = 'another token';
      await stage.rewatch();
      stage.change();
      await stage.until('word of it', () => stage.lines.some((line) => line.includes('token cannot be read')));
      await stage.rotateToken('another token');
    },
    tells: reconnects('credentials', 'Service'),
    spares: [relists()],
  },
  {
    number: 39,
    title: 'one resource is forbidden',
    server: 'answers 403 for EndpointSlices only',
    async play(stage) {
      const { api } = stage;
      api.forbidden.add('endpointslices');
      await stage.rewatch('EndpointSlice');
      stage.change();
      api.put(labelled(rawSlice('shop', 'db', 'b', [{ address: '10.0.0.2' }])));
      for (const { name, answers } of CHANGES) await stage.answers(name, answers.at(-1) ?? '');
      check((await stage.answer('db.shop')) === '10.0.0.1', 'the last known slices are answered');
      check(
        stage.lines.some((line) => line.includes('resources: ["endpointslices"]')),
        'the log says which right is missing',
      );
      api.forbidden.clear();
    },
    asks: [...CHANGES, { name: 'db.shop', answers: ['10.0.0.1', '10.0.0.1 10.0.0.2'] }],
    tells: reconnects('refused', 'EndpointSlice'),
    spares: [relists()],
  },
  {
    number: 41,
    title: 'not there at the start',
    server: 'is down when fivedots starts',
    start: 'cold',
    prepare: ({ api }) => api.down(),
    async play(stage) {
      check((await stage.answer('cart.shop')) === 'SERVFAIL', 'names of the cluster are SERVFAIL');
      await stage.until('word of it', () => stage.lines.some((line) => line.includes('cannot reach the API server')));
      const { status, body } = await stage.get('/ready');
      check(status === 503 && body.startsWith('kubernetes'), `/ready is 503 kubernetes, not ${status} ${body}`);
      await stage.api.up();
      await stage.synced();
      stage.change();
    },
    asks: [...CHANGES, { name: 'example.org.', answers: ['NODATA'] }],
    tells: relists('unreachable', 'Service'),
  },
  {
    number: 42,
    title: 'pauses and their bounds',
    server: 'refuses connections for as long as eight attempts take',
    async play(stage) {
      const { api, time } = stage;
      time.hold();
      await api.down();
      for (let attempt = 0; attempt < 8; attempt++) {
        await stage.until(`pause ${attempt} of each kind`, () => time.held === KINDS);
        const least = Math.min(30_000, 800 * 2 ** attempt);
        const pauses = time.pauses.slice(-KINDS);
        check(
          pauses.every((pause) => pause >= least && pause <= 2 * least),
          `pauses from ${least} to twice that, not ${pauses.join()}`,
        );
        time.chance = attempt % 2 === 0 ? 0.999_999 : 0;
        time.release();
        if (attempt < 7) time.hold();
      }
      await api.up();
      stage.change();
    },
    tells: reconnects('unreachable', 'Service'),
    spares: [relists()],
    note: 'the pauses are seen on the clock; queries show that nothing else changes',
  },
];
