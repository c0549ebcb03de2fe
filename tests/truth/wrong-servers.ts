/** Servers that are wrong in one way each, made of one that is not. Knows nothing of how they are found out. */

import { setImmediate } from 'node:timers/promises';

import { FLAG } from '../support/message-octets.ts';
import type { RawObject } from '../support/raw-objects.ts';
import type { Replies } from './asker.ts';
import { keyOf, type Delivery } from './events.ts';
import type { Subject } from './subject.ts';

/** The server from outside, to be changed in parts. */
function face(subject: Subject): Subject {
  return {
    complaints: subject.complaints,
    configure: (setting) => subject.configure(setting),
    deliver: (deliveries) => subject.deliver(deliveries),
    pass: (span) => subject.pass(span),
    ask: (queries, patience) => subject.ask(queries, patience),
    askPlain: (queries, patience) => subject.askPlain(queries, patience),
    transfer: (zone) => subject.transfer(zone),
    get expressReplies() {
      return subject.expressReplies;
    },
  };
}

export function withOtherAddresses(subject: Subject): Subject {
  const spoiled = (object: RawObject): RawObject => {
    const { clusterIPs, ...spec } = (object['spec'] ?? {}) as Record<string, unknown>;
    const isSpoiled =
      object.kind === 'Service' && Array.isArray(clusterIPs) && String(clusterIPs[0]).startsWith('10.0.');
    return isSpoiled ? { ...object, spec: { ...spec, clusterIPs: ['10.9.9.9'] } } : object;
  };
  return {
    ...face(subject),
    deliver: (deliveries) => subject.deliver(deliveries.map((delivery) => withObjects(delivery, spoiled))),
  };
}

export function tearing(subject: Subject): Subject {
  return {
    ...face(subject),
    async deliver(deliveries) {
      for (const delivery of deliveries) {
        await subject.deliver([delivery]);
        for (let turn = 0; turn < 4; turn++) await setImmediate();
      }
    },
  };
}

export function beginningAnew(subject: Subject): Subject {
  let all: readonly Delivery[] = [];
  let begin = (): Promise<void> => Promise.resolve();
  return {
    ...face(subject),
    configure(setting) {
      all = [];
      begin = () => subject.configure(setting);
      return begin();
    },
    async deliver(deliveries) {
      all = [...all, ...deliveries];
      await begin();
      await subject.deliver(all);
    },
    pass: () => {},
  };
}

export function withholding(subject: Subject): Subject {
  return {
    ...face(subject),
    async transfer(zone) {
      const messages = await subject.transfer(zone);
      const isHeld = (type: string): boolean => type !== 'SOA' && type !== 'NS' && type !== 'TXT';
      return messages.map((message) => {
        const at = message.answer.findIndex(({ type }) => isHeld(type));
        return at === -1 ? message : { ...message, answer: message.answer.toSpliced(at, 1) };
      });
    },
  };
}

export function losing(subject: Subject): Subject {
  const listed = new Set<string>();
  return {
    ...face(subject),
    configure(setting) {
      listed.clear();
      return subject.configure(setting);
    },
    deliver: (deliveries) =>
      subject.deliver(
        deliveries.map((delivery) => {
          if (delivery.verb !== 'list') return delivery;
          const isFirst = !listed.has(delivery.kind);
          listed.add(delivery.kind);
          return isFirst ? delivery : { ...delivery, objects: delivery.objects.slice(1) };
        }),
      ),
  };
}

export function believing(subject: Subject): Subject {
  const believed = new Map<string, RawObject>();
  const first = (object: RawObject): RawObject => {
    const known = believed.get(keyOf(object)) ?? object;
    believed.set(keyOf(object), known);
    return known;
  };
  return {
    ...face(subject),
    configure(setting) {
      believed.clear();
      return subject.configure(setting);
    },
    deliver: (deliveries) => subject.deliver(deliveries.map((delivery) => withObjects(delivery, first))),
  };
}

/** A lane whose leases never end. */
export function remembering(subject: Subject): Subject {
  const prepared = new Map<string, Buffer>();
  return {
    ...face(subject),
    configure(setting) {
      prepared.clear();
      return subject.configure(setting);
    },
    ask: (queries) =>
      inExpressLane(subject, queries, (reply, query) => {
        const key = query.toString('latin1', 2);
        const first = prepared.get(key) ?? reply;
        prepared.set(key, first);
        return first;
      }),
  };
}

/** To the same name, where the zone stands a second time. */
export function pointingElsewhere(subject: Subject): Subject {
  return {
    ...face(subject),
    ask: (queries) =>
      inExpressLane(subject, queries, (reply) => {
        const isDenial = (reply.readUInt8(3) & 15) === NXDOMAIN && reply.readUInt16BE(8) === 1;
        const end = reply.length - (reply.readUInt16BE(10) === 0 ? 0 : OPT_SIZE);
        // RNAME's pointer stands before five numbers, MNAME's before RNAME's label `hostmaster`.
        const [rname, mname] = [end - 22, end - 35];
        if (!isDenial || reply.readUInt16BE(rname) !== reply.readUInt16BE(mname)) return reply;
        const changed = Buffer.from(reply);
        changed.writeUInt16BE(0xc000 | mname, rname);
        return changed;
      }),
  };
}

/** One more, in the first record. */
export function withOtherTtls(subject: Subject): Subject {
  return {
    ...face(subject),
    ask: (queries) =>
      inExpressLane(subject, queries, (reply) => {
        const ttl = reply.indexOf(0, HEADER_SIZE) + 5 + 6;
        const isShort = reply.readUInt16BE(6) > 0 && reply.readUInt8(ttl - 6) >= 0xc0;
        if (!isShort) return reply;
        const changed = Buffer.from(reply);
        changed.writeUInt32BE(reply.readUInt32BE(ttl) + 1, ttl);
        return changed;
      }),
  };
}

const HEADER_SIZE = 12;
const OPT_SIZE = 11;
const NXDOMAIN = 3;

/** Changes what is said to questions as stubs ask them. */
async function inExpressLane(
  subject: Subject,
  queries: readonly Buffer[],
  change: (reply: Buffer, query: Buffer) => Buffer,
): Promise<readonly Replies[]> {
  const replies = await subject.ask(queries);
  return replies.map(({ udp, tcp }, i) => {
    const query = queries[i];
    if (udp === undefined || tcp === undefined || query === undefined) return { udp, tcp };
    const isOrdinary = (query.readUInt16BE(2) & ~FLAG.AD) === FLAG.RD;
    return isOrdinary ? { udp, tcp: change(tcp, query) } : { udp, tcp };
  });
}

/** What is said, with the objects in it changed. */
function withObjects(delivery: Delivery, change: (object: RawObject) => RawObject): Delivery {
  if (delivery.verb === 'list') return { ...delivery, objects: delivery.objects.map(change) };
  return delivery.verb === 'put' ? { ...delivery, object: change(delivery.object) } : delivery;
}

export function complaining(subject: Subject): Subject {
  return { ...face(subject), complaints: ['a fault'] };
}
