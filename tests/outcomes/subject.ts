/**
 * A server in place, and the questions of resolvers as messages to it. Whoever waits is told at once what comes of it: the clock stands still during
 * a look-up, for both servers' caches must be equally old.
 */

import { setImmediate } from 'node:timers/promises';

import { planOf } from '../../server/control/planner.ts';
import { routesOf, type Routes } from '../../server/data/block.ts';
import { ExpressLane } from '../../server/data/express/express-lane.ts';
import { eitherLane } from '../../server/data/lanes.ts';
import { Server } from '../../server/data/serve.ts';
import { transparent } from '../../server/pipeline.ts';
import { autopathAt } from '../../server/plugins/autopath.ts';
import { loadbalanceBy } from '../../server/plugins/loadbalance.ts';
import { plugins, type AnyPlugin } from '../../server/plugins/order.ts';
import type { ClusterStore } from '../../zones/kubernetes/store/store.ts';
import { nameFrom } from '../../zones/name.ts';
import type { Count, Milliseconds } from '../../zones/units.ts';
import { corefileOf } from '../support/corefile.ts';
import { TEST_PEER, testContext } from '../support/plugin-context.ts';
import { asked, encodeQuery } from '../support/query.ts';
import { readReply } from '../support/reply.ts';
import type { Ask, Question, Said } from '../support/resolvers/resolver.ts';
import type { Outside } from './outside.ts';

/** Of walks. It ends before what is slow answers, and that before clients no longer wait. */
const PATIENCE: Milliseconds = 500;

export type Subject = {
  readonly ask: Ask;
  /** Lets time pass; nobody asks meanwhile, and the outside has said all that it will. */
  readonly pause: (span: Milliseconds) => Promise<void>;
  /** Of a metric, over all labels. */
  readonly total: (metric: string) => Count;
};

export type SubjectOptions = {
  readonly corefile: string;
  readonly store: ClusterStore;
  readonly outside: Outside;
  readonly nodeDomains: readonly string[];
};

export function subjectFor({ corefile, store, outside, nodeDomains }: SubjectOptions): Subject {
  const { context, series, pass } = testContext();
  const { clock, counters, log } = context;
  const timers = new Set<() => void>();
  const autopath = autopathAt({
    nodeDomains: () => nodeDomains.map(nameFrom),
    patience: PATIENCE,
    schedule: (_, run) => {
      timers.add(run);
      return () => timers.delete(run);
    },
  });
  const forward: AnyPlugin = {
    name: 'forward',
    parse: () => undefined,
    layer: () => transparent(() => outside.reply),
  };
  const loadbalance = loadbalanceBy((below) => below - 1);
  const replaced = [autopath as AnyPlugin, loadbalance as AnyPlugin, forward];
  const known = new Map([...plugins, ...replaced.map((plugin) => [plugin.name, plugin] as const)]);
  const server = new Server(clock, log, counters);
  const plan = planOf(corefileOf({ Corefile: corefile }).blocks, { defaultPort: 53, plugins: known });
  const [routes] = routesOf(
    plan,
    known,
    (block, listener, place) => ({
      ...context,
      ...place,
      block,
      server: listener.server,
      shared: new Map(),
      cluster: () => store,
      resolve: (query) => server.resolve(query, own()),
    }),
    (zones, label) => new ExpressLane({ zones, server: label, counters, clock, tell: server.tell }),
  ).values();
  const own = (): Routes => {
    if (routes?.express === undefined) throw new Error('the Corefile has no listener');
    return routes;
  };
  const answer = eitherLane({
    express: (query, start, end, reply, at, asker) => own().express?.answer(query, start, end, reply, at, asker) ?? 0,
    plain: (packet, peer) => server.serve(packet, peer, own()),
    clock,
  });

  /** Up to the end of everything that needs no more time. */
  const settle = async (): Promise<void> => {
    await setImmediate();
    await setImmediate();
  };
  const afterWhile = async (act: () => void): Promise<void> => {
    act();
    await settle();
  };
  const runTimers = (): void => {
    for (const run of timers) run();
    timers.clear();
  };

  let id = 0;
  const one = async (question: Question): Promise<Said> => {
    id = (id + 1) & 0xffff;
    const edns =
      question.payloadSize === undefined
        ? undefined
        : { payloadSize: question.payloadSize, version: 0, dnssecOk: false, reserved: 0, options: [] };
    const reply = await answer(encodeQuery(id, asked(question.name, question.type, { edns })), {
      ...TEST_PEER,
      protocol: question.protocol,
    });
    if (!Buffer.isBuffer(reply)) throw new Error('not one reply');
    return saidFrom(reply);
  };

  return {
    async ask(questions) {
      const said: (Said | undefined)[] = questions.map(() => undefined);
      let left = questions.length;
      let isOver = false;
      const all = Promise.all(
        questions.map(async (question, i) => {
          const reply = await one(question);
          if (isOver) return;
          said[i] = reply;
          left--;
        }),
      );
      await settle();
      if (left > 0) await afterWhile(runTimers);
      if (left > 0) await afterWhile(() => outside.answerSlow());
      isOver = true;
      if (left > 0) await afterWhile(() => outside.giveUp());
      await all;
      return said;
    },
    async pause(span) {
      runTimers();
      outside.giveUp();
      await settle();
      pass(span);
    },
    total(metric) {
      let sum = 0;
      for (const [row, [value = 0]] of series()) if (row.startsWith(`${metric}{`)) sum += value;
      return sum;
    },
  };
}

function saidFrom(octets: Buffer): Said {
  const { rcode, flags, answer } = readReply(octets);
  return {
    rcode: rcode as Said['rcode'], // others do not happen here, and resolvers would take them for faults
    truncated: flags.has('tc'),
    isReferral: !flags.has('aa') && !flags.has('ra'),
    answer: answer.map(({ owner, type, rdata }) => ({
      owner: withoutDot(owner),
      type,
      rdata: type === 'CNAME' ? withoutDot(rdata) : rdata,
    })),
  };
}

function withoutDot(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
