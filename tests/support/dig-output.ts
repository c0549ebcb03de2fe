/** What dig and kdig print, taken apart. Knows their layout, not what the records mean. */

/** The header line and the records of one reply, as they were printed; TTLs are left in. */
export type PrintedReply = {
  readonly status: string;
  readonly flags: readonly string[];
  /** `name ttl class type rdata`, one space between the words, in the order they were printed. */
  readonly answer: readonly string[];
  readonly authority: readonly string[];
  readonly additional: readonly string[];
  /** The lines of the OPT pseudosection, without the comment sign. */
  readonly edns: readonly string[];
  /** `UDP` or `TCP`, whichever brought the reply. */
  readonly transport: string;
};

/** The replies in what dig or kdig wrote with its usual output settings. */
export function printedReplies(output: string): PrintedReply[] {
  return output
    .split(/^;; ->>HEADER<<- /m)
    .slice(1)
    .map(printedReply);
}

/** The one reply that is expected. */
export function onlyReply(output: string): PrintedReply {
  const [reply, ...others] = printedReplies(output);
  if (reply === undefined || others.length > 0)
    throw new Error(`not one reply but ${others.length + 1 - Number(reply === undefined)}:\n${output}`);
  return reply;
}

/** The record without its TTL, for records whose TTL counts down. */
export function withoutTtl(record: string): string {
  return record.replace(/^(\S+) \d+ /, '$1 ');
}

/** The TTL of a record. */
export function ttlOf(record: string): number {
  return Number(record.split(' ')[1]);
}

function printedReply(text: string): PrintedReply {
  const section = (name: string): string[] => {
    const lines = new RegExp(`^;; ${name} (?:PSEUDO)?SECTION:\\n((?:(?!;;).+\\n)*)`, 'm').exec(text)?.[1] ?? '';
    return lines.split('\n').filter((line) => line !== '');
  };
  const records = (name: string): string[] => section(name).map((line) => line.trim().replace(/\s+/g, ' '));
  return {
    status: /status: ([A-Z0-9]+)/.exec(text)?.[1] ?? '',
    flags: (/^;; [Ff]lags: ([a-z ]*);/m.exec(text)?.[1] ?? '').trim().split(' '),
    answer: records('ANSWER'),
    authority: records('AUTHORITY'),
    additional: records('ADDITIONAL'),
    edns: edns(text),
    transport: /\((UDP|TCP)\)/.exec(text)?.[1] ?? '',
  };
}

/** dig: `;; OPT PSEUDOSECTION:` and lines with one sign; kdig: `;; EDNS PSEUDOSECTION:` and lines with two. */
function edns(text: string): string[] {
  const lines = /^;; (?:OPT|EDNS) PSEUDOSECTION:\n((?:;;? [A-Z].*\n)*)/m.exec(text)?.[1] ?? '';
  return lines
    .split('\n')
    .filter((line) => line !== '' && !line.endsWith('SECTION:'))
    .map((line) => line.replace(/^;;? /, '').trim());
}
