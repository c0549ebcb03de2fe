/**
 * Readers of directives for plugins: each takes tokens, gives a checked value, or throws a CorefileError at the token that is
 * wrong. Knows no plugin by name.
 */

import { addressFrom, type Address } from '../../zones/ip.ts';
import { ROOT, type Name } from '../../zones/name.ts';
import type { Milliseconds } from '../../zones/units.ts';
import { CorefileError } from '../errors.ts';
import type { BlockHead, Directive, Line, Token } from './block.ts';
import { refuse, show, suggestion } from './fault.ts';
import { zonesFrom } from './keys.ts';

/**
 * The only directive of its word in a block.
 * @throws CorefileError at the second one
 */
export function onlyDirective(directives: readonly [Directive, ...Directive[]]): Directive {
  const [first, second] = directives;
  if (second === undefined) return first;
  const { line } = first.name.position;
  throw new CorefileError(
    second.name.position,
    `found a second ${show(second.name.text)}, but this plugin can only be used once per server block; the first is on line ${line}`,
  );
}

/**
 * The arguments, if there are as many as allowed.
 * @param usage how to write it, such as `cache [TTL] [ZONES…]`
 * @throws CorefileError at the first argument too many, or at the word that has too few
 */
export function argumentsOf(line: Line, least: number, most: number, usage: string): readonly Token[] {
  const surplus = line.args[most];
  if (surplus !== undefined) refuse(surplus, `the end of the line: ${usage}`);
  if (line.args.length >= least) return line.args;
  const last = line.args.at(-1) ?? line.name;
  throw new CorefileError(last.position, `found the end of the line after ${show(last.text)}, expected: ${usage}`);
}

/** @throws CorefileError unless there is exactly one argument */
export function onlyArgument(line: Line, usage: string): Token {
  const [argument] = argumentsOf(line, 1, 1, usage);
  return argument ?? line.name;
}

/**
 * The first argument. CoreDNS reads no further in some lines; what else stands there is told in `warnings`.
 * @throws CorefileError if there is none
 */
export function firstArgument(line: Line, usage: string, warnings: string[]): Token {
  const [first = line.name, ...others] = argumentsOf(line, 1, Infinity, usage);
  if (others.length > 0) {
    warnings.push(warningAt(line, `only the first argument of ${line.name.text} is used; remove the others`));
  }
  return first;
}

/** A warning about a line that is accepted. */
export function warningAt({ name }: Line, text: string): string {
  return `${name.position.file}:${name.position.line}: ${text}`;
}

/** @throws CorefileError if there is an argument */
export function noArguments(line: Line): void {
  argumentsOf(line, 0, 0, `${line.name.text} (it takes no arguments)`);
}

/** @throws CorefileError if the directive has a block of its own */
export function noBody(directive: Directive): void {
  const [line] = directive.body ?? [];
  if (line !== undefined) refuse(line.name, `no options: ${show(directive.name.text)} has none`);
}

/** The lines of a directive's own block; none if it has no braces. */
export function optionsOf(directive: Directive): readonly Line[] {
  return directive.body ?? [];
}

/** Refuses a line of a directive's block whose word is not an option of that plugin. */
export function unknownOption(line: Line, plugin: string, known: readonly string[]): never {
  const { text, position } = line.name;
  throw new CorefileError(
    position,
    `found ${show(text)}, which is not an option of ${plugin}, expected ${orList(known)}${suggestion(text, known)}`,
  );
}

/** One of a few words, as written. */
export function choiceFrom<Choice extends string>(token: Token, choices: readonly Choice[]): Choice {
  const choice = choices.find((each) => each === token.text);
  return choice ?? refuse(token, `${orList(choices)}${suggestion(token.text, choices)}`);
}

/** A decimal whole number from `least` to `most`. */
export function integerFrom(token: Token, least: number, most: number): number {
  const value = /^[+-]?[0-9]{1,16}$/.test(token.text) ? Number(token.text) + 0 : Number.NaN;
  if (value >= least && value <= most) return value;
  return refuse(token, `a whole number from ${least} to ${most}`);
}

