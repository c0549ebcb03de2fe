import { setImmediate } from 'node:timers/promises';

import test from 'ava';

import type { CallOff } from '../../../server/upstream/calling.ts';
import { staggered, type Attempt } from '../../../server/upstream/staggered.ts';

type Scripted = Attempt<string> & { readonly signal: () => CallOff | undefined; slowCalls: number };

/** An attempt that ends as it is told; undefined waits until it is called off. */
function scripted(outcome: string | Error | Promise<string> | undefined): Scripted {
  let given: CallOff | undefined;
  const attempt: Scripted = {
    slowCalls: 0,
    signal: () => given,
    slow: () => void attempt.slowCalls++,
    failed: () => {},
    run: (signal) => {
      given = signal;
      if (outcome === undefined)
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('called off'))));
      return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
    },
  };
  return attempt;
}

function ask(
  script: readonly Scripted[],
  verdicts: Readonly<Record<string, 'spare' | 'again'>> = {},
  stagger = 1,
  limit = LONG,
): Promise<string> {
  const left = [...script];
  return staggered(
    {
      next: () => left.shift(),
      judge: (reply) => verdicts[reply] ?? 'final',
      nothing: () => new Error('nothing'),
      limit,
    },
    stagger,
  );
}

const LONG = 1_000_000;

test('one that answers at once is the only one asked', async (t) => {
  const second = scripted('second');
  t.is(await ask([scripted('first'), second], {}, LONG), 'first');
  t.is(second.signal(), undefined);
});

test('one that fails is followed at once', async (t) => {
  t.is(await ask([scripted(new Error('gone')), scripted('second')], {}, LONG), 'second');
});

test('one that is silent gets company, and is called off when another answers', async (t) => {
  const silent = scripted(undefined);
  t.is(await ask([silent, scripted('second')]), 'second');
  t.is(silent.slowCalls, 1);
  t.true(silent.signal()?.aborted);
});

test('a spare reply waits for those that still run, not for new ones', async (t) => {
  const { promise, resolve: answer } = Promise.withResolvers<string>();
  const slow = scripted(promise);
  const lame = scripted('lame');
  const third = scripted('third');
  const reply = ask([slow, lame, third], { lame: 'spare' });
  while (lame.signal() === undefined) await setImmediate();
  answer('good');
  t.is(await reply, 'good');
  t.is(third.signal(), undefined);
});

test('a spare reply is the answer when nobody else runs', async (t) => {
  t.is(await ask([scripted('lame'), scripted('second')], { lame: 'spare' }, LONG), 'lame');
});

test('a spare reply is the answer when the others fail', async (t) => {
  const { promise, reject: fail } = Promise.withResolvers<string>();
  const failing = scripted(promise);
  const lame = scripted('lame');
  const reply = ask([failing, lame], { lame: 'spare' });
  while (lame.signal() === undefined) await setImmediate();
  fail(new Error('silence'));
  t.is(await reply, 'lame');
});

test('after a reply that asks for another, the next one is started; the last of them is the answer', async (t) => {
  t.is(await ask([scripted('a'), scripted('b')], { a: 'again' }, LONG), 'b');
  t.is(await ask([scripted('a'), scripted('b')], { a: 'again', b: 'again' }, LONG), 'b');
});

test('after a reply that asks for another, a failure or silence is followed too; a spare reply ends that', async (t) => {
  const verdicts = { a: 'again', lame: 'spare' } as const;
  t.is(await ask([scripted('a'), scripted(new Error('gone')), scripted('c')], verdicts, LONG), 'c');
  t.is(await ask([scripted('a'), scripted(undefined), scripted('c')], verdicts), 'c');
  const never = scripted('d');
  const { promise, reject: fail } = Promise.withResolvers<string>();
  const lame = scripted('lame');
  const reply = ask([scripted('a'), scripted(promise), lame, never], verdicts);
  while (lame.signal() === undefined) await setImmediate();
  fail(new Error('gone'));
  t.is(await reply, 'lame');
  t.is(never.signal(), undefined);
});

test('with no reply at all the last error is thrown, and without any attempt what was given for that', async (t) => {
  await t.throwsAsync(ask([scripted(new Error('one')), scripted(new Error('two'))]), { message: 'two' });
  await t.throwsAsync(ask([]), { message: 'nothing' });
});

test('all of it has an end, even if those that run have none', async (t) => {
  const silent = scripted(undefined);
  const reply = ask([scripted(new Error('gone')), silent], {}, LONG, 5);
  await t.throwsAsync(reply, { message: 'gone' });
  t.true(silent.signal()?.aborted);
});
