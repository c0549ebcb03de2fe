import test from 'ava';

import { Counters, OVERFLOW_SLOT, type Series } from '../../server/counters.ts';

function counting(slots: number) {
  const memory = new SharedArrayBuffer(slots * Float64Array.BYTES_PER_ELEMENT);
  const announced: Series[] = [];
  return {
    counters: new Counters(memory, (series) => announced.push(series)),
    announced,
    slots: new Float64Array(memory),
  };
}

test('the same metric with the same labels, in any order, is one series and is announced once', (t) => {
  const { counters, announced, slots } = counting(8);
  counters.counter('queries', { zone: '.', type: 'A' }).add();
  counters.counter('queries', { type: 'A', zone: '.' }).add(2);
  counters.counter('queries', { type: 'AAAA', zone: '.' }).add();
  t.deepEqual(
    announced.map(({ slot }) => slots[slot]),
    [3, 1],
  );
});

test('a histogram counts each value in the first bucket that holds it, then the sum', (t) => {
  const { counters, announced, slots } = counting(8);
  const histogram = counters.histogram('size', [1, 10]);
  for (const value of [0, 1, 2, 10, 11]) histogram.observe(value);
  const slot = announced[0]?.slot ?? -1;
  t.deepEqual([...slots.subarray(slot, slot + 4)], [2, 2, 1, 24]);
});

test('series that find no room are counted as lost, whatever kind they are, and disturb nobody', (t) => {
  const { counters, announced, slots } = counting(3);
  const first = counters.counter('first');
  first.add(5);
  counters.counter('second').add();
  counters.gauge('third').set(1_000);
  counters.gauge('third').set(0);
  counters.histogram('fourth', [1, 2]).observe(7);
  t.is(slots[OVERFLOW_SLOT], 4);
  t.deepEqual(
    announced.map(({ metric, slot }) => [metric, slots[slot]]),
    [['first', 5]],
  );
});