/**
 * A duration as Go writes it: `300ms`, `1.5h`, `2h45m`; only zero may stand without a unit.
 * @param least and most: what this plugin allows
 */
export function durationFrom(token: Token, least: Milliseconds = 0, most: Milliseconds = Infinity): Milliseconds {
  const value = milliseconds(token.text);
  if (value === undefined) refuse(token, 'a duration with its unit, such as 300ms, 5s or 1h30m');
  if (value < least) refuse(token, `a duration of at least ${presentDuration(least)}`);
  if (value > most) refuse(token, `a duration of at most ${presentDuration(most)}`);
  return value;
}

/** Zones, networks expanded to their reverse zones, each once, in the order written. */
export function zoneListFrom(tokens: readonly Token[]): readonly Name[] {
  return [...new Set(tokens.flatMap((token) => zonesFrom(token)))];
}

/** The zones written, or those of the server block where none are. */
export function zonesOrBlock(tokens: readonly Token[], block: BlockHead): readonly Name[] {
  return tokens.length > 0 ? zoneListFrom(tokens) : [...new Set(block.keys.map((key) => key.zone))];
}

/** `fallthrough [ZONES…]`: the zones for which it holds; without any it holds for every name. */
export function fallthroughFrom(line: Line): readonly Name[] {
  return line.args.length > 0 ? zoneListFrom(line.args) : [ROOT];
}

/** An IP address. */
export function addressOf(token: Token): Address {
  return addressFrom(token.text) ?? refuse(token, 'an IP address');
}

/** Where an HTTP server listens: `:PORT`, `HOST:PORT`; an empty host means all of the machine's addresses. */
export function listenAddress(token: Token): { readonly host: string; readonly port: number } {
  const { host, port } = hostAndPort(token.text) ?? { host: '', port: undefined };
  const isHost = host === '' || host === 'localhost' || addressFrom(host) !== undefined;
  if (!isHost || port === undefined)
    refuse(token, 'an address to listen on: :8080, 192.0.2.1:8080, [2001:db8::1]:8080');
  return { host, port };
}

/** `a, b or c` */
function orList(words: readonly string[]): string {
  if (words.length < 2) return words.join();
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;
}

function hostAndPort(text: string): { host: string; port: number | undefined } | undefined {
  if (addressFrom(text) !== undefined) return { host: text, port: undefined };
  const parts = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::([0-9]{1,5}))?$/.exec(text);
  if (parts === null || Number(parts[3] ?? 0) > 65_535) return undefined;
  return { host: parts[1] ?? parts[2] ?? '', port: parts[3] === undefined ? undefined : Number(parts[3]) };
}

const UNITS: ReadonlyMap<string, Milliseconds> = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['\u00b5s', 1e-3],
  ['\u03bcs', 1e-3],
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

function milliseconds(text: string): Milliseconds | undefined {
  if (/^[+-]?0$/.test(text)) return 0;
  if (!/^[+-]?(?:[0-9.]{1,20}[a-z\u00b5\u03bc]{1,2}){1,8}$/.test(text)) return undefined;
  let total = 0;
  for (const [, digits = '', unit = ''] of text.matchAll(/([0-9.]+)([a-z\u00b5\u03bc]+)/g)) {
    const size = UNITS.get(unit);
    if (size === undefined || !/^(?:[0-9]+\.?[0-9]*|\.[0-9]+)$/.test(digits)) return undefined;
    total += Number(digits) * size;
  }
  return text.startsWith('-') ? -total : total;
}

/** As short as Go would write it in a Corefile: `5s`, `1h`, `250ms`. */
function presentDuration(value: Milliseconds): string {
  for (const unit of ['h', 'm', 's']) {
    const size = UNITS.get(unit) ?? 1;
    if (value >= size && value % size === 0) return `${value / size}${unit}`;
  }
  return `${value}ms`;
}
