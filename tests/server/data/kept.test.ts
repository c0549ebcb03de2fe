import test from 'ava';

import { KeptStates } from '../../../server/data/kept.ts';

class State {
  isClosed = false;

  close(): void {
    this.isClosed = true;
  }
}

test('what the next plan asks for is the same state, what it does not ask for is closed', (t) => {
  const kept = new KeptStates();
  const first = kept.begin();
  const cache = first.keep('cache', () => new State());
  const upstreams = first.keep('upstreams', () => new State());
  first.commit();
  const second = kept.begin();
  t.is(
    second.keep('cache', () => new State()),
    cache,
  );
  second.commit();
  t.false(cache.isClosed);
  t.true(upstreams.isClosed);
});

test('a plan that fails closes what it made and nothing else', (t) => {
  const kept = new KeptStates();
  const first = kept.begin();
  const cache = first.keep('cache', () => new State());
  first.commit();
  const second = kept.begin();
  second.keep('cache', () => new State());
  const made = second.keep('upstreams', () => new State());
  second.abandon();
  t.false(cache.isClosed);
  t.true(made.isClosed);
});

test('a plan in use knows nothing of the states before it', (t) => {
  const kept = new KeptStates();
  const first = kept.begin();
  const old = first.keep('cache', () => new State());
  first.commit();
  const second = kept.begin();
  second.commit();
  t.not(
    second.keep('cache', () => new State()),
    old,
  );
});

test('the end closes everything', (t) => {
  const kept = new KeptStates();
  const plan = kept.begin();
  const cache = plan.keep('cache', () => new State());
  plan.commit();
  kept.close();
  t.true(cache.isClosed);
});
