/** The world outside of a bench: a UDP server that knows the A records of `host-I.example.org` and denies everything else. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';

import dnsPacket from 'dns-packet';

import type { Seconds } from '../zones/units.ts';
import { outsideAddress } from './workloads.ts';

export type Upstream = { readonly port: number; close(): void };

/** More than a measurement takes: a cache asks once. */
const TTL: Seconds = 3_600;

export async function startUpstream(): Promise<Upstream> {
  const socket = createSocket('udp4');
  socket.on('message', (query, peer) => socket.send(replyTo(query), peer.port, peer.address));
  const listening = once(socket, 'listening');
  socket.bind(0, '127.0.0.1');
  await listening;
  return { port: socket.address().port, close: () => void socket.close() };
}

function replyTo(query: Buffer): Buffer {
  const { id = 0, questions = [] } = dnsPacket.decode(query);
  const [question] = questions;
  const host = question?.type === 'A' ? /^host-([0-9]{1,6})\.example\.org$/i.exec(question.name) : undefined;
  const answers =
    host === undefined || host === null || question === undefined
      ? []
      : [{ name: question.name, type: 'A' as const, ttl: TTL, data: outsideAddress(Number(host[1])) }];
  const flags = dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE | (answers.length === 0 ? NXDOMAIN : 0);
  return dnsPacket.encode({ type: 'response', id, flags, questions, answers });
}

const NXDOMAIN = 3;
