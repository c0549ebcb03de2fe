/**
 * Reads Prometheus' text exposition format, strictly, as its documentation describes it. Shares nothing with what writes it.
 */

export type ExposedSample = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
};
export type ExposedFamily = {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly ExposedSample[];
};

/** @throws Error at the first line that a scraper would refuse */
export function readExposition(text: string): Map<string, ExposedFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const families = new Map<string, { name: string; type: string; help: string; samples: ExposedSample[] }>();
  const seen = new Set<string>();
  let current: string | undefined;
  for (const line of text.slice(0, -1).split('\n')) {
    if (line === '') continue;
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*)(?: (.*))?$/s.exec(line);
    if (comment !== null) {
      const [, what, name = '', rest = ''] = comment;
      const family = families.get(name) ?? { name, type: '', help: '', samples: [] };
      if (what === 'TYPE') {
        if (family.type !== '') throw new Error(`a second TYPE: ${line}`);
        if (!['counter', 'gauge', 'histogram', 'summary', 'untyped'].includes(rest))
          throw new Error(`bad type: ${line}`);
        family.type = rest;
      } else {
        if (family.help !== '') throw new Error(`a second HELP: ${line}`);
        family.help = rest;
      }
      families.set(name, family);
      current = name;
      continue;
    }
    const sample = readSample(line);
    const family = families.get(current ?? '');
    if (family === undefined || !belongs(sample.name, family)) throw new Error(`a sample outside its family: ${line}`);
    const key = JSON.stringify([sample.name, Object.entries(sample.labels).toSorted(byName)]);
    if (seen.has(key)) throw new Error(`a series twice: ${line}`);
    seen.add(key);
    family.samples.push(sample);
  }
  for (const family of families.values()) if (family.type === 'histogram') checkHistogram(family);
  return families;
}

function belongs(name: string, family: { readonly name: string; readonly type: string }): boolean {
  if (family.type !== 'histogram' && family.type !== 'summary') return name === family.name;
  return ['_bucket', '_sum', '_count', ''].some((end) => name === `${family.name}${end}`);
}

function readSample(line: string): ExposedSample {
  let at = 0;
  const take = (pattern: RegExp): string => {
    const sticky = new RegExp(pattern.source, 'sy');
    sticky.lastIndex = at;
    const found = sticky.exec(line);
    if (found === null) throw new Error(`character ${at} is not ${pattern.source}: ${line}`);
    at = sticky.lastIndex;
    return found[0];
  };
  const name = take(/[a-zA-Z_:][a-zA-Z0-9_:]*/);
  const labels: Record<string, string> = {};
  if (line[at] === '{') {
    take(/\{/);
    while (line[at] !== '}') {
      const label = take(/[a-zA-Z_][a-zA-Z0-9_]*/);
      if (Object.hasOwn(labels, label)) throw new Error(`label ${label} twice: ${line}`);
      take(/="/);
      let value = '';
      while (line[at] !== '"') value += unescaped(take(/\\[\\"n]|[^\\"\n]/));
      take(/"/);
      labels[label] = value;
      if (line[at] !== '}') take(/,/);
    }
    take(/\}/);
  }
  take(/ /);
  const number = take(/[+-]?Inf|NaN|[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?/);
  if (at !== line.length) throw new Error(`something after the value: ${line}`);
  return { name, labels, value: Number(number.replace('Inf', 'Infinity')) };
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}

function unescaped(text: string): string {
  if (text === '\\n') return '\n';
  return text.startsWith('\\') ? text.slice(1) : text;
}

/** Buckets rise, +Inf is there and equals the count, and there is a sum. */
function checkHistogram(family: ExposedFamily): void {
  const keyOf = ({ labels }: ExposedSample): string =>
    JSON.stringify(
      Object.entries(labels)
        .filter(([label]) => label !== 'le')
        .toSorted(byName),
    );
  for (const [key, samples] of Map.groupBy(family.samples, keyOf)) {
    const buckets = samples.filter(({ name }) => name.endsWith('_bucket'));
    const bounds = buckets.map(({ labels }) => Number((labels['le'] ?? 'NaN').replace('Inf', 'Infinity')));
    const counts = buckets.map(({ value }) => value);
    const count = samples.find(({ name }) => name.endsWith('_count'))?.value;
    const isRising = (values: readonly number[]): boolean =>
      values.every((value, i) => i === 0 || value >= (values[i - 1] ?? 0));
    if (!isRising(bounds) || !isRising(counts)) throw new Error(`buckets of ${family.name}${key} do not rise`);
    if (bounds.at(-1) !== Infinity || counts.at(-1) !== count)
      throw new Error(`+Inf of ${family.name}${key} is not the count`);
    if (!samples.some(({ name }) => name.endsWith('_sum'))) throw new Error(`${family.name}${key} has no sum`);
  }
}
