/** When the control thread gives memory back. */

import test from 'ava';

import { COLLECT_AFTER_EVENT, COLLECT_AFTER_LIST, collectingAfterChanges } from '../../../server/control/garbage.ts';
import { Listing } from '../../../zones/kubernetes/listing.ts';
import type { SourceChange, SourceEvents } from '../../../zones/kubernetes/source.ts';
import { ClusterRecorder } from '../../support/cluster-recorder.ts';
import { namespace } from '../../support/example-cluster.ts';
import { FakeTimers } from '../../support/fake-timers.ts';
import { sourceOptions } from '../../support/source-options.ts';

test('once after lists that come together, and half a minute after events', async (t) => {
  const timers = new FakeTimers();
  const recorder = new ClusterRecorder();
  let count = 0;
  let told: SourceEvents | undefined;
  const open = collectingAfterChanges(
    (_options, events) => {
      told = events;
      return { close: () => {} };
    },
    timers,
    () => void count++,
  );
  await open(sourceOptions(), recorder);
  const list: SourceChange = { verb: 'replace', listing: new Listing('Namespace', [namespace('a')]) };
  told?.change([list]);
  await timers.advance(COLLECT_AFTER_LIST - 1);
  told?.change([{ verb: 'put', object: namespace('b') }, list]);
  await timers.advance(COLLECT_AFTER_LIST - 1);
  t.is(count, 0);
  await timers.advance(1);
  t.is(count, 1);
  for (let i = 0; i < 3; i++) {
    told?.change([{ verb: 'put', object: namespace(`c${i}`) }]);
    await timers.advance(COLLECT_AFTER_EVENT / 3 - 1);
    t.is(count, 1);
  }
  await timers.advance(3);
  t.is(count, 2, 'events that go on do not put it off');
  await timers.advance(10 * COLLECT_AFTER_EVENT);
  t.is(count, 2, 'nor is anything done where nothing came');
  t.is(recorder.batches.length, 5, 'everything is passed on');
});
