/** The directive `forward` as plain data. Knows its words and their defaults, nothing of how upstreams are asked. */

import { presentAddress } from '../../zones/ip.ts';
import { ROOT, type Name } from '../../zones/name.ts';
import { Rcode, rcodeFrom } from '../../zones/rr.ts';
import type { Count, Milliseconds } from '../../zones/units.ts';
import type { Directive, Line, Token } from '../corefile/block.ts';
import { refuse } from '../corefile/fault.ts';
import {
  addressOf,
  argumentsOf,
  choiceFrom,
  durationFrom,
  integerFrom,
  noArguments,
  onlyArgument,
  optionsOf,
  unknownOption,
  zoneListFrom,
} from '../corefile/values.ts';
import { endpointFrom } from '../upstream/endpoint.ts';
import { POLICIES, type Policy } from '../upstream/policy.ts';
import { readNameservers } from '../upstream/resolv-conf.ts';
import type { UpstreamsOptions } from '../upstream/upstreams.ts';
import { TIMER_MAX } from '../timer.ts';

/** One `forward` of a block; plain data. */
export type ForwardOptions = {
  readonly from: Name;
  /** Names at or below these are left to others; `from` itself never is. */
  readonly except: readonly Name[];
  /** Rcodes with which a reply is handed over to the next `forward` that takes the name. */
  readonly next: readonly number[];
  readonly nextOnNodata: boolean;
  readonly upstreams: UpstreamsOptions;
};

/** Upstreams that may be written, as in CoreDNS. */
const TO_MAX: Count = 15;
/** The most that a count can sensibly be. */
const COUNT_MAX: Count = 1_000_000;

/** What stands in the braces. */
type Settings = {
  readonly except: readonly Name[];
  readonly next: readonly number[];
  readonly nextOnNodata: boolean;
  readonly policy: Policy;
  readonly preferUdp: boolean;
  readonly forceTcp: boolean;
  readonly source: string | undefined;
  readonly maxAttempts: Count | undefined;
  readonly maxConcurrent: Count;
  readonly failover: readonly number[];
  readonly failFast: boolean;
  readonly readTimeout: Milliseconds;
  readonly expire: Milliseconds;
  readonly maxAge: Milliseconds;
  readonly maxIdle: Count;
  readonly maxFails: Count;
  readonly check: { readonly interval: Milliseconds; readonly recursionDesired: boolean; readonly name: Name };
};

/** CoreDNS plugin/forward. */
const DEFAULTS: Settings = {
  except: [],
  next: [],
  nextOnNodata: false,
  policy: 'random',
  preferUdp: false,
  forceTcp: false,
  source: undefined,
  maxAttempts: undefined,
  maxConcurrent: 0,
  failover: [],
  failFast: false,
  readTimeout: 2_000,
  expire: 10_000,
  maxAge: 0,
  maxIdle: 0,
  maxFails: 2,
  check: { interval: 500, recursionDesired: true, name: ROOT },
};

/** @throws CorefileError */
export function forwardFrom(directive: Directive): ForwardOptions {
  const usage = `forward FROM TO… [{ options }], with at most ${TO_MAX} TO`;
  const [fromToken = directive.name, ...to] = argumentsOf(directive, 2, 1 + TO_MAX, usage);
  // A network that is several zones counts as its first, as in CoreDNS.
  const [from = ROOT] = zoneListFrom([fromToken]);
  const servers = to.map(serverFrom);
  if (servers.every((server) => 'file' in server && readNameservers(server.file).length === 0)) {
    refuse(to[0] ?? directive.name, 'a file with at least one nameserver line; this one has none');
  }
  const settings = optionsOf(directive).reduce(withOption, DEFAULTS);
  const { except, next, nextOnNodata, policy, preferUdp, maxAttempts, maxConcurrent, failover, failFast } = settings;
  const { forceTcp, source, readTimeout, expire, maxAge, maxIdle, maxFails, check } = settings;
  const oldest = directive.body?.find((line) => line.name.text === 'max_age');
  if (oldest !== undefined && maxAge > 0 && maxAge < expire) {
    refuse(oldest.args[0] ?? oldest.name, `a max_age that is not below expire (${expire} ms)`);
  }
  const each = { forceTcp, source, readTimeout, expire, maxAge, maxIdle, maxFails, check };
  const upstreams = { servers, policy, preferUdp, maxAttempts, maxConcurrent, failover, failFast, each };
  return { from, except, next, nextOnNodata, upstreams };
}

/** What each option changes. */
const OPTIONS: ReadonlyMap<string, (line: Line, before: Settings) => Partial<Settings>> = new Map<
  string,
  (line: Line, before: Settings) => Partial<Settings>
