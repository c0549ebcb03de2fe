/** What a plan asks of the control thread: how many data threads. */

import test from 'ava';

import { ownPlanOf } from '../../../server/control/own-plan.ts';
import { planOf } from '../../../server/control/planner.ts';
import { plugins } from '../../../server/plugins/order.ts';
import { corefileOf } from '../../support/corefile.ts';

/** A block for each of the words. */
function threadsFor(...words: readonly string[]): { readonly threads: number; readonly warnings: readonly string[] } {
  const text = words.map((word, i) => `example${i}.org {\n ${word}\n whoami\n}\n`).join('');
  const { blocks } = corefileOf({ Corefile: text });
  const { threads, warnings } = ownPlanOf(planOf(blocks, { defaultPort: 53, plugins }), plugins);
  return { threads, warnings: warnings.map(({ plugin, text: said }) => `${plugin}: ${said}`) };
}

test('one data thread without the word, else as many as a block asks for', (t) => {
  t.deepEqual(threadsFor(''), { threads: 1, warnings: [] });
  t.deepEqual(threadsFor('multisocket 3'), { threads: 3, warnings: [] });
  t.deepEqual(threadsFor('', 'multisocket 3', 'multisocket 3', ''), { threads: 3, warnings: [] });
});

test('blocks that ask for different numbers get the largest, with a warning', (t) => {
  t.deepEqual(threadsFor('multisocket 2', 'multisocket 4', ''), {
    threads: 4,
    warnings: ['multisocket: the blocks ask for different numbers; 4 data threads serve all of them'],
  });
});

test('more than the most there can be is that, with a warning', (t) => {
  t.deepEqual(threadsFor('multisocket 17'), {
    threads: 16,
    warnings: ['multisocket: 17 data threads are asked for; 16 is the most there can be'],
  });
});
