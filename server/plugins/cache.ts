/** `cache`: remembers what the layers below answered. Knows the Corefile's words for it, nothing of entries. */

import { present, type Name } from '../../zones/name.ts';
import type { Count, Milliseconds, Seconds } from '../../zones/units.ts';
import type { BlockHead, Directive, Line, Token } from '../corefile/block.ts';
import { refuse } from '../corefile/fault.ts';
import {
  argumentsOf,
  choiceFrom,
  durationFrom,
  integerFrom,
  noArguments,
  onlyArgument,
  onlyDirective,
  optionsOf,
  unknownOption,
  zonesOrBlock,
} from '../corefile/values.ts';
import { AnswerCache } from '../cache/answer-cache.ts';
import type { CacheOptions, ClassOptions, PrefetchOptions, StaleOptions } from '../cache/cache-options.ts';
import { Caching } from '../cache/caching.ts';
import { NxdomainCut } from '../cache/nxdomain-cut.ts';
import { transparent, type Plugin, type PluginContext } from '../pipeline.ts';
import { nodeSearchDomains } from '../upstream/resolv-conf.ts';
import { TIMER_MAX } from '../timer.ts';
import { zoneSources } from './zone-sources.ts';

/** CoreDNS plugin/cache. */
export const cache: Plugin<CacheOptions> = cacheAt(nodeSearchDomains);

/** The plugin on a node with other search domains than this one's. */
export function cacheAt(searchDomains: () => readonly Name[]): Plugin<CacheOptions> {
  return {
    name: 'cache',
    parse: (directives, block) => ({
      ...optionsOfCache(onlyDirective(directives), block),
      searchDomains: searchDomains(),
    }),
    layer(options, context) {
      const { counters, server } = context;
      const labels = { server, zones: options.zones.map(present).join(','), view: '' };
      const answers = context.keep(
        `cache ${server} ${contentOf(context)} ${JSON.stringify(options)}`,
        () =>
          new AnswerCache({
            successCapacity: options.success.capacity,
            denialCapacity: options.denial.capacity,
            staleFor: options.stale?.window ?? 0,
            prefersPositive: options.stale?.prefersPositive ?? false,
            counters,
            labels,
          }),
      );
      const { authoritative, forwarded } = zoneSources(context.shared);
      const exempt = [authoritative, options.denial.disabled];
      const cut = new NxdomainCut({ domains: options.searchDomains, exempt, borders: forwarded }, answers);
      return transparent((next) => new Caching(options, { answers, cut }, labels, context, next).handle);
    },
  };
}

/** The block without the places where its words stand: answers survive a reload only if nothing that could have made them has changed. */
function contentOf(context: PluginContext): string {
  return JSON.stringify(context.block, (key, value: unknown) => {
    if (key === 'position') return undefined;
    return value instanceof Map || value instanceof Set ? [...value] : value;
  });
}

/** What the Corefile says. */
type WrittenOptions = Omit<CacheOptions, 'searchDomains'>;

/** Go's sharded map makes 9984 of the 10000 that CoreDNS is set to. */
const CAPACITY: Count = 9_984;
/** Tables are made at their full size. */
const CAPACITY_MAX: Count = 1_000_000;
const TTL_MAX: Seconds = 0x7fffffff;
const HOUR: Milliseconds = 3_600_000;
const FIVE_MINUTES: Milliseconds = 300_000;

const DEFAULTS: Omit<WrittenOptions, 'zones'> = {
  success: { capacity: CAPACITY, maxTtl: 3_600, minTtl: 5, disabled: [] },
  denial: { capacity: CAPACITY, maxTtl: 1_800, minTtl: 5, disabled: [] },
  failureFor: 5_000,
  prefetch: undefined,
  stale: undefined,
  keepTtl: false,
};

const STALE: StaleOptions = {
  window: HOUR,
  mode: 'immediate',
  verifyTimeout: 1_800, // RFC 8767 section 5: just below the 2 s after which clients ask again
  ttl: 0,
  recheck: 0,
  prefersPositive: false,
};

