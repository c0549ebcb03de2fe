/** `npm run bench -- ndots`: what look-ups with a pod's search list cost, without and with search completion. */

import { parseArgs } from 'node:util';

import { isInstalled, run } from '../../tests/support/programs.ts';
import type { Count, Milliseconds } from '../../zones/units.ts';
import { note, type Bench } from '../bench.ts';
import { withCompileCache } from '../fivedots.ts';
import { withNative } from '../native.ts';
import { installedPeers } from '../peers.ts';
import { chooseCores } from '../processes.ts';
import { startUpstream } from '../upstream.ts';
import { CLIENT_PROGRAMS, clientsHere, type Client } from './clients.ts';
import { presentCost } from './cost.ts';
import { CROWD_CASES, CROWD_LABEL, crowdFaultsIn, playCrowds, presentCrowds } from './crowd.ts';
import { closeStages, openStages, playAll } from './lookups.ts';
import { compiled } from './programs.ts';
import { faultsIn, presentLookups, presentQuestions } from './report.ts';
import { CASES } from './world.ts';

const USAGE = `npm run bench -- ndots [MEASUREMENT…] [OPTION…]

What a look-up costs with ndots:5 and a pod's search list, without "autopath @kubernetes" in the Corefile and with it. An outcome that is
another with it, a query about the cluster that went outside, or one that was asked upstream again within its TTL, fails it.

  MEASUREMENT    lookups  real resolvers in a network of their own, against fivedots, with the world outside behind Unbound: packets on the
                          wire, queries upstream, outcome and time of each client in each case
                 cost     CPU time of the server for each look-up, beside Unbound, which is asked for the bare name only
                 crowd    queries upstream of many pods that look the same name up at once
                 all if none is named
  --quick        few look-ups and short rounds: to see that it works
  --questions    of "lookups": each question, in place of how many there are
  --lookups N    so many of each name by each client (6)
  --pods N       of the crowd (50)
  --rounds N     of "cost", in each of which every server is started and measured (3)
  --seconds S    of each measurement of "cost", after half as long for warming up (3)
  --names N      outside names of "cost" (1000)
  --help         these lines

"lookups" and "crowd" need the right to make namespaces, iproute2, unbound, knotd and a C compiler. Clients that are not here are named and left out.
`;

/** Does what the words ask for; the exit code. */
export async function ndots(words: readonly string[]): Promise<number> {
  const wish = wishFrom(words);
  if (typeof wish === 'string') {
    process.stderr.write(`${wish}\n\n${USAGE}`);
    return 2;
  }
  if (wish.isHelp) {
    process.stdout.write(USAGE);
    return 0;
  }
  const faults: string[] = [];
  if (wish.measurements.some((name) => name !== 'cost')) faults.push(...(await onStage(wish)));
  if (wish.measurements.includes('cost')) await withBench(wish, async (bench) => say(await presentCost(bench)));
  return faults.length === 0 ? 0 : 1;
}

/** What was wrong. */
async function onStage({ measurements, questions, lookups, pods }: Wish): Promise<readonly string[]> {
  const needed = ['unshare', 'nsenter', 'ip', 'unbound', 'knotd'].filter((program) => !isInstalled(program));
  if (needed.length > 0) throw new Error(`not installed: ${needed.join(', ')}`);
  const { code, stderr } = await run(['unshare', '--map-root-user', '--net', '--mount', 'true']);
  if (code !== 0) throw new Error(`namespaces cannot be made here: ${stderr.trim()}`);
  const programs = await compiled(['capture', ...CLIENT_PROGRAMS]);
  try {
    const { clients, missing } = clientsHere(programs);
    const capture = programs.paths.get('capture');
    if (capture === undefined) throw new Error(`the capture cannot be compiled: ${programs.missing.get('capture')}`);
    const names = clients.map(({ name }) => name);
    const stages = await openStages(capture, [...names, CROWD_LABEL]);
    const faults: string[] = [];
    try {
      if (measurements.includes('lookups')) {
        say(`${names.length} clients: ${(await Promise.all(clients.map(versionOf))).join(', ')}`);
        if (missing.length > 0) say(`left out: ${missing.join('; ')}`);
        const pairs = await playAll(stages, { cases: CASES, clients, warm: lookups - 1, tell: note });
        const found = faultsIn(pairs);
        if (questions) say(`${presentQuestions(pairs)}\n`);
        else say(`without completion → with it, where they differ\n\n${presentLookups(pairs, names)}\n`);
        say(found.length === 0 ? `outcomes: equal in all ${pairs.length} pairs\n` : `${found.join('\n')}\n`);
        faults.push(...found);
      }
      if (measurements.includes('crowd')) {
        const crowds = await playCrowds(stages.before, CROWD_CASES, pods);
        const found = crowdFaultsIn(crowds);
        say(`many pods at once\n\n${presentCrowds(crowds)}\n`);
        if (found.length > 0) say(`${found.join('\n')}\n`);
        faults.push(...found);
      }
    } finally {
      await closeStages(stages);
    }
    return faults;
  } finally {
    await programs.remove();
  }
}

