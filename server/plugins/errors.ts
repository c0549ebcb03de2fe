/** `errors`: logs the fault behind a SERVFAIL or REFUSED. Knows no fault by its text: who makes the reply puts it there. */

import { present } from '../../zones/name.ts';
import { typeName } from '../../zones/rr.ts';
import type { Line } from '../corefile/block.ts';
import { refuse } from '../corefile/fault.ts';
import {
  argumentsOf,
  choiceFrom,
  durationFrom,
  noArguments,
  onlyDirective,
  optionsOf,
  unknownOption,
} from '../corefile/values.ts';
import { CorefileError } from '../errors.ts';
import type { Level } from '../log.ts';
import type { Exchange, Plugin, PluginContext } from '../pipeline.ts';
import { Consolidation, RULES_MAX, type ConsolidationRule } from './consolidation.ts';
import { patternFrom } from './pattern.ts';
import { systemSchedule, TIMER_MAX } from '../timer.ts';

/** In file order; the first rule that fits a fault decides. */
export type ErrorsOptions = { readonly rules: readonly ConsolidationRule[] };

export const errors: Plugin<ErrorsOptions> = {
  name: 'errors',
  parse(directives) {
    const directive = onlyDirective(directives);
    const [target] = argumentsOf(directive, 0, 1, 'errors [stdout]');
    if (target !== undefined) choiceFrom(target, ['stdout']);
    const rules: ConsolidationRule[] = [];
    for (const line of optionsOf(directive)) {
      if (line.name.text === 'stacktrace') noArguments(line);
      else if (line.name.text === 'consolidate') rules.push(ruleFrom(line, rules.length));
      else unknownOption(line, 'errors', OPTIONS);
    }
    return { rules };
  },
  observer({ rules }, context) {
    const consolidation = context.keep(
      keyOf(rules, context),
      () => new Consolidation(rules, context.log, systemSchedule),
    );
    const report = ({ query, reply }: Exchange): void => {
      if (reply.fault === undefined) return;
      const { name, type } = query.question;
      consolidation.report(reply.fault, `${reply.rcode} ${present(name)} ${typeName(type)}: ${reply.fault}`);
    };
    // What is said again has no fault.
    return Object.assign(report, { tally: () => () => {} });
  },
};

const OPTIONS: readonly string[] = ['stacktrace', 'consolidate'];
const LEVELS: readonly Level[] = ['warning', 'error', 'info', 'debug'];
const SHOW_FIRST = 'show_first';

function ruleFrom(line: Line, before: number): ConsolidationRule {
  if (before >= RULES_MAX) {
    throw new CorefileError(
      line.name.position,
      `errors has more than ${RULES_MAX} consolidate lines; join patterns with |`,
    );
  }
  const usage = 'consolidate DURATION REGEX [LEVEL] [show_first]';
  const [duration = line.name, regex = line.name, ...rest] = argumentsOf(line, 2, 4, usage);
  const showFirst = rest.at(-1)?.text === SHOW_FIRST;
  const [level, surplus] = showFirst ? rest.slice(0, -1) : rest;
  const known = level === undefined ? 'error' : choiceFrom(level, LEVELS);
  if (surplus !== undefined) refuse(surplus, SHOW_FIRST);
  return {
    period: durationFrom(duration, 1, TIMER_MAX),
    periodText: duration.text,
    pattern: patternFrom(regex),
    level: known,
    showFirst,
  };
}

/** A block whose names and rules stay the same goes on counting through a reload. */
function keyOf(rules: readonly ConsolidationRule[], { block }: PluginContext): string {
  const keys = block.keys.map(({ transport, zone, port }) => [transport, zone, port]);
  return `errors ${JSON.stringify([keys, rules])}`;
}
