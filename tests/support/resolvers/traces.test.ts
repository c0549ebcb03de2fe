/** The models of resolvers ask what the real ones were recorded to ask, in that order, and make the same of it. */

import { readdirSync, readFileSync } from 'node:fs';

import test from 'ava';

import { C_ARES } from './c-ares.ts';
import { DIG_SEARCH, NSLOOKUP } from './bind-tools.ts';
import { GLIBC } from './glibc.ts';
import { GO } from './go.ts';
import { MUSL, OLD_MUSL } from './musl.ts';
import { BOTH_TYPES, play, type Resolver } from './resolver.ts';
import { presentOutcome, presentQuestion, traceFrom } from './trace.ts';

const FOLDER = 'fixtures/resolver-traces';

/** By the client's name in the recordings; Node's dns.lookup calls glibc. */
const MODELS: ReadonlyMap<string, Resolver> = new Map([
  ['glibc', GLIBC],
  ['glibc (Node)', GLIBC],
  ['musl 1.2.5', MUSL],
  ['musl 1.2.3', OLD_MUSL],
  ['Go', GO],
  ['c-ares', C_ARES],
  ['dig +search', DIG_SEARCH],
  ['nslookup', NSLOOKUP],
]);

for (const file of readdirSync(FOLDER).filter((each) => each.endsWith('.txt'))) {
  const trace = traceFrom(readFileSync(`${FOLDER}/${file}`, 'utf8'));
  for (const [client, recorded] of trace.clients) {
    test(`${client} is as it was recorded: ${file}`, async (t) => {
      const model = MODELS.get(client);
      if (model === undefined) throw new Error(`there is no model of ${client}`);
      const rounds: (readonly string[])[] = [];
      const { outcome } = await play(model.lookUp(trace.conf, trace.name, BOTH_TYPES), (questions) => {
        rounds.push(questions.map(presentQuestion));
        return Promise.resolve(questions.map(trace.said));
      });
      t.is(presentOutcome(outcome), recorded.outcome);
      // What goes out together from several sockets arrives in any order.
      const isInOrder = model !== GO && trace.conf.servers === 1;
      const recordedRounds = inRounds(recorded.asked, rounds);
      t.deepEqual(isInOrder ? rounds : rounds.map(sorted), isInOrder ? recordedRounds : recordedRounds.map(sorted));
    });
  }
}

/** The recorded questions in groups of the model's sizes; those left over are one more. */
function inRounds(asked: readonly string[], rounds: readonly (readonly string[])[]): readonly (readonly string[])[] {
  let at = 0;
  const groups = rounds.map(({ length }) => asked.slice(at, (at += length)));
  return at < asked.length ? [...groups, asked.slice(at)] : groups;
}

function sorted(questions: readonly string[]): readonly string[] {
  return questions.toSorted();
}
