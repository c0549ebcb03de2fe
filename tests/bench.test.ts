/** The bench as people run it, made tiny: it ends with a table, or with what was wrong. No figure decides a test. */

import { execFile, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import test from 'ava';
import dnsPacket, { type Answer, type SrvAnswer } from 'dns-packet';

import { presentRounds, type Rounds } from '../bench/figures.ts';
import { presentGoals, setRatios, type Goals } from '../bench/goals.ts';
import { wordsOf, type Load, type Measurement } from '../bench/job.ts';
import { withNative } from '../bench/native.ts';
import {
  addressQuestion,
  addressRecord,
  aliasRecord,
  questionOf,
  serviceRecord,
  type BenchQuestion,
} from '../bench/question.ts';
import { questionFileOf, questionsFrom } from '../bench/question-file.ts';
import { faultOf } from '../bench/reply-check.ts';

const TINY = ['--alone', '--rounds', '1', '--seconds', '0.2', '--names', '4', '--queries', '2000'];

test.before('a folder without a compiler', async () => {
  for (const program of ['sh', 'taskset']) {
    if (existsSync(`/bin/${program}`)) await symlink(`/bin/${program}`, join(withoutCompiler, program));
  }
});
test.after.always(() => rm(withoutCompiler, { recursive: true }));

const withoutCompiler = mkdtempSync(join(tmpdir(), 'fivedots-programs-'));
const GENERATORS = [
  { generator: 'of what is there', path: process.env['PATH'] ?? '' },
  { generator: 'in JavaScript', path: withoutCompiler },
];

test('a tiny run of everything ends with a row for each workload and each measurement', async (t) => {
  t.timeout(180_000);
  const { code, output } = await bench(TINY);
  t.is(code, 0, output);
  const isCompiled = output.includes('The generator is in C');
  const rows = ['cluster', 'mixed', 'cached', 'big', 'uncached', '1 services', '40 services', '400 services', 'memory'];
  for (const row of rows) t.regex(output, new RegExp(`^${row} +fivedots +[0-9]`, 'm'));
  t.regex(output, /^cluster +fivedots --no-express +[1-9]/m);
  t.regex(output, /^[0-9,]+ queries +fivedots +[0-9.]+ B/m);
  for (const row of ['cluster +floor', 'tcp +fivedots', 'big-tcp +fivedots', '[0-9,]+/s +fivedots'])
    t.is(new RegExp(`^${row} +[0-9]`, 'm').test(output), isCompiled, row);
  for (const figure of ['CPU, --no-express against express', 'growth', 'allocation', 'memory, idle'])
    t.regex(output, new RegExp(`^${figure} +(reached|missed)? +[0-9]`, 'm'));
});

test('without a C compiler a run says so and leaves out what needs one', async (t) => {
  t.timeout(120_000);
  const { code, output } = await bench([...TINY, 'cluster', 'tcp', 'latency'], withoutCompiler);
  t.is(code, 0, output);
  t.regex(output, /The generator is in JavaScript/);
  t.regex(output, /^cluster +fivedots +[1-9]/m);
  t.regex(output, /tcp: without a C compiler nobody asks over TCP/);
  t.regex(output, /latency: left out/);
});

test.serial('a quick run with clusters that change ends with a row for each measurement', async (t) => {
  t.timeout(180_000);
  const sizes = ['--services', '100', '--endpoints', '11000', '--pods', '200', '--samples', '3', '--events', '400'];
  const { code, output } = await bench(['watch', '--quick', ...sizes]);
  t.is(code, 0, output);
  for (const row of ['first sync', 'idle', 'relist', 'empty cluster', 'synced', 'churn, 400 events']) {
    t.regex(output, new RegExp(`^${row} +fivedots +[0-9]`, 'm'));
  }
  for (const rate of ['100', '1,000']) t.regex(output, new RegExp(`^${rate} changes/s +fivedots +3 `, 'm'));
  for (const endpoints of ['110', '1,100', '11,000']) {
    t.regex(output, new RegExp(`^${endpoints} endpoints +fivedots +a slice of 100 +[1-9]`, 'm'));
  }
  t.regex(output, /^11,000 endpoints +fivedots +550 in slices of 100 +[1-9]/m);
});

test('a tiny run of whole look-ups ends with a row for each way', async (t) => {
  t.timeout(120_000);
  const { code, output } = await bench(['ndots', 'cost', '--names', '4', '--rounds', '1', '--seconds', '0.2']);
  t.is(code, 0, output);
  for (const row of [
    'outside name, walk +fivedots +8',
    'outside name, completed +fivedots, autopath +2',
    'outside name, bare +fivedots +2',
    'missing name, walk +fivedots, autopath +8',
  ]) {
    t.regex(output, new RegExp(`^${row} +[0-9.]+ µs`, 'm'));
  }
});

for (const { generator, path } of GENERATORS) {
  for (const { title, replies, told } of [
    {
      title: 'a wrong address',
      replies: 'everything',
      told: /liar: [1-9][0-9]* of [0-9]+ answers were wrong.*\n.*an address is 10\.96\.1\.0, not 10\.96\.1\.[1-3]/,
    },
    { title: 'a missing answer', replies: 'the first name', told: /liar: [1-9][0-9]* of [0-9]+ answers were missing/ },
  ]) {
    test(`${title} fails the bench, which says whose it was, with a generator ${generator}`, async (t) => {
      t.timeout(120_000);
      const folder = await mkdtemp(join(tmpdir(), 'fivedots-liar-'));
      t.teardown(() => rm(folder, { recursive: true }));
      const liar = join(folder, 'liar.mjs');
      await writeFile(liar, LIAR);
      const peer = `liar=${process.execPath} ${liar} '${replies}'`;
      const { code, output } = await bench([...TINY, '--peer', peer, 'cluster'], path);
      t.is(code, 1, output);
      t.regex(output, told);
    });
  }
}

for (const words of [
  ['nosuch'],
  ['--rounds', '0'],
  ['--peer', 'knotd'],
  ['--with', 'dgram'],
  ['--fast'],
  ['--queries', 'many'],
  ['watch', 'nosuch'],
  ['ndots', 'nosuch'],
  ['ndots', '--pods', '0'],
  ['watch', '--pods', '0.5'],
]) {
  test(`"${words.join(' ')}" is answered with how to use it`, async (t) => {
    const { code, output } = await bench(words);
    t.is(code, 2);
    t.regex(output, /npm run bench/);
  });
}

const NAME = 'web.shop.svc.cluster.local';
const A: Answer = { name: NAME, type: 'A', ttl: 5, data: '10.96.0.1' };
const B: Answer = { name: NAME, type: 'A', ttl: 5, data: '10.96.0.2' };
const SOA: Answer = { name: 'cluster.local', type: 'SOA', data: { mname: 'ns', rname: 'hostmaster' } };
const present = addressQuestion(NAME, ['10.96.0.1', '10.96.0.2']);
const absent = addressQuestion(NAME, []);
const empty = questionOf(NAME, []);
const part = questionOf(
  NAME,
  ['10.96.0.1', '10.96.0.2', '10.96.0.3'].map((address) => addressRecord(address)),
  { payloadSize: 1232, isTruncated: true },
);
const port = questionOf(NAME, [serviceRecord(0, 100, 80, 'a.shop.svc.cluster.local')], { type: 33 });
const SRV: SrvAnswer = {
  name: NAME,
  type: 'SRV',
  data: { priority: 0, weight: 100, port: 80, target: 'A.shop.svc.cluster.local' },
};
const TARGET = 'www.example.org';
const aliased = questionOf(NAME, [aliasRecord(TARGET), addressRecord('10.96.0.1')]);
const ALIAS: Answer = { name: NAME, type: 'CNAME', data: 'WWW.example.org' };
const counted = questionOf('u-000000.example.org', [addressRecord('11.0.0.0')], { isCounted: true });
const COUNTED: Answer = { name: 'u-000000.example.org', type: 'A', data: '11.0.0.0' };

const REPLIES = [
  { title: 'all addresses', reply: octets({ answers: [A, B] }), question: present, fault: undefined },
  { title: 'all addresses in another order', reply: octets({ answers: [B, A] }), question: present, fault: undefined },
  { title: 'a denial', reply: octets({ rcode: 3, authorities: [SOA] }), question: absent, fault: undefined },
  {
    title: 'one address twice',
    reply: octets({ answers: [A, A] }),
    question: present,
    fault: /address is 10\.96\.0\.1, not 10\.96\.0\.2/,
  },
  { title: 'too few addresses', reply: octets({ answers: [A] }), question: present, fault: /1 answers, not 2/ },
  {
    title: 'an address of another name',
    reply: octets({ answers: [A, { ...B, name: 'www.shop.svc.cluster.local' }] }),
    question: present,
    fault: /owner/,
  },
  {
    title: 'another type',
    reply: octets({ answers: [A, { name: NAME, type: 'TXT', data: 'abc' }] }),
    question: present,
    fault: /no A record/,
  },
  {
    title: 'another question',
    reply: octets({ answers: [A, B], name: 'www.shop.svc.cluster.local' }),
    question: present,
    fault: /another question/,
  },
  { title: 'a query', reply: Buffer.from(present.query), question: present, fault: /no reply/ },
  {
    title: 'truncation',
    reply: octets({ flags: dnsPacket.TRUNCATED_RESPONSE }),
    question: present,
    fault: /truncated/,
  },
  { title: 'a failure', reply: octets({ rcode: 2 }), question: present, fault: /rcode is 2, not 0/ },
  { title: 'existence', reply: octets({ answers: [A] }), question: absent, fault: /rcode is 0, not 3/ },
  { title: 'a denial without SOA', reply: octets({ rcode: 3 }), question: absent, fault: /SOA/ },
  { title: 'half a reply', reply: octets({ answers: [A, B] }).subarray(0, -8), question: present, fault: /too early/ },
  { title: 'three octets', reply: Buffer.alloc(3), question: present, fault: /too early/ },
  { title: 'NODATA', reply: octets({ authorities: [SOA] }), question: empty, fault: undefined },
  { title: 'nothing at all', reply: octets({}), question: empty, fault: /SOA/ },
  {
    title: 'a part where all would not fit',
    reply: octets({ flags: dnsPacket.TRUNCATED_RESPONSE, answers: [B, A] }),
    question: part,
    fault: undefined,
  },
  {
    title: 'another part',
    reply: octets({ flags: dnsPacket.TRUNCATED_RESPONSE, answers: [{ ...A, data: '10.96.0.4' }] }),
    question: part,
    fault: /address is 10\.96\.0\.4/,
  },
  { title: 'all where all would not fit', reply: octets({ answers: [A, B] }), question: part, fault: /not truncated/ },
  { title: 'a port', reply: octets({ type: 'SRV', answers: [SRV] }), question: port, fault: undefined },
  {
    title: 'another port',
    reply: octets({ type: 'SRV', answers: [{ ...SRV, data: { ...SRV.data, port: 81 } }] }),
    question: port,
    fault: /answer is another/,
  },
  {
    title: 'a pointer that leads nowhere',
    reply: Buffer.concat([octets({ type: 'SRV', answers: [SRV] }).subarray(0, -1), Buffer.from([0xff])]),
    question: port,
    fault: /./,
  },
  {
    title: 'an alias and the address of its target',
    reply: octets({ answers: [ALIAS, { ...A, name: TARGET }] }),
    question: aliased,
    fault: undefined,
  },
  {
    title: 'an alias and an address of its own',
    reply: octets({ answers: [ALIAS, A] }),
    question: aliased,
    fault: /owner/,
  },
  {
    title: 'an alias of another name',
    reply: octets({ answers: [{ ...ALIAS, data: NAME }, A] }),
    question: aliased,
    fault: /address is|answer is|A record/,
  },
  {
    title: 'the address of the number',
    reply: octets({ name: 'u-000000.example.org', answers: [COUNTED] }),
    question: counted,
    fault: undefined,
  },
  {
    title: 'the address of another number',
    reply: octets({ name: 'u-000000.example.org', answers: [{ ...COUNTED, data: '11.0.0.1' }] }),
    question: counted,
    fault: /11\.0\.0\.1|another number/,
  },
];

for (const { title, reply, question, fault } of REPLIES) {
  test(`${title} ${fault === undefined ? 'passes' : 'does not pass'} for a right answer`, (t) => {
    const found = faultOf(reply, question);
    if (fault === undefined) t.is(found, undefined);
    else t.regex(found ?? 'no fault', fault);
  });
}

test('the generator in C judges the same replies as the one in JavaScript does', async (t) => {
  t.timeout(120_000);
  t.pass();
  await withNative(async (native) => {
    if (native === undefined) t.log('no C compiler works here');
    for (const { title, reply, question, fault } of native === undefined ? [] : REPLIES) {
      const { tally } = await askedOnce(native?.generator ?? '', question, reply);
      const found = tally.faults[0];
      if (fault === undefined) t.deepEqual([tally.answered, tally.wrong], [tally.asked, 0], `${title}: ${found}`);
      else t.true(tally.wrong > 0 && found !== undefined, title);
    }
  });
});

test('a file of questions holds what was written into it', (t) => {
  const questions = REPLIES.map(({ question }) => question);
  const read = questionsFrom(questionFileOf(questions));
  t.deepEqual(
    read.map((question) => ({ ...question, query: [...question.query], records: question.records.map((r) => [...r]) })),
    questions.map((question) => ({
      ...question,
      query: [...question.query],
      records: question.records.map((r) => [...r]),
    })),
  );
});

test('ratios are medians of the rounds, and goals say whether they are reached', (t) => {
  const rounds = (server: string, costs: readonly number[]): Rounds => ({
    workload: 'cluster',
    server,
    figures: costs.map((cpuPerQuery) => ({ cpuPerQuery, answersPerSecond: 1e5 })),
  });
  const all = [rounds('fivedots', [6, 4, 9]), rounds('Knot', [6, 5, 5]), rounds('fivedots --no-express', [9, 8, 9])];
  t.regex(presentRounds(all, ['Knot', 'NSD']), /^cluster +fivedots +6\.00 µs \(4\.00–9\.00\) +100,000 +60 % +1\.00$/m);
  const goals: Goals = new Map([['growth', 1.2]]);
  setRatios(goals, all);
  const text = presentGoals(goals);
  t.regex(text, /^CPU, cluster, against Knot +reached +1\.00 +≤ 1\.15$/m);
  t.regex(text, /^CPU, --no-express against express +1\.50$/m);
  t.regex(text, /^growth +missed +1\.20 +≤ 1\.1$/m);
  t.notRegex(text, /mixed/);
});

/** What the generator says of one question that is answered with that reply, whatever its id. */
async function askedOnce(generator: string, question: BenchQuestion, reply: Buffer): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), 'fivedots-asked-'));
  const socket = createSocket('udp4');
  try {
    const file = join(folder, 'questions');
    await writeFile(file, questionFileOf([question]));
    socket.on('message', (query, peer) => {
      const copy = Buffer.from(reply);
      if (copy.length >= 2) query.copy(copy, 0, 0, 2);
      socket.send(copy, peer.port, peer.address);
    });
    const listening = once(socket, 'listening');
    socket.bind(0, '127.0.0.1');
    await listening;
    const load: Load = { warmUp: 0, duration: 0, window: 1, sockets: 1, count: question.isCounted ? 1 : 0 };
    const { port } = socket.address();
    const words = wordsOf(load, { port, pids: [process.pid], file });
    const { stdout } = await promisify(execFile)(generator, words);
    return JSON.parse(stdout) as Measurement; // what it says
  } finally {
    socket.close();
    await rm(folder, { recursive: true });
  }
}

