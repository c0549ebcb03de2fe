import { availableParallelism } from 'node:os';

import test from 'ava';

import { multisocket, THREADS_MAX } from '../../../server/plugins/multisocket.ts';
import { faultOf, optionsFrom } from '../../support/directive.ts';

for (const { text, threads, wanted } of [
  { text: 'multisocket', threads: Math.min(availableParallelism(), THREADS_MAX), wanted: undefined },
  { text: 'multisocket 1', threads: 1, wanted: undefined },
  { text: 'multisocket 16', threads: 16, wanted: undefined },
  { text: 'multisocket 1024', threads: THREADS_MAX, wanted: 1_024 },
]) {
  test(`${text}: ${wanted === undefined ? 'so many' : 'the most there can be'}`, (t) => {
    t.deepEqual(optionsFrom(multisocket, text), { threads, wanted });
  });
}

const NUMBER = 'expected a whole number from 1 to 1024';

for (const { text, expected } of [
  { text: 'multisocket 0', expected: `Corefile:2:13: found "0", ${NUMBER}` },
  { text: 'multisocket 1025', expected: `Corefile:2:13: found "1025", ${NUMBER}` },
  { text: 'multisocket two', expected: `Corefile:2:13: found "two", ${NUMBER}` },
  {
    text: 'multisocket 2 3',
    expected: 'Corefile:2:15: found "3", expected the end of the line: multisocket [NUMBER]',
  },
  {
    text: 'multisocket {\n 2\n}',
    expected: 'Corefile:3:2: found "2", expected no options: "multisocket" has none',
  },
]) {
  test(`${JSON.stringify(text)} is refused`, (t) => {
    t.is(faultOf(multisocket, text), expected);
  });
}
