import test from 'ava';

import { FrameReader, framed } from '../../../server/upstream/frame-reader.ts';

const messages = ['first message', '', 'second', 'x'.repeat(300)].map((text) => Buffer.from(text));
const stream = Buffer.concat(messages.map(framed));

for (const size of [1, 2, 3, 7, 15, 16, 100, stream.length]) {
  test(`messages come out whole from pieces of ${size} octets`, (t) => {
    const reader = new FrameReader();
    const taken: string[] = [];
    for (let at = 0; at < stream.length; at += size) {
      reader.read(stream.subarray(at, at + size), (message) => taken.push(message.toString()));
    }
    t.deepEqual(
      taken,
      messages.map((message) => message.toString()),
    );
  });
}

test('messages come out whole wherever the stream is cut in two', (t) => {
  for (let cut = 0; cut <= stream.length; cut++) {
    const reader = new FrameReader();
    let count = 0;
    reader.read(stream.subarray(0, cut), () => count++);
    reader.read(stream.subarray(cut), () => count++);
    t.is(count, messages.length);
  }
});

test('a message does not share memory with the stream it came in', (t) => {
  const octets = framed(Buffer.from('kept'));
  let kept: Buffer = Buffer.alloc(0);
  new FrameReader().read(octets, (message) => (kept = message));
  octets.fill(0);
  t.is(kept.toString(), 'kept');
});