type Changes = {
  readonly name?: string;
  readonly type?: 'A' | 'SRV';
  readonly rcode?: number;
  readonly flags?: number;
  readonly answers?: Answer[];
  readonly authorities?: Answer[];
};

function octets({ name = NAME, type = 'A', rcode = 0, flags = 0, answers = [], authorities = [] }: Changes): Buffer {
  const questions = [{ name, type }];
  return dnsPacket.encode({ type: 'response', flags: flags | rcode, questions, answers, authorities });
}

async function bench(
  words: readonly string[],
  path: string = process.env['PATH'] ?? '',
): Promise<{ readonly code: unknown; readonly output: string }> {
  const env = { ...process.env, PATH: path };
  const child = spawn(process.execPath, ['bench/main.ts', ...words], { stdio: ['ignore', 'pipe', 'pipe'], env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (output += text.toString()));
  const [code] = await once(child, 'close');
  return { code, output };
}

/** Gives every name the first service's address; or says nothing but to the first name. */
const LIAR = `
import { createSocket } from 'node:dgram';
const socket = createSocket('udp4');
socket.on('message', (query, peer) => {
  if (process.argv[2] === 'the first name' && !query.includes('service-0')) return;
  const reply = Buffer.concat([query, Buffer.from('c00c00010001000000050004' + '0a600100', 'hex')]);
  reply.writeUInt16BE(0x8400, 2);
  reply.writeUInt16BE(1, 6);
  socket.send(reply, peer.port, peer.address);
});
socket.bind(Number(process.env.PORT), '127.0.0.1');
`;
