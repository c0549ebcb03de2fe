/**
 * A good server made bad: it stands in front of one and changes what it says, in one way at a time. Shows that a check can fail. Knows
 * where messages begin and end, nothing of what they say.
 */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

import type { Count, Milliseconds } from '../../zones/units.ts';
import { framed, onFrames, type ServerAddress } from '../support/client.ts';
import { freePort } from '../support/server.ts';
import type { Subject } from './check.ts';

/** A way to be wrong. */
export type Flaw = {
  /** What is sent at once, without asking the server. */
  readonly instead?: (query: Buffer) => Buffer | undefined;
  /** What becomes of the server's reply. */
  readonly spoil?: (reply: Buffer, query: Buffer) => Buffer;
  /**
   * How it treats addresses and connections: replies over UDP come from another port; the length of a message leaves before the message;
   * a connection ends with its first reply; replies wait for those to earlier queries; who ends his side hears no more.
   */
  readonly habit?: 'elsewhere' | 'split' | 'hasty' | 'in-order' | 'deaf';
};

export type FlawedSubject = Subject & { readonly close: () => Promise<void> };

/** The subject with the flaw. */
export async function flawed(subject: Subject, flaw: Flaw): Promise<FlawedSubject> {
  for (let tries = 1; ; tries++) {
    const port = await freePort();
    const opened = await Promise.allSettled(
      subject.addresses.flatMap(({ host, port: behind }) => [
        overUdp({ host, port }, { host, port: behind }, flaw),
        overTcp({ host, port }, { host, port: behind }, flaw),
      ]),
    );
    const close = async (): Promise<void> => {
      for (const each of opened) if (each.status === 'fulfilled') await each.value();
    };
    const failed = opened.find((each) => each.status === 'rejected');
    if (failed === undefined) {
      return { ...subject, addresses: subject.addresses.map(({ host }) => ({ host, port })), close };
    }
    // Somebody else took the port while it was free.
    await close();
    if (tries === TRIES_MAX) throw failed.reason;
  }
}

const TRIES_MAX: Count = 5;

type Close = () => Promise<unknown>;

async function overUdp(front: ServerAddress, behind: ServerAddress, flaw: Flaw): Promise<Close> {
  const family = front.host.includes(':') ? 'udp6' : 'udp4';
  const [listening, asking] = [createSocket(family), createSocket(family)];
  const clients = new Map<number, { readonly query: Buffer; readonly host: string; readonly port: number }>();
  listening.on('message', (query, from) => {
    const made = flaw.instead?.(query);
    if (made !== undefined) listening.send(made, from.port, from.address);
    else {
      if (query.length >= 2) clients.set(query.readUInt16BE(0), { query, host: from.address, port: from.port });
      asking.send(query);
    }
  });
  asking.on('message', (reply) => {
    const client = clients.get(reply.readUInt16BE(0));
    if (client === undefined) return;
    const spoilt = flaw.spoil?.(reply, client.query) ?? reply;
    if (flaw.habit !== 'elsewhere') return listening.send(spoilt, client.port, client.host);
    const elsewhere = createSocket(family);
    elsewhere.send(spoilt, client.port, client.host, () => elsewhere.close());
  });
  listening.bind(front.port, front.host);
  asking.connect(behind.port, behind.host);
  const close = async (): Promise<void> => {
    listening.close();
    asking.close();
  };
  try {
    await Promise.all([once(listening, 'listening'), once(asking, 'connect')]);
    return close;
  } catch (error) {
    await close();
    throw error;
  }
}

async function overTcp(front: ServerAddress, behind: ServerAddress, flaw: Flaw): Promise<Close> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const asking = connect({ ...behind, allowHalfOpen: true });
    for (const socket of [client, asking]) {
      sockets.add(socket.setNoDelay(true).on('error', () => {}));
      socket.on('close', () => sockets.delete(socket));
    }
    relay(client, asking, flaw);
  });
  server.listen(front.port, front.host);
  await once(server, 'listening');
  return () => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => void server.close(resolve));
  };
}

/** Between the length and the message of a reply that leaves in two. */
const SPLIT_BY: Milliseconds = 50;

/** Relays between one connection of a client's and the one behind it. */
function relay(client: Socket, asking: Socket, { instead, spoil, habit }: Flaw): void {
  const queries = new Map<number, Buffer>();
  const ready = new Map<number, Buffer>();
  /** Ids of queries without a reply, in their order. */
  const waiting: number[] = [];

  const write = (reply: Buffer): void => {
    const whole = framed(reply);
    if (habit === 'split') {
      client.write(whole.subarray(0, 2));
      void pause(SPLIT_BY).then(() => client.write(whole.subarray(2)));
    } else if (habit === 'hasty') client.end(whole);
    else client.write(whole);
  };

  onFrames(client, (query) => {
    const made = instead?.(query);
    if (made !== undefined) return void client.write(framed(made));
    if (query.length >= 2) {
      queries.set(query.readUInt16BE(0), query);
      waiting.push(query.readUInt16BE(0));
    }
    asking.write(framed(query));
  });
  onFrames(asking, (reply) => {
    const id = reply.readUInt16BE(0);
    const spoilt = spoil?.(reply, queries.get(id) ?? Buffer.alloc(0)) ?? reply;
    if (habit !== 'in-order') return write(spoilt);
    ready.set(id, spoilt);
    for (let due = ready.get(waiting[0] ?? -1); due !== undefined; due = ready.get(waiting[0] ?? -1)) {
      waiting.shift();
      write(due);
    }
  });
  client.on('end', () => void (habit === 'deaf' ? client.destroy() : asking.end()));
  client.on('close', () => asking.destroy());
  asking.on('end', () => client.end());
  asking.on('close', () => client.destroySoon());
}
