/**
 * What runs inside a network namespace of its own on behalf of a test: it keeps the namespace alive, plays the API server
 * there, asks DNS and HTTP, and measures. Takes one order a line on standard input, gives one reply a line, and ends when its
 * input does. Knows no test.
 */

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

import type { Protocol } from '../../server/query.ts';
import type { Milliseconds } from '../../zones/units.ts';
import { exchange, type ServerAddress } from './client.ts';
import { FakeApiServer } from './fake-api-server.ts';
import { decodeReply, presentReply } from './present.ts';
import { asked, encodeQuery } from './query.ts';
import type { RawObject } from './raw-objects.ts';

/** A question and where to ask it. */
export type Ask = {
  readonly server: ServerAddress;
  readonly protocol: Protocol;
  readonly name: string;
  readonly type: string;
};

/** A write to the API. */
export type Write =
  | { readonly put: RawObject }
  | { readonly remove: { readonly kind: string; readonly namespace: string; readonly name: string } };

/** One order. */
export type Order =
  | { readonly do: 'api'; readonly certificate: string; readonly key: string; readonly token: string }
  | { readonly do: 'api-down' }
  | { readonly do: 'api-up' }
  | { readonly do: 'write'; readonly writes: readonly Write[] }
  /** Writes, then asks without a pause until the answer is the expected one. */
  | {
      readonly do: 'measure';
      readonly writes: readonly Write[];
      readonly ask: Ask;
      readonly expected: readonly string[];
    }
  | { readonly do: 'ask'; readonly ask: Ask }
  | { readonly do: 'get'; readonly url: string };

/** What comes back. */
export type Reply = {
  readonly fault?: string;
  /** Of the API server. */
  readonly port?: number;
  /** The rcode, then the answer's records, sorted. */
  readonly answer?: readonly string[];
  /** From the write to the first reply that had it. */
  readonly delay?: Milliseconds;
  readonly status?: number;
  readonly body?: string;
};

const MEASURE_DEADLINE: Milliseconds = 20_000;

let api: FakeApiServer | undefined;

for await (const line of createInterface({ input: process.stdin })) {
  let reply: Reply;
  try {
    reply = await carriedOut(JSON.parse(line) as Order); // written by namespace.ts, which has the type
  } catch (error) {
    reply = { fault: String(error) };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
process.exit(0);

async function carriedOut(order: Order): Promise<Reply> {
  switch (order.do) {
    case 'api': {
      const tls = { cert: readFileSync(order.certificate, 'utf8'), key: readFileSync(order.key, 'utf8') };
      api = await FakeApiServer.start({ tls });
      api.token = order.token;
      return { port: api.port };
    }
    case 'api-down':
      await api?.down();
      return {};
    case 'api-up':
      await api?.up();
      return {};
    case 'write':
      order.writes.forEach(write);
      return {};
    case 'measure':
      return measured(order);
    case 'ask':
      return { answer: await answerTo(order.ask) };
    case 'get': {
      const response = await fetch(order.url);
      return { status: response.status, body: await response.text() };
    }
  }
}

function write(change: Write): void {
  if ('put' in change) api?.put(change.put);
  else api?.remove(change.remove.kind, change.remove.namespace, change.remove.name);
}

async function measured({ writes, ask, expected }: Order & { readonly do: 'measure' }): Promise<Reply> {
  const wanted = JSON.stringify(expected);
  const began = performance.now();
  writes.forEach(write);
  for (;;) {
    const answer = await answerTo(ask);
    const delay = performance.now() - began;
    if (JSON.stringify(answer) === wanted) return { answer, delay };
    if (delay > MEASURE_DEADLINE) return { answer, fault: `after ${delay} ms still ${answer.join(', ')}` };
  }
}

async function answerTo({ server, protocol, name, type }: Ask): Promise<readonly string[]> {
  const id = crypto.getRandomValues(new Uint16Array(1))[0] ?? 0;
  const { reply, answer } = presentReply(
    decodeReply(await exchange(server, protocol, encodeQuery(id, asked(name, type)))),
  );
  return [reply.split(' ')[1] ?? '', ...answer];
}
