/** The same questions to fivedots, Knot and NSD with the same zones; `npm run differential` asks more of them. */

import { needing } from '../support/needing.ts';
import { compare } from './differential.ts';
import { EXPLANATIONS } from './explanations.ts';
import type { Question } from './questions.ts';
import { PEERS } from './servers.ts';

const compares = needing(...PEERS);

compares('2,000 questions have no difference that is not meant', async (t) => {
  const { questions, first, reproduced, explained, unexplained } = await compare(2_000, 20);
  t.is(questions, 2_000);
  t.deepEqual(unexplained, []);
  t.true(first >= reproduced);
  t.is(
    [...explained.values()].reduce((sum, each) => sum + each, 0),
    reproduced,
  );
  t.log(EXPLANATIONS.map(({ name }) => `${name}: ${explained.get(name)}`).join(', '));
});

/** One record of Knot's zones is changed in each way, and a question asked that must show it. */
const CHANGES: readonly {
  readonly what: string;
  /** The lines that may be changed. */
  readonly line: RegExp;
  /** undefined takes the line away. */
  readonly change: (line: string) => string | undefined;
  readonly question: (owner: string, type: string) => Question;
}[] = [
  {
    what: 'another address',
    line: / A 10\./,
    change: (line) => line.replace(/ 10\.\d+/, ' 10.99'),
    question: (name, type) => ({ name, type }),
  },
  {
    what: 'another TTL',
    line: / IN AAAA /,
    change: (line) => line.replace(/ (\d+) /, (_, ttl: string) => ` ${Number(ttl) + 1} `),
    question: (name, type) => ({ name, type }),
  },
  {
    what: 'a record that is missing',
    line: / PTR /,
    change: () => undefined,
    question: (name, type) => ({ name, type }),
  },
  {
    what: 'another port',
    line: /^_http\._tcp\..* SRV /,
    change: (line) =>
      line.replace(/ (\d+) (\S+)$/, (_, port: string, target: string) => ` ${Number(port) + 1} ${target}`),
    question: (name, type) => ({ name, type }),
  },
  {
    what: 'another port, asked for without underscores',
    line: /^_dns\._udp\..* SRV /,
    change: (line) =>
      line.replace(/ (\d+) (\S+)$/, (_, port: string, target: string) => ` ${Number(port) + 1} ${target}`),
    question: (name, type) => ({ name: name.replaceAll('_', ''), type }),
  },
  {
    what: 'another target of an alias',
    line: / CNAME www\.example\.org\.$/,
    change: (line) => line.replace('www.', 'ww.'),
    question: (name) => ({ name, type: 'MX' }),
  },
  {
    what: 'another text',
    line: / TXT /,
    change: (line) => line.replace('1.1.0', '1.1.1'),
    question: (name, type) => ({ name, type }),
  },
  {
    what: 'a name server more',
    line: /^d\.f\.ip6\.arpa\. .* NS /,
    change: (line) => `${line}\n${line.replace(/ \S+$/, ' more.example.org.')}`,
    question: (name, type) => ({ name, type }),
  },
  {
    what: 'another time that denials may be kept',
    line: /^10\.in-addr\.arpa\. .* SOA /,
    change: (line) => line.replace(/\d+$/, '1'),
    question: (name) => ({ name: `nosuch.${name}`, type: 'A' }),
  },
];

compares('one changed record is noticed, whatever is changed in it', async (t) => {
  const questions: Question[] = [];
  const changed = new Set<string>();
  const { unexplained, reproduced } = await compare(0, 20, {
    corrupted(lines, authority) {
      if (authority !== 'knotd') return lines;
      return lines.flatMap((line) => {
        const change = CHANGES.find((each) => !changed.has(each.what) && each.line.test(line));
        if (change === undefined) return [line];
        changed.add(change.what);
        const [owner = '', , , type = ''] = line.split(' ');
        questions.push(change.question(owner.replace(/\.$/, ''), type));
        return change.change(line) ?? [];
      });
    },
    questions: () => questions,
  });
  t.deepEqual([...changed].toSorted(), CHANGES.map(({ what }) => what).toSorted());
  t.is(reproduced, CHANGES.length);
  t.deepEqual(
    unexplained.map((text) => text.split('\n')[0] ?? '').toSorted(),
    questions.map(({ name, type }) => `${name} ${type}`).toSorted(),
  );
  for (const text of unexplained)
    t.regex(text, /^ {2}fivedots .*\n {2}knotd /m, 'it says who said what, and NSD is right');
});
