/** Readiness and liveness pages. */

import test from 'ava';

import { healthPage } from '../../../server/control/health.ts';
import { Readiness } from '../../../server/control/ready.ts';

function stage(): { readiness: Readiness; state: { isAnswering: boolean; usable: Set<string> }; lines: string[] } {
  const state = { isAnswering: true, usable: new Set<string>() };
  const missing = (cluster: string): string[] =>
    state.usable.has(cluster) ? [] : [`${cluster}: Service to come`, 'why'];
  const lines: string[] = [];
  const readiness = new Readiness({
    isAnswering: () => state.isAnswering,
    isUsable: (cluster) => state.usable.has(cluster),
    missing,
    log: (level, source, text) => void lines.push(`${level} ${source}: ${text}`),
  });
  return { readiness, state, lines };
}

test('ready: 503 with the names of what is missing, sorted, and below them why; then 200 OK', (t) => {
  const { readiness, state } = stage();
  state.isAnswering = false;
  t.like(readiness.page(['a', 'b'], 'until-ready'), {
    status: 503,
    body: 'dns,kubernetes\na: Service to come\nwhy\nb: Service to come\nwhy',
  });
  state.isAnswering = true;
  state.usable.add('a');
  t.like(readiness.page(['a', 'b'], 'until-ready'), {
    status: 503,
    body: 'kubernetes\nb: Service to come\nwhy',
  });
  state.usable.add('b');
  t.like(readiness.page(['a', 'b'], 'until-ready'), { status: 200, body: 'OK' });
});

test('ready: what a server has said of itself is one line, and not a long one', (t) => {
  const readiness = new Readiness({
    isAnswering: () => true,
    isUsable: () => false,
    missing: () => ["not in cert's CN: evil\nOK\x1b[2J\u202e", 'x'.repeat(1_000_000)],
    log: () => {},
  });
  const [names, first, second = '', ...more] = readiness.page(['a'], 'until-ready').body.split('\n');
  t.deepEqual([names, first, more], ['kubernetes', "not in cert's CN: evil\\x0aOK\\x1b[2J\\u202e", []]);
  t.true(second.length < 10_000);
});

test('ready without a cluster is ready when queries are answered', (t) => {
  const { readiness, state } = stage();
  t.is(readiness.page([], 'until-ready').status, 200);
  state.isAnswering = false;
  t.is(readiness.page([], 'until-ready').status, 503);
});

test('ready: what was ready once is not asked again, unless it is to be monitored continuously', (t) => {
  const { readiness, state } = stage();
  state.usable.add('a');
  t.is(readiness.page(['a'], 'until-ready').status, 200);
  t.is(readiness.page(['new'], 'until-ready').status, 200);
  t.is(readiness.page(['new'], 'continuously').status, 503);
});

test('ready: a block without a cluster does not make one with a cluster ready', (t) => {
  const { readiness } = stage();
  t.is(readiness.page([], 'until-ready').status, 200);
  t.is(readiness.page(['a'], 'until-ready').status, 503);
});

test('ready: a server that leaves is not ready, though it answers', (t) => {
  const { readiness } = stage();
  readiness.leave();
  t.like(readiness.page([], 'until-ready'), { status: 503, body: 'shutting down' });
});

test('ready: what is missing is logged when it changes, not for each probe', (t) => {
  const { readiness, state, lines } = stage();
  for (let i = 0; i < 5; i++) readiness.page(['a'], 'until-ready');
  state.isAnswering = false;
  readiness.page(['a'], 'until-ready');
  t.deepEqual(lines, [
    'info plugin/ready: Plugins not ready: "kubernetes"',
    'info plugin/ready: Plugins not ready: "dns,kubernetes"',
  ]);
});

test('health: OK as long as queries are answered', (t) => {
  t.like(healthPage(true), { status: 200, body: 'OK' });
  t.is(healthPage(false).status, 503);
});
