/** The bench as people run it, made tiny: it ends with a table, or with what was wrong. No figure decides a test. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';
import dnsPacket, { type Answer } from 'dns-packet';

import { addressQuestion, faultOf } from '../bench/question.ts';

const TINY = ['--alone', '--rounds', '1', '--seconds', '0.2', '--names', '4'];

test('a tiny run of every workload ends with a row for each', async (t) => {
  t.timeout(120_000);
  const { code, output } = await bench(TINY);
  t.is(code, 0, output);
  for (const workload of ['cluster', 'denial', 'headless', 'cached', 'memory']) {
    t.regex(output, new RegExp(`^${workload} +fivedots +[1-9]`, 'm'));
  }
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

for (const { title, replies, told } of [
  {
    title: 'a wrong address',
    replies: 'everything',
    told: /liar: [1-9][0-9]* of [0-9]+ answers were wrong.*\n.*an address is 10\.96\.1\.0, not/,
  },
  { title: 'a missing answer', replies: 'the first name', told: /liar: [1-9][0-9]* of [0-9]+ answers were missing/ },
]) {
  test(`${title} fails the bench, which says whose it was`, async (t) => {
    t.timeout(120_000);
    const folder = await mkdtemp(join(tmpdir(), 'fivedots-liar-'));
    t.teardown(() => rm(folder, { recursive: true }));
    const liar = join(folder, 'liar.mjs');
    await writeFile(liar, LIAR);
    const { code, output } = await bench([
      ...TINY,
      '--peer',
      `liar=${process.execPath} ${liar} '${replies}'`,
      'cluster',
    ]);
    t.is(code, 1, output);
    t.regex(output, told);
  });
}

for (const words of [
  ['nosuch'],
  ['--rounds', '0'],
  ['--peer', 'knotd'],
  ['--fast'],
  ['watch', 'nosuch'],
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

for (const { title, reply, question, fault } of [
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
]) {
  test(`${title} ${fault === undefined ? 'passes' : 'does not pass'} for a right answer`, (t) => {
    const found = faultOf(reply, question);
    if (fault === undefined) t.is(found, undefined);
    else t.regex(found ?? 'no fault', fault);
  });
}

type Changes = {
  readonly name?: string;
  readonly rcode?: number;
  readonly flags?: number;
  readonly answers?: Answer[];
  readonly authorities?: Answer[];
};

function octets({ name = NAME, rcode = 0, flags = 0, answers = [], authorities = [] }: Changes): Buffer {
  const questions = [{ name, type: 'A' as const }];
  return dnsPacket.encode({ type: 'response', flags: flags | rcode, questions, answers, authorities });
}

async function bench(words: readonly string[]): Promise<{ readonly code: unknown; readonly output: string }> {
  const child = spawn(process.execPath, ['bench/main.ts', ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
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
