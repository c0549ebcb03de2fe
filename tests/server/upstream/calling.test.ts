import test from 'ava';

import { Calling } from '../../../server/upstream/calling.ts';

test('all who listen are told once, also if they leave meanwhile', (t) => {
  const calling = new Calling();
  const told: string[] = [];
  const leaving = (): void => {
    told.push('first');
    calling.removeEventListener('abort', leaving);
  };
  calling.addEventListener('abort', leaving);
  calling.addEventListener('abort', () => told.push('second'));
  t.false(calling.aborted);
  calling.abort();
  calling.abort();
  t.true(calling.aborted);
  t.deepEqual(told, ['first', 'second']);
});

test('who has left is not told', (t) => {
  const calling = new Calling();
  const left = (): void => t.fail();
  calling.addEventListener('abort', () => t.pass());
  calling.addEventListener('abort', left);
  calling.removeEventListener('abort', left);
  calling.removeEventListener('abort', left);
  calling.abort();
});
