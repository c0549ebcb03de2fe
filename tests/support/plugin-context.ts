/**
 * What a plugin is given in the data thread, for tests: a log that can be read, counters over shared memory, a clock turned
 * by hand. Knows no plugin.
 */

import { COUNTER_SLOTS, Counters, type Labels, type Series } from '../../server/counters.ts';
import type { BlockHead } from '../../server/corefile/block.ts';
import type { Exchange, Kept, PluginContext } from '../../server/pipeline.ts';
import { ProbeTable, probeMemory } from '../../server/upstream/probe-table.ts';
import { emptyReply, type Query, type Reply } from '../../server/query.ts';
import { lowerCase, ROOT, spellingFrom } from '../../zones/name.ts';
import { Rcode } from '../../zones/rr.ts';
import type { Milliseconds } from '../../zones/units.ts';
import { typeOf } from './query.ts';

export type TestContext = {
  readonly context: PluginContext;
  /** `level source text` of each line. */
  readonly lines: readonly string[];
  /** Every series, `metric{label="value",…}` with its slots' values. */
  readonly series: () => ReadonlyMap<string, readonly number[]>;
  /** Turns the clock. */
  readonly pass: (span: Milliseconds) => void;
  /** What `onStart` was given, run now. */
  readonly start: () => void;
  /** Ends what was kept, as when the server stops. */
  readonly close: () => void;
};

export function testContext(changes: Partial<PluginContext> = {}): TestContext {
  const lines: string[] = [];
  const announced: Series[] = [];
  const memory = new SharedArrayBuffer(COUNTER_SLOTS * Float64Array.BYTES_PER_ELEMENT);
  const kept = new Map<string, Kept>();
  const starts: (() => void)[] = [];
  let now: Milliseconds = 0;
  const context: PluginContext = {
    block: BLOCK,
    server: 'dns://:53',
    hosts: [''],
    isFirst: true,
    clock: () => now,
    log: (level, source, text) => void lines.push(`${level} ${source} ${text}`),
    counters: new Counters(memory, (series) => void announced.push(series)),
    probes: new ProbeTable(probeMemory(1), 0),
    resolve: () => emptyReply(Rcode.REFUSED),
    isOwn: () => true,
    cluster: (key) => {
      throw new Error(`this test has no cluster "${key}"`);
    },
    keep: <State extends Kept>(key: string, make: () => State): State => {
      // One key has one type of state; the plugin that asks made it.
      const state = (kept.get(key) ?? make()) as State;
      kept.set(key, state);
      return state;
    },
    shared: new Map(),
    onStart: (start) => void starts.push(start),
    ...changes,
  };
  return {
    context,
    lines,
    series: () => new Map(announced.map((series) => [rowOf(series), slotsOf(series, new Float64Array(memory))])),
    pass: (span) => void (now += span),
    start: () => starts.splice(0).forEach((start) => start()),
    close: () => kept.forEach((state) => state.close()),
  };
}

/** A stub's question over UDP from 192.0.2.7. `name` may be in any case. */
export function testQuery(name: string, type = 'A', changes: Partial<Query> = {}): Query {
  const spelling = spellingFrom(name);
  return {
    id: 4711,
    recursionDesired: true,
    checkingDisabled: false,
    authenticData: false,
    question: { name: lowerCase(spelling), spelling, type: typeOf(type), class: 1 },
    edns: undefined,
    serial: undefined,
    peer: TEST_PEER,
    size: 40,
    received: 0,
    aliasDepth: 0,
    ...changes,
  };
}

export const TEST_PEER: Query['peer'] = {
  address: '192.0.2.7',
  port: 40000,
  family: 4,
  protocol: 'udp',
  localAddress: '192.0.2.53',
  localPort: 53,
};

/** What an observer is told. */
export function testExchange(query: Query, reply: Partial<Reply> = {}, changes: Partial<Exchange> = {}): Exchange {
  return {
    query,
    reply: { ...emptyReply(Rcode.NOERROR), ...reply },
    size: 56,
    truncated: false,
    duration: 0.25,
    zone: '.',
    ...changes,
  };
}

const POSITION = { file: 'Corefile', line: 1, column: 1 };

/** `.:53` */
const BLOCK: BlockHead = {
  keys: [{ transport: 'dns', zone: ROOT, port: 53, position: POSITION }],
  position: POSITION,
};

function rowOf({ metric, labels }: { metric: string; labels: Labels }): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return `${metric}{${pairs.join(',')}}`;
}

function slotsOf({ slot, bounds }: Series, slots: Float64Array): readonly number[] {
  return Array.from(slots.subarray(slot, slot + (bounds === undefined ? 1 : bounds.length + 2)));
}
