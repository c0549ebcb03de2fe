/** `npm run bench -- watch`: the words behind it to measurements, one after the other. Knows nothing of how they are made. */

import { parseArgs } from 'node:util';

import type { Count, Milliseconds } from '../../zones/units.ts';
import type { Shape } from './cluster.ts';
import { presentEventCost } from './event-cost.ts';
import { presentProgramming } from './programming.ts';
import { presentResident } from './resident.ts';
import { withBench, type Bench } from './subject.ts';
import { presentSync } from './sync.ts';

const USAGE: string = `npm run bench -- watch [MEASUREMENT…] [OPTION…]

What a large cluster that changes costs fivedots: an API server of the bench holds a generated cluster and changes it.

  MEASUREMENT      sync     first sync and relist, and the latency of queries meanwhile
                   memory   resident memory: empty, synced, through churn
                   latency  from the API server's event to the new answer on the wire
                   cost     CPU time for each event in clusters of three sizes
                   all if none is named
  --quick          a small cluster and few samples: to see that it works
  --full           150,000 pods, 10,000 namespaces, an hour's churn at 100/s (360,000 events), more samples
  --services N, --endpoints N, --pods N, --namespaces N, --events N, --samples N, --rounds N, --idle SECONDS
                   one figure in place of the default's
  --lists          an API server without WatchList: lists in pages
  --seed N         another cluster of the same size (1)
  --help           these lines
`;

/** Does what the words ask for; the exit code. */
export async function watch(words: readonly string[]): Promise<number> {
  const wish = wishFrom(words);
  if (typeof wish === 'string') {
    process.stderr.write(`${wish}\n\n${USAGE}`);
    return 2;
  }
  if (wish.isHelp) {
    process.stdout.write(USAGE);
    return 0;
  }
  await withBench(!wish.usesLists, async (bench) => {
    for (const name of wish.measurements) {
      process.stdout.write(`${await MEASUREMENTS.get(name)?.(bench, wish.scale)}\n\n`);
    }
  });
  return 0;
}

type Scale = {
  readonly shape: Shape;
  readonly events: Count;
  readonly samples: Count;
  readonly rounds: Count;
  readonly idle: Milliseconds;
  /** Queries a second during sync and relist. */
  readonly queryRate: number;
  /** Of one kind of event in one cluster in one round. */
  readonly costDuration: Milliseconds;
};

type Wish = {
  readonly measurements: readonly string[];
  readonly scale: Scale;
  readonly usesLists: boolean;
  readonly isHelp: boolean;
};

const MEASUREMENTS: ReadonlyMap<string, (bench: Bench, scale: Scale) => Promise<string>> = new Map([
  ['sync', (bench, { shape, idle, queryRate }) => presentSync(bench, { shape, idle: idle / 4, queryRate })],
  ['memory', (bench, { shape, idle, events }) => presentResident(bench, { shape, idle, events })],
  ['latency', (bench, { shape, samples }) => presentProgramming(bench, { shape, samples })],
  [
    'cost',
    (bench, { shape, rounds, costDuration }) =>
      presentEventCost(bench, { shapes: shapesFor(shape), rounds, duration: costDuration }),
  ],
]);

/** The cluster, a tenth and a hundredth of it, without pods; the whole one has one service with a twentieth more endpoints. */
function shapesFor(shape: Shape): readonly Shape[] {
  return [100, 10, 1].map((part) => ({
    ...shape,
    namespaces: Math.ceil(shape.namespaces / part),
    services: Math.ceil(shape.services / part),
    endpoints: Math.ceil(shape.endpoints / part),
    pods: 0,
    giant: part === 1 ? Math.ceil(shape.endpoints / 20) : 0,
  }));
}

type Figures = 'services' | 'endpoints' | 'pods' | 'namespaces' | 'events' | 'samples' | 'rounds' | 'idle' | 'seed';

const DEFAULT: Readonly<Record<Figures | 'seconds' | 'queryRate', number>> = {
  services: 10_000,
  endpoints: 100_000,
  pods: 50_000,
  namespaces: 1_000,
  events: 30_000,
  samples: 300,
  rounds: 5,
  idle: 30,
  seconds: 1.5,
  queryRate: 5_000,
  seed: 1,
};
const QUICK = {
  ...DEFAULT,
  services: 500,
  endpoints: 20_000,
  pods: 1_000,
  namespaces: 20,
  events: 2_000,
  samples: 20,
  rounds: 1,
  idle: 1,
  seconds: 0.25,
  queryRate: 1_000,
};
const FULL = { ...DEFAULT, pods: 150_000, namespaces: 10_000, events: 360_000, samples: 1_000, rounds: 9, seconds: 3 };

/** Addresses of services and pods are from ranges of the generator. */
const FIGURE_MAX = 1_000_000;

const OPTIONS = {
  quick: { type: 'boolean', default: false },
  full: { type: 'boolean', default: false },
  lists: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
  services: { type: 'string' },
  endpoints: { type: 'string' },
  pods: { type: 'string' },
  namespaces: { type: 'string' },
  events: { type: 'string' },
  samples: { type: 'string' },
  rounds: { type: 'string' },
  idle: { type: 'string' },
  seed: { type: 'string' },
} as const;

/** What the words ask for, or in a sentence why nothing can be made of them. */
function wishFrom(words: readonly string[]): Wish | string {
  try {
    const { values, positionals } = parseArgs({ args: [...words], options: OPTIONS, allowPositionals: true });
    const unknown = positionals.find((name) => !MEASUREMENTS.has(name));
    if (unknown !== undefined) return `There is no measurement "${unknown}".`;
    const preset = values.full ? FULL : values.quick ? QUICK : DEFAULT;
    const figure = (name: Figures): number => numberFrom(name, values[name]) ?? preset[name];
    const shape: Shape = {
      seed: figure('seed'),
      namespaces: figure('namespaces'),
      services: figure('services'),
      endpoints: figure('endpoints'),
      pods: figure('pods'),
      giant: 0,
    };
    return {
      measurements: positionals.length === 0 ? [...MEASUREMENTS.keys()] : positionals,
      scale: {
        shape,
        events: figure('events'),
        samples: figure('samples'),
        rounds: figure('rounds'),
        idle: 1000 * figure('idle'),
        queryRate: preset.queryRate,
        costDuration: 1000 * preset.seconds,
      },
      usesLists: values.lists,
      isHelp: values.help,
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function numberFrom(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(Number.isInteger(value) && value >= 1 && value <= FIGURE_MAX))
    throw new RangeError(`--${name} must be a whole number from 1 to ${FIGURE_MAX}, found "${text}".`);
  return value;
}