function optionsOfCache(directive: Directive, block: BlockHead): WrittenOptions {
  const [first, ...rest] = directive.args;
  const hasTtl = first !== undefined && /^[+-]?[0-9]+$/.test(first.text);
  const maxTtl = hasTtl ? { maxTtl: integerFrom(first, 1, TTL_MAX) } : {};
  let options: WrittenOptions = {
    ...DEFAULTS,
    zones: zonesOrBlock(hasTtl ? rest : directive.args, block),
    success: { ...DEFAULTS.success, ...maxTtl },
    denial: { ...DEFAULTS.denial, ...maxTtl },
  };
  let preferring: Line | undefined;
  for (const line of optionsOf(directive)) {
    if (line.name.text === 'serve_stale_policy') {
      choiceFrom(onlyArgument(line, 'serve_stale_policy prefer_positive'), ['prefer_positive']);
      preferring = line;
    } else options = withOption(options, line, block);
  }
  if (preferring === undefined) return options;
  if (options.stale === undefined) refuse(preferring.name, 'serve_stale beside it: this changes what is stale');
  return { ...options, stale: { ...options.stale, prefersPositive: true } };
}

const WORDS = ['success', 'denial', 'prefetch', 'serve_stale', 'serve_stale_policy', 'servfail', 'disable', 'keepttl'];

function withOption(options: WrittenOptions, line: Line, block: BlockHead): WrittenOptions {
  switch (line.name.text) {
    case 'success':
      return { ...options, success: withLimits(options.success, line) };
    case 'denial':
      return { ...options, denial: withLimits(options.denial, line) };
    case 'prefetch':
      return { ...options, prefetch: prefetchFrom(line) };
    case 'serve_stale':
      return { ...options, stale: staleFrom(line) };
    case 'servfail':
      return { ...options, failureFor: durationFrom(onlyArgument(line, 'servfail DURATION'), 0, FIVE_MINUTES) };
    case 'disable': {
      const [which = line.name, ...zones] = argumentsOf(line, 1, Infinity, 'disable success|denial [ZONES…]');
      const what = choiceFrom(which, ['success', 'denial'] as const);
      const disabled = [...options[what].disabled, ...zonesOrBlock(zones, block)];
      return { ...options, [what]: { ...options[what], disabled } };
    }
    case 'keepttl':
      noArguments(line);
      return { ...options, keepTtl: true };
    default:
      return unknownOption(line, 'cache', WORDS);
  }
}

function withLimits(before: ClassOptions, line: Line): ClassOptions {
  const usage = `${line.name.text} CAPACITY [TTL [MINTTL]]`;
  const [capacity = line.name, ttl, minTtl] = argumentsOf(line, 1, 3, usage);
  return {
    ...before,
    capacity: integerFrom(capacity, 0, CAPACITY_MAX),
    maxTtl: ttl === undefined ? before.maxTtl : integerFrom(ttl, 1, TTL_MAX),
    minTtl: minTtl === undefined ? before.minTtl : integerFrom(minTtl, 0, TTL_MAX),
  };
}

function prefetchFrom(line: Line): PrefetchOptions | undefined {
  const [first = line.name, within, share] = argumentsOf(line, 1, 3, 'prefetch AMOUNT [DURATION [PERCENTAGE%]]');
  const amount = integerFrom(first, 0, TTL_MAX);
  const span = within === undefined ? 60_000 : durationFrom(within);
  const percentage = share === undefined ? 10 : percentageFrom(share);
  return amount === 0 ? undefined : { amount, within: span, percentage };
}

function percentageFrom(token: Token): number {
  const percentage = /^[0-9]{1,3}%$/.test(token.text) ? Number.parseInt(token.text, 10) : 0;
  return percentage >= 10 && percentage <= 90 ? percentage : refuse(token, 'a percentage from 10% to 90%');
}

function staleFrom(line: Line): StaleOptions {
  const usage = 'serve_stale [DURATION [immediate [TTL [RECHECK]] | verify [TIMEOUT [TTL [RECHECK]]]]]';
  const [duration, word, ...more] = argumentsOf(line, 0, 5, usage);
  const mode = word === undefined ? STALE.mode : choiceFrom(word, ['immediate', 'verify']);
  const [timeout, ttl, recheck, surplus] = mode === 'verify' ? more : [undefined, ...more];
  if (surplus !== undefined) refuse(surplus, `the end of the line: ${usage}`);
  const seconds = ttl === undefined ? 0 : durationFrom(ttl) / 1000;
  if (ttl !== undefined && !Number.isInteger(seconds)) refuse(ttl, 'a duration of whole seconds');
  return {
    ...STALE,
    window: duration === undefined ? STALE.window : durationFrom(duration),
    mode,
    verifyTimeout: timeout === undefined ? STALE.verifyTimeout : durationFrom(timeout, 0, TIMER_MAX),
    ttl: seconds,
    recheck: recheck === undefined ? 0 : durationFrom(recheck, 0, FIVE_MINUTES),
  };
}
