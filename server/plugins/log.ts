/** `log`: writes a line for each query. Knows which queries are logged; log-format.ts knows how a line looks. */

import { isWithin, ROOT, type Name } from '../../zones/name.ts';
import { Rcode, RRType } from '../../zones/rr.ts';
import type { Directive, Line, Token } from '../corefile/block.ts';
import { argumentsOf, choiceFrom, optionsOf, unknownOption, zoneListFrom } from '../corefile/values.ts';
import { CorefileError } from '../errors.ts';
import type { Plugin } from '../pipeline.ts';
import type { Reply } from '../query.ts';
import { COMMON_FORMAT, compileFormat } from './log-format.ts';

/** What kind of reply it was: a denial is NXDOMAIN or NODATA. */
type ReplyClass = 'success' | 'denial' | 'error';

/** In file order; the first rule with a name at or above the question's decides. */
export type LogOptions = { readonly rules: readonly LogRule[] };

type LogRule = {
  readonly names: readonly Name[];
  readonly format: string;
  readonly classes: readonly ReplyClass[];
};

export const log: Plugin<LogOptions> = {
  name: 'log',
  parse: (directives) => ({ rules: directives.map(ruleFrom) }),
  observer({ rules }, context) {
    const compiled = rules.map((rule) => ({ ...rule, write: compileFormat(rule.format) }));
    return (exchange) => {
      const { name } = exchange.query.question;
      for (const { names, classes, write } of compiled) {
        if (!isUnderOne(name, names)) continue;
        if (classes.includes(classOf(exchange.reply))) context.log('info', '', write(exchange));
        return;
      }
    };
  },
};

/** NXDOMAIN is a denial, and so is an empty NOERROR with an SOA; one without is a delegation or an empty answer (RFC 2308 section 2). */
function classOf({ rcode, answer, authority }: Reply): ReplyClass {
  if (rcode === Rcode.NXDOMAIN) return 'denial';
  if (rcode !== Rcode.NOERROR) return 'error';
  if (answer.length === 0 && authority.some((set) => set.type === RRType.SOA)) return 'denial';
  return 'success';
}

const CLASSES: readonly ReplyClass[] = ['success', 'denial', 'error'];

function isUnderOne(name: Name, names: readonly Name[]): boolean {
  for (const ancestor of names) if (isWithin(name, ancestor)) return true;
  return false;
}

function ruleFrom(directive: Directive): LogRule {
  const { names, format } = scopeFrom(directive.args);
  const lines = optionsOf(directive);
  const classes = new Set(lines.flatMap(classesFrom));
  return { names, format, classes: lines.length === 0 ? CLASSES : CLASSES.filter((each) => classes.has(each)) };
}

/** A last word with a brace is the format, if there are names before it. */
function scopeFrom(args: readonly Token[]): { names: readonly Name[]; format: string } {
  const last = args.at(-1);
  if (last === undefined) return { names: [ROOT], format: COMMON_FORMAT };
  if (!last.text.includes('{')) return { names: zoneListFrom(args), format: COMMON_FORMAT };
  if (args.length > 1) return { names: zoneListFrom(args.slice(0, -1)), format: last.text };
  throw new CorefileError(last.position, 'a format needs the names that it is for: write log . and then the format');
}

function classesFrom(line: Line): readonly ReplyClass[] {
  if (line.name.text !== 'class') unknownOption(line, 'log', ['class']);
  const words = argumentsOf(line, 1, Infinity, 'class all|success|denial|error …');
  return words.flatMap((word) => {
    const choice = choiceFrom(word, ['all', ...CLASSES] as const);
    return choice === 'all' ? CLASSES : [choice];
  });
}
