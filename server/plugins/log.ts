/** `log`: writes a line for each query. Knows which queries are logged; log-format.ts knows how a line looks. */

import { isWithin, ROOT, type Name } from '../../zones/name.ts';
import { Rcode, RRType } from '../../zones/rr.ts';
import type { Directive, Line, Token } from '../corefile/block.ts';
import { printable } from '../corefile/fault.ts';
import { argumentsOf, choiceFrom, optionsOf, unknownOption, zoneListFrom } from '../corefile/values.ts';
import { CorefileError } from '../errors.ts';
import type { Plugin, PluginContext } from '../pipeline.ts';
import type { Reply } from '../query.ts';
import { COMMON_FORMAT, compileFormat, metadataLabels } from './log-format.ts';
import { metadataOf } from './metadata.ts';

/** What a reply says, in CoreDNS's words (plugin/pkg/response). */
type ReplyType = 'NOERROR' | 'DELEGATION' | 'NXDOMAIN' | 'NODATA' | 'SERVERERROR' | 'OTHERERROR';
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
    const metadata = metadataOf(context.shared);
    metadata.publish('log/type', ({ reply }) => typeOf(reply));
    metadata.publish('log/class', ({ reply }) => classOf(reply));
    if (context.isFirst) context.onStart(() => warnOfDashes(rules, context));
    const compiled = rules.map((rule) => ({
      ...rule,
      write: compileFormat(rule.format, (label, exchange) => metadata.value(label, exchange)),
    }));
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

function classOf(reply: Reply): ReplyClass {
  return CLASS_OF[typeOf(reply)];
}

/** An empty NOERROR with an SOA is NODATA; one without is a delegation, or says nothing (RFC 2308 section 2). */
function typeOf({ rcode, answer, authority }: Reply): ReplyType {
  if (rcode === Rcode.NXDOMAIN) return 'NXDOMAIN';
  if (rcode === Rcode.SERVFAIL || rcode === Rcode.NOTIMP) return 'SERVERERROR';
  if (rcode !== Rcode.NOERROR) return 'OTHERERROR';
  if (answer.length > 0) return 'NOERROR';
  if (authority.some((set) => set.type === RRType.SOA)) return 'NODATA';
  return authority.some((set) => set.type === RRType.NS) ? 'DELEGATION' : 'NOERROR';
}

const CLASS_OF: { readonly [type in ReplyType]: ReplyClass } = {
  NOERROR: 'success',
  DELEGATION: 'success',
  NXDOMAIN: 'denial',
  NODATA: 'denial',
  SERVERERROR: 'error',
  OTHERERROR: 'error',
};

/** Who asks for what nobody will ever say is told once, and not by a column of dashes. */
function warnOfDashes(rules: readonly LogRule[], { shared, log }: PluginContext): void {
  const metadata = metadataOf(shared);
  const missing = new Set(
    rules.flatMap(({ format }) => metadataLabels(format).filter((label) => !metadata.has(label))),
  );
  for (const label of missing) {
    log('warning', 'plugin/log', `{/${printable(label)}} will always be "-": no plugin of the server block says it`);
  }
  if (metadata.isCollected || !rules.some(({ format }) => metadataLabels(format).length > 0)) return;
  log('warning', 'plugin/log', '{/…} will always be "-": add metadata to the server block');
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
