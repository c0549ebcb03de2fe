/**
 * Pods that look a name up as glibc does, all at once: for each name of the search list A and AAAA together, from a socket of their own. Takes a
 * crowd as its word, prints what became of it. A reply that does not come is an error, for nothing here loses one.
 */

import { createSocket } from 'node:dgram';

import dnsPacket from 'dns-packet';

import type { Count, Milliseconds } from '../../zones/units.ts';

export type Crowd = {
  readonly server: string;
  readonly name: string;
  readonly search: readonly string[];
  readonly pods: Count;
};

export type CrowdResult = {
  /** Addresses, or `none`: each that any pod came to. */
  readonly outcomes: readonly string[];
  readonly queries: Count;
  /** Until the last pod had its outcome. */
  readonly elapsed: Milliseconds;
};

const TYPES = ['A', 'AAAA'] as const;
const DNS_PORT = 53;
const REPLY_DEADLINE: Milliseconds = 10_000;

const crowd = JSON.parse(process.argv[2] ?? '') as Crowd; // written by crowd.ts, which has the type
let queries = 0;
const began = performance.now();
const outcomes = await Promise.all(Array.from({ length: crowd.pods }, () => lookUp()));
const result: CrowdResult = { outcomes: [...new Set(outcomes)], queries, elapsed: performance.now() - began };
process.stdout.write(JSON.stringify(result));

async function lookUp(): Promise<string> {
  for (const suffix of [...crowd.search, '']) {
    const replies = await askBoth(suffix === '' ? crowd.name : `${crowd.name}.${suffix}`);
    const addresses = replies
      .flatMap(({ answers = [] }) => answers)
      .flatMap((record) => (record.type === 'A' || record.type === 'AAAA' ? [record.data] : []));
    if (addresses.length > 0) return addresses.toSorted().join(' ');
  }
  return 'none';
}

async function askBoth(name: string): Promise<readonly dnsPacket.Packet[]> {
  const socket = createSocket('udp4');
  const replies: dnsPacket.Packet[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no reply for ${name}`)), REPLY_DEADLINE);
      socket.on('error', reject);
      socket.on('message', (message) => {
        replies.push(dnsPacket.decode(message));
        if (replies.length < TYPES.length) return;
        clearTimeout(timer);
        resolve();
      });
      for (const [id, type] of TYPES.entries()) {
        const query = { type: 'query' as const, id, flags: dnsPacket.RECURSION_DESIRED, questions: [{ name, type }] };
        socket.send(dnsPacket.encode(query), DNS_PORT, crowd.server);
        queries++;
      }
    });
    return replies;
  } finally {
    socket.close();
  }
}