async function versionOf({ name, version }: Client): Promise<string> {
  const { stdout, stderr } = await run(version);
  const found = /\d+\.\d+(?:\.\d+)?/.exec(`${stdout}\n${stderr}`)?.[0];
  return found === undefined ? name : `${name} ${found}`;
}

async function withBench(wish: Wish, use: (bench: Bench) => Promise<void>): Promise<void> {
  const cores = chooseCores();
  await withNative((native) =>
    withCompileCache(async (compileCache) => {
      const upstream = await startUpstream(native, cores?.generator);
      try {
        const { rounds, load, names } = wish;
        const peers = installedPeers();
        await use({ rounds, load, names, peers, queries: 0, upstreamPort: upstream.port, compileCache, cores, native });
      } finally {
        await upstream.close();
      }
    }),
  );
}

type Wish = Pick<Bench, 'rounds' | 'load' | 'names'> & {
  readonly measurements: readonly string[];
  readonly questions: boolean;
  readonly lookups: Count;
  readonly pods: Count;
  readonly isHelp: boolean;
};

const MEASUREMENTS: readonly string[] = ['lookups', 'cost', 'crowd'];

const OPTIONS = {
  quick: { type: 'boolean', default: false },
  questions: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
  lookups: { type: 'string' },
  pods: { type: 'string' },
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  names: { type: 'string' },
} as const;

type Figures = 'lookups' | 'pods' | 'rounds' | 'seconds' | 'names';
const USUAL: Readonly<Record<Figures, number>> = { lookups: 6, pods: 50, rounds: 3, seconds: 3, names: 1000 };
const QUICK: Readonly<Record<Figures, number>> = { lookups: 2, pods: 10, rounds: 1, seconds: 0.3, names: 100 };
/** Of each, the least and the most; the cache has room for so many names. */
const LIMITS: Readonly<Record<Figures, readonly [least: number, most: number]>> = {
  lookups: [2, 1_000],
  pods: [1, 200],
  rounds: [1, 1_000],
  seconds: [0.1, 20],
  names: [1, 4_000],
};

/** What the words ask for, or in a sentence why nothing can be made of them. */
function wishFrom(words: readonly string[]): Wish | string {
  try {
    const { values, positionals } = parseArgs({ args: [...words], options: OPTIONS, allowPositionals: true });
    const unknown = positionals.find((name) => !MEASUREMENTS.includes(name));
    if (unknown !== undefined) return `There is no measurement "${unknown}".`;
    const preset = values.quick ? QUICK : USUAL;
    const figure = (name: Figures): number => numberFrom(name, values[name]) ?? preset[name];
    const duration: Milliseconds = 1000 * figure('seconds');
    return {
      measurements: positionals.length === 0 ? MEASUREMENTS : positionals,
      questions: values.questions,
      lookups: Math.floor(figure('lookups')),
      pods: Math.floor(figure('pods')),
      rounds: Math.floor(figure('rounds')),
      load: { warmUp: duration / 2, duration },
      names: Math.floor(figure('names')),
      isHelp: values.help,
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function numberFrom(name: Figures, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  const [least, most] = LIMITS[name];
  if (!(value >= least && value <= most))
    throw new RangeError(`--${name} must be from ${least} to ${most}, found "${text}".`);
  return value;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
