/** One data thread beside two of them, asked by two generators. Knows nothing of how a server is started. */

import type { Count } from '../zones/units.ts';
import { measuredRightly } from './answers.ts';
import { inTurns, note, type Bench } from './bench.ts';
import type { Contender } from './contenders.ts';
import { median, presentRatio, presentTable, thousands, type Figure } from './figures.ts';
import { fivedots, knowsThreads, withTwoThreads } from './fivedots.ts';
import type { Goals } from './goals.ts';
import { chooseCores } from './processes.ts';
import { figureOf } from './rounds.ts';
import { withServer } from './trial.ts';
import { WORKLOADS } from './workloads.ts';

const GENERATORS: Count = 2;
/** Of each generator: the kernel spreads senders over the threads' sockets, and few of them could all be given to one. */
const SOCKETS: Count = 32;

export async function presentThreads(bench: Bench, goals: Goals): Promise<string> {
  if (!(await knowsThreads())) return 'threads: left out, for this fivedots does not know multisocket';
  const cores = chooseCores(GENERATORS);
  const found = await inTurns([fivedots, withTwoThreads], bench.rounds, async (contender, round) => {
    const figure = await figureWith(contender, { ...bench, cores });
    const told = `${figure.cpuPerQuery.toFixed(2)} µs, ${thousands(figure.answersPerSecond)} answers/s`;
    note(`threads, round ${round + 1}: ${contender.name} ${told}`);
    return figure;
  });
  const costs = Array.from(found.values(), (figures) => figures.map(({ cpuPerQuery }) => cpuPerQuery));
  const rates = Array.from(found.values(), (figures) => figures.map(({ answersPerSecond }) => answersPerSecond));
  const [[one = [], two = []], [oneRate = [], twoRate = []]] = [costs, rates];
  const head = ['threads', 'server', 'CPU/query', 'answers/s', 'CPU × 1 thread', 'answers × 1 thread'];
  const rows = [...found.keys()].map(({ name }, i) => {
    const [own = [], ownRate = []] = [costs[i], rates[i]];
    const figures = [`${median(own).toFixed(2)} µs`, thousands(median(ownRate))];
    return ['cluster', name, ...figures, presentRatio(own, one), presentRatio(ownRate, oneRate)];
  });
  goals.set('two threads, CPU', Number(presentRatio(two, one)));
  goals.set('two threads, answers', Number(presentRatio(twoRate, oneRate)));
  const where =
    cores === undefined
      ? 'server and generators share the cores: there are not two for each'
      : `server on cores ${cores.server}, generators on cores ${cores.generator}`;
  return `${GENERATORS} generators; ${where}\n${presentTable([head, ...rows])}`;
}

async function figureWith(contender: Contender, bench: Bench): Promise<Figure> {
  const workload = WORKLOADS.get('cluster')?.(bench.names);
  if (workload === undefined) throw new Error('no workload cluster');
  return withServer(contender, bench, workload, async ({ measure, untilAnswered }) => {
    await untilAnswered(workload.questions);
    const load = { ...bench.load, sockets: SOCKETS };
    const both = await Promise.all(
      Array.from({ length: GENERATORS }, () =>
        measuredRightly(() => measure(workload.questions, load), contender.name),
      ),
    );
    // Both measure the same few seconds of the same server, each with its own answers in them.
    return figureOf({
      answered: both.reduce((sum, one) => sum + one.answered, 0),
      elapsed: both.reduce((sum, one) => sum + one.elapsed, 0) / both.length,
      cpuTime: both.reduce((sum, one) => sum + one.cpuTime, 0) / both.length,
    });
  });
}
