import test from 'ava';

import { Consolidation, type ConsolidationRule } from '../../../server/plugins/consolidation.ts';
import { patternFrom } from '../../../server/plugins/pattern.ts';
import type { Schedule } from '../../../server/timer.ts';
import type { Milliseconds } from '../../../zones/units.ts';

/** A rule with a period of one minute. */
function rule(text: string, changes: Partial<ConsolidationRule> = {}): ConsolidationRule {
  const pattern = patternFrom({ text, position: { file: 'Corefile', line: 1, column: 1 } });
  return { period: 60_000, periodText: '1m', pattern, level: 'error', showFirst: false, ...changes };
}

/** Rules under a clock that is turned by hand. */
function start(...rules: readonly ConsolidationRule[]): {
  readonly consolidation: Consolidation;
  readonly lines: readonly string[];
  readonly timers: () => number;
  readonly pass: (span: Milliseconds) => void;
} {
  let now: Milliseconds = 0;
  const timers = new Map<number, { readonly due: Milliseconds; readonly run: () => void }>();
  let next = 0;
  const schedule: Schedule = (delay, run) => {
    const id = next++;
    timers.set(id, { due: now + delay, run });
    return () => void timers.delete(id);
  };
  const lines: string[] = [];
  return {
    consolidation: new Consolidation(
      rules,
      (level, source, text) => void lines.push(`${level} ${source} ${text}`),
      schedule,
    ),
    lines,
    timers: () => timers.size,
    pass(span) {
      now += span;
      for (const [id, { due, run }] of timers) {
        if (due > now) continue;
        timers.delete(id);
        run();
      }
    },
  };
}

// CoreDNS plugin/errors, consolidate.
test('a fault that no pattern fits is logged at once, as an error', (t) => {
  const { consolidation, lines, timers } = start(rule('timeout', { level: 'warning' }));
  consolidation.report('refused', '2 a. A: refused');
  t.deepEqual(lines, ['error plugin/errors 2 a. A: refused']);
  t.is(timers(), 0);
});

test('faults are counted until the period after the first one ends, then summed up', (t) => {
  const { consolidation, lines, pass } = start(rule('time.ut$', { level: 'warning' }));
  consolidation.report('timeout', 'first');
  pass(59_999);
  consolidation.report('i/o timeout', 'second');
  t.deepEqual(lines, []);
  pass(1);
  t.deepEqual(lines, ["warning plugin/errors 2 errors like 'time.ut$' occurred in last 1m"]);
});

test('a period without faults writes nothing, and the next fault begins a new one', (t) => {
  const { consolidation, lines, timers, pass } = start(rule('timeout'));
  consolidation.report('timeout', 'first');
  pass(60_000);
  pass(3_600_000);
  t.is(lines.length, 1);
  t.is(timers(), 0);
  consolidation.report('timeout', 'second');
  pass(60_000);
  t.is(lines.at(-1), "error plugin/errors 1 errors like 'timeout' occurred in last 1m");
});

test('the first pattern that fits counts, the others do not', (t) => {
  const { consolidation, lines, pass } = start(rule('b'), rule('a'), rule('ab'));
  for (const fault of ['ab', 'a', 'b']) consolidation.report(fault, fault);
  pass(60_000);
  t.deepEqual(lines, [
    "error plugin/errors 2 errors like 'b' occurred in last 1m",
    "error plugin/errors 1 errors like 'a' occurred in last 1m",
  ]);
});

test('show_first: the first one is logged at the level of the rule, and summed up with the others', (t) => {
  const { consolidation, lines, pass } = start(rule('timeout', { level: 'info', showFirst: true }));
  consolidation.report('timeout', '2 a. A: timeout');
  t.deepEqual(lines, ['info plugin/errors 2 a. A: timeout']);
  consolidation.report('timeout', '2 b. A: timeout');
  pass(60_000);
  t.deepEqual(lines.slice(1), ["info plugin/errors 2 errors like 'timeout' occurred in last 1m"]);
});

test('show_first: no summary of one alone', (t) => {
  const { consolidation, lines, pass } = start(rule('timeout', { showFirst: true }));
  consolidation.report('timeout', '2 a. A: timeout');
  pass(60_000);
  t.is(lines.length, 1);
  consolidation.report('timeout', '2 b. A: timeout');
  t.is(lines.length, 2);
});

test('a million faults are one timer and one line', (t) => {
  const { consolidation, lines, timers, pass } = start(rule('timeout'));
  for (let i = 0; i < 1_000_000; i++) consolidation.report('timeout', 'line');
  t.is(timers(), 1);
  pass(60_000);
  t.deepEqual(lines, ["error plugin/errors 1000000 errors like 'timeout' occurred in last 1m"]);
});

test('at the end what was counted is summed up, no timer is left, and later faults are logged at once', (t) => {
  const { consolidation, lines, timers, pass } = start(rule('a'), rule('b', { showFirst: true }), rule('c'));
  for (const fault of ['a', 'a', 'b']) consolidation.report(fault, fault);
  consolidation.close();
  t.deepEqual(lines, ['error plugin/errors b', "error plugin/errors 2 errors like 'a' occurred in last 1m"]);
  t.is(timers(), 0);
  consolidation.report('a', '2 x. A: a');
  t.is(lines.at(-1), 'error plugin/errors 2 x. A: a');
  t.is(timers(), 0);
  pass(3_600_000);
  t.is(lines.length, 3);
});
