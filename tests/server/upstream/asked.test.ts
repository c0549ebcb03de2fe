import test from 'ava';
import fc from 'fast-check';

import { Asked, type Verdict } from '../../../server/upstream/asked.ts';
import type { UpstreamQuestion } from '../../../server/wire/upstream-message.ts';
import { MessageError } from '../../../server/errors.ts';
import { present, spellingFrom } from '../../../zones/name.ts';

function question(name = 'www.example.org'): UpstreamQuestion {
  return {
    spelling: spellingFrom(name),
    type: 1,
    class: 1,
    recursionDesired: true,
    checkingDisabled: false,
    authenticData: false,
    dnssecOk: false,
  };
}

/** Header with QR and the question as it went out. */
function echo(asked: Asked): Buffer {
  const reply = Buffer.from(asked.octets.subarray(0, 12 + 17 + 4));
  reply.writeUInt16BE(0x8180, 2);
  reply.writeUInt16BE(0, 10);
  return reply;
}

const cases: readonly { name: string; change: (reply: Buffer) => Buffer; verdict: Verdict }[] = [
  { name: 'the echo', change: (reply) => reply, verdict: 'match' },
  { name: 'records behind it', change: (reply) => Buffer.concat([reply, Buffer.alloc(40)]), verdict: 'match' },
  { name: 'another id', change: (reply) => flip(reply, 1, 1), verdict: 'mismatch' },
  { name: 'QR=0', change: (reply) => flip(reply, 2, 0x80), verdict: 'mismatch' },
  { name: 'another opcode', change: (reply) => flip(reply, 2, 0x28), verdict: 'mismatch' },
  { name: 'two questions', change: (reply) => flip(reply, 5, 3), verdict: 'mismatch' },
  { name: 'no question, NOERROR', change: (reply) => flip(reply.subarray(0, 12), 5, 1), verdict: 'mismatch' },
  { name: 'no question, FORMERR', change: (reply) => flip(flip(reply.subarray(0, 12), 5, 1), 3, 1), verdict: 'near' },
  { name: 'no question, NOTIMP', change: (reply) => flip(flip(reply.subarray(0, 12), 5, 1), 3, 4), verdict: 'near' },
  {
    name: 'no question, SERVFAIL',
    change: (reply) => flip(flip(reply.subarray(0, 12), 5, 1), 3, 2),
    verdict: 'mismatch',
  },
  { name: 'a letter in the other case', change: (reply) => flip(reply, 14, 0x20), verdict: 'near' },
  { name: 'another letter', change: (reply) => flip(reply, 14, 0x01), verdict: 'mismatch' },
  { name: 'a length octet with bit 5 flipped', change: (reply) => flip(reply, 12, 0x20), verdict: 'mismatch' },
  { name: 'another type', change: (reply) => flip(reply, 30, 0x20), verdict: 'mismatch' },
  { name: 'another class', change: (reply) => flip(reply, 32, 2), verdict: 'mismatch' },
  { name: 'half the question', change: (reply) => reply.subarray(0, 20), verdict: 'mismatch' },
  { name: 'half a header', change: (reply) => reply.subarray(0, 11), verdict: 'mismatch' },
  { name: 'nothing', change: () => Buffer.alloc(0), verdict: 'mismatch' },
];
for (const { name, change, verdict } of cases) {
  test(`${name} is a ${verdict}`, (t) => {
    const asked = new Asked(question(), true);
    t.is(asked.judge(change(echo(asked))), verdict);
  });
}

test('a name that points to the question comes back with the letters that the client sent', (t) => {
  const asked = new Asked(question('WWW.example.ORG'), true);
  const record = Buffer.from('c00c0001000100000e100004c0000201', 'hex');
  const target = Buffer.from('c00c0005000100000e100006036d6178c010', 'hex'); // CNAME max. + the question's name without www
  const reply = Buffer.concat([echo(asked), record, target]);
  reply.writeUInt16BE(2, 6);
  t.is(asked.judge(reply), 'match');
  const { answer } = asked.read(reply);
  t.is(present(answer[0]?.owner ?? spellingFrom('')), 'WWW.example.ORG.');
  t.is(Buffer.from(answer[1]?.rdatas[0] ?? []).toString('latin1'), '\x03max\x07example\x03ORG\0');
});

test('whatever the octets, judging never throws and reading throws only MessageError', (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 6 }),
      (tail, changes) => {
        const asked = new Asked(question(), false);
        const reply = Buffer.concat([echo(asked), tail]);
        for (const [at, value] of changes) if (at < reply.length) reply[at] = value;
        if (asked.judge(reply) === 'mismatch') return;
        try {
          asked.read(reply);
        } catch (error) {
          t.true(error instanceof MessageError);
        }
      },
    ),
  );
  t.pass();
});

function flip(reply: Buffer, at: number, bits: number): Buffer {
  const copy = Buffer.from(reply);
  copy[at] = (copy[at] ?? 0) ^ bits;
  return copy;
}
