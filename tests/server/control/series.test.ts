/** Counters over the lives of several data threads. */

import test from 'ava';
import fc from 'fast-check';

import { SeriesBook } from '../../../server/control/series.ts';
import { COUNTER_SLOTS, Counters } from '../../../server/counters.ts';

function thread(book: SeriesBook): { counters: Counters; retire: () => void } {
  const memory = new SharedArrayBuffer(8 * COUNTER_SLOTS);
  const { announce, retire } = book.attach(memory);
  return { counters: new Counters(memory, announce), retire };
}

function valuesOf(book: SeriesBook): Record<string, readonly number[]> {
  return Object.fromEntries(
    book.samples().map(({ metric, labels, values }) => [`${metric}${JSON.stringify(labels)}`, values]),
  );
}

test('what an ended thread counted stays; its gauges go', (t) => {
  const book = new SeriesBook();
  const first = thread(book);
  first.counters.counter('queries', { server: 'a' }).add(3);
  first.counters.gauge('entries').set(7);
  first.counters.histogram('seconds', [1, 2]).observe(1.5);
  t.deepEqual(valuesOf(book), { 'queries{"server":"a"}': [3], 'entries{}': [7], 'seconds{}': [0, 1, 0, 1.5] });

  first.retire();
  t.deepEqual(valuesOf(book), { 'queries{"server":"a"}': [3], 'seconds{}': [0, 1, 0, 1.5] });

  const second = thread(book);
  second.counters.histogram('seconds', [1, 2]).observe(5);
  second.counters.counter('queries', { server: 'a' }).add();
  second.counters.gauge('entries').set(1);
  t.deepEqual(valuesOf(book), { 'queries{"server":"a"}': [4], 'seconds{}': [0, 1, 1, 6.5], 'entries{}': [1] });
  second.retire();
  second.retire();
  t.deepEqual(valuesOf(book), { 'queries{"server":"a"}': [4], 'seconds{}': [0, 1, 1, 6.5] });
});

test('several threads at once are added up', (t) => {
  const book = new SeriesBook();
  const [one, two] = [thread(book), thread(book)];
  one.counters.counter('queries', { b: '2', a: '1' }).add(2);
  two.counters.counter('queries', { a: '1', b: '2' }).add(3);
  t.deepEqual(valuesOf(book), { 'queries{"b":"2","a":"1"}': [5] });
});

test('series that found no room are counted, over the lives of threads', (t) => {
  const book = new SeriesBook();
  const first = thread(book);
  for (let i = 0; i < COUNTER_SLOTS; i++) first.counters.counter('queries', { name: String(i) }).add();
  const lost = book.overflow;
  t.true(lost > 0 && lost < 10);
  first.retire();
  t.is(book.overflow, lost);
  const second = thread(book);
  second.counters
    .histogram(
      'seconds',
      Array.from({ length: COUNTER_SLOTS }, (_, i) => i),
    )
    .observe(1);
  t.is(book.overflow, lost + 1);
});

test('no counter ever goes backwards, whatever threads come and go', (t) => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), name: fc.nat(3), amount: fc.nat(100) }),
    fc.constant({ kind: 'replace' as const }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const book = new SeriesBook();
      let current = thread(book);
      const expected = new Map<string, number>();
      for (const one of steps) {
        if (one.kind === 'replace') {
          current.retire();
          current = thread(book);
        } else {
          const name = `queries_${one.name}`;
          current.counters.counter(name).add(one.amount);
          expected.set(name, (expected.get(name) ?? 0) + one.amount);
        }
        t.deepEqual(new Map(book.samples().map(({ metric, values }) => [metric, values[0]])), expected);
      }
    }),
    { numRuns: 50 },
  );
});