>([
  ['except', (line, before) => ({ except: [...before.except, ...zoneListFrom(several(line, 'ZONE'))] })],
  ['policy', (line) => ({ policy: choiceFrom(onlyArgument(line, 'policy NAME'), POLICIES) })],
  ['force_tcp', (line) => (noArguments(line), { forceTcp: true })],
  ['prefer_udp', (line) => (noArguments(line), { preferUdp: true })],
  ['expire', (line) => ({ expire: span(line, 0) })],
  ['max_age', (line) => ({ maxAge: span(line, 0) })],
  ['max_idle_conns', (line) => ({ maxIdle: count(line) })],
  ['read_timeout', (line) => ({ readTimeout: span(line, 1) })],
  ['max_fails', (line) => ({ maxFails: count(line) })],
  ['health_check', (line) => ({ check: checkFrom(line) })],
  ['max_connect_attempts', (line) => ({ maxAttempts: count(line) })],
  ['max_concurrent', (line) => ({ maxConcurrent: count(line) })],
  ['source_address', (line) => ({ source: presentAddress(addressOf(onlyArgument(line, 'source_address IP'))) })],
  ['next', (line, before) => ({ next: [...before.next, ...several(line, 'RCODE').map(rcodeOf)] })],
  ['next_on_nodata', (line) => (noArguments(line), { nextOnNodata: true })],
  ['failover', (line, before) => ({ failover: [...before.failover, ...several(line, 'RCODE').map(faultOf)] })],
  ['failfast_all_unhealthy_upstreams', (line) => (noArguments(line), { failFast: true })],
]);

/** CoreDNS has them. A Corefile that needs one must not load as if it were obeyed. */
const NOT_YET: readonly string[] = ['tls', 'tls_servername', 'doh_method', 'resolver'];

function withOption(before: Settings, line: Line): Settings {
  const { text } = line.name;
  const read = OPTIONS.get(text);
  if (read !== undefined) return { ...before, ...read(line, before) };
  if (NOT_YET.includes(text))
    refuse(line.name, 'options of plain DNS only: encrypted upstreams and host names are not supported yet');
  return unknownOption(line, 'forward', [...OPTIONS.keys()]);
}

function serverFrom(token: Token): UpstreamsOptions['servers'][number] {
  const [, scheme, text = ''] = /^(?:([a-z0-9]+):\/\/)?(.*)$/.exec(token.text) ?? [];
  if (scheme !== undefined && scheme !== 'dns') refuse(token, `dns:// or no scheme: ${scheme}:// is not supported yet`);
  const endpoint = endpointFrom(text);
  if (endpoint !== undefined) return endpoint;
  if (scheme === undefined && isReadable(text)) return { file: text };
  const expected = 'an IP address (192.0.2.1, 192.0.2.1:53, [2001:db8::1]:53) or a readable file like /etc/resolv.conf';
  return refuse(token, text.includes('/') ? expected : `${expected}; host names are not supported yet`);
}

function isReadable(file: string): boolean {
  try {
    readNameservers(file);
    return true;
  } catch {
    return false;
  }
}

function checkFrom(line: Line): Settings['check'] {
  const usage = 'health_check DURATION [no_rec] [domain NAME]';
  const [duration = line.name, ...words] = argumentsOf(line, 1, 4, usage);
  let check = { ...DEFAULTS.check, interval: durationFrom(duration, 1, TIMER_MAX) };
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    const name = words[i + 1];
    if (word?.text === 'no_rec') check = { ...check, recursionDesired: false };
    else if (word?.text === 'domain' && name !== undefined) {
      check = { ...check, name: zoneListFrom([name])[0] ?? ROOT };
      i++;
    } else refuse(word ?? line.name, usage);
  }
  return check;
}

function several(line: Line, what: string): readonly Token[] {
  return argumentsOf(line, 1, Infinity, `${line.name.text} ${what}…`);
}

function span(line: Line, least: Milliseconds): Milliseconds {
  return durationFrom(onlyArgument(line, `${line.name.text} DURATION`), least, TIMER_MAX);
}

function count(line: Line): Count {
  return integerFrom(onlyArgument(line, `${line.name.text} NUMBER`), 0, COUNT_MAX);
}

function rcodeOf(token: Token): number {
  return rcodeFrom(token.text) ?? refuse(token, 'the name of an rcode, such as NXDOMAIN or SERVFAIL');
}

/** NOERROR is no reason to ask another upstream. */
function faultOf(token: Token): number {
  const rcode = rcodeOf(token);
  return rcode === Rcode.NOERROR ? refuse(token, 'an rcode other than NOERROR') : rcode;
}
