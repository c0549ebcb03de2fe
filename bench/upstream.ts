/** The world outside of a bench: a UDP server that knows the addresses of outside names, of both families, and denies everything else. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import dnsPacket from 'dns-packet';

import type { Seconds } from '../zones/units.ts';
import type { Native } from './native.ts';
import { outsideAddress, OUTSIDE } from './outside.ts';
import { start, stop, type CoreList } from './processes.ts';
import { COUNTED_NET, COUNTED_PREFIX, MAPPED_PREFIX } from './question.ts';

export type Upstream = { readonly port: number; close(): Promise<void> };

/** More than a measurement takes: a cache asks once. */
const TTL: Seconds = 3_600;

/** In C where that can be compiled: an upstream that is slower than a server would be what is measured. */
export async function startUpstream(native?: Native, core?: CoreList): Promise<Upstream> {
  return native === undefined ? startHere() : startNative(native, core);
}

async function startNative({ floor }: Native, core: CoreList | undefined): Promise<Upstream> {
  const child = start([floor, 'upstream'], core, ['ignore', 'pipe', 'inherit']);
  if (child.stdout === null) throw new Error('an upstream without output');
  const [line] = await Promise.race([
    once(createInterface(child.stdout), 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error('the upstream ended'))),
  ]);
  return { port: Number(line), close: () => stop(child) };
}

async function startHere(): Promise<Upstream> {
  const socket = createSocket('udp4');
  socket.on('message', (query, peer) => socket.send(replyTo(query), peer.port, peer.address));
  const listening = once(socket, 'listening');
  socket.bind(0, '127.0.0.1');
  await listening;
  return {
    port: socket.address().port,
    async close() {
      socket.close();
    },
  };
}

function replyTo(query: Buffer): Buffer {
  const { id = 0, questions = [] } = dnsPacket.decode(query);
  const answers = questions.flatMap(answersTo);
  const authorities = answers.length === 0 ? questions.map(({ name }) => parentOf(name)) : [];
  const flags = dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE | (answers.length === 0 ? NXDOMAIN : 0);
  return dnsPacket.encode({ type: 'response', id, flags, questions, answers, authorities });
}

/** An SOA record, so that caches may keep the denial (RFC 2308 section 5). */
function parentOf(name: string): dnsPacket.Answer {
  const parent = name.split('.').slice(1).join('.') || '.';
  return { name: parent, type: 'SOA', ttl: TTL, data: { mname: '.', rname: '.', minimum: TTL } };
}

function answersTo({ name, type }: dnsPacket.Question): dnsPacket.Answer[] {
  const lower = name.toLowerCase();
  const host = hostAddressOf(lower);
  if (type === 'AAAA' && host !== undefined) return [{ name, type, ttl: TTL, data: `${MAPPED_PREFIX}${host}` }];
  const address = type === 'A' ? (host ?? countedAddressOf(lower)) : undefined;
  return address === undefined ? [] : [{ name, type: 'A', ttl: TTL, data: address }];
}

function hostAddressOf(name: string): string | undefined {
  const host = name.endsWith(`.${OUTSIDE}`) ? /^host-([0-9]{1,6})\./.exec(name)?.[1] : undefined;
  return host === undefined ? undefined : outsideAddress(Number(host));
}

function countedAddressOf(name: string): string | undefined {
  if (!name.startsWith(COUNTED_PREFIX) || !name.endsWith(`.${OUTSIDE}`)) return undefined;
  const digits = /^([0-9a-f]{6})\./.exec(name.slice(COUNTED_PREFIX.length))?.[1];
  return digits === undefined ? undefined : [COUNTED_NET, ...Buffer.from(digits, 'hex')].join('.');
}

const NXDOMAIN = 3;
