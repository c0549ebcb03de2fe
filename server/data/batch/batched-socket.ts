/**
 * One bound UDP socket that is read and answered in batches. Knows rounds, lanes and replies that come later; what wakes it is not its
 * concern, nor what the octets mean.
 */

import { addressFrom } from '../../../zones/ip.ts';
import type { Bytes, Count, Milliseconds } from '../../../zones/units.ts';
import type { Counter } from '../../counters.ts';
import type { Peer } from '../../query.ts';
import type { Asker, Lanes } from '../lanes.ts';
import {
  addressAt,
  BATCH,
  dataAt,
  infoAt,
  isCutShort,
  keepEnvelope,
  prepareToReceive,
  putReceived,
  receivedInfoSize,
  receivedSize,
  SEND_ROOM,
  type Arena,
  type Envelope,
} from './arena.ts';
import type { Outbox } from './outbox.ts';
import {
  ADDRESS_SIZES,
  askedText,
  INFO_SIZES,
  infoAddress,
  isAnswerableAddress,
  portOf,
  textOf,
  turnInfo,
  writeAddress,
} from './socket-address.ts';
import type { Descriptor, SystemCalls } from './system-calls.ts';

/** Read from one socket between two turns of the event loop, which TCP, timers and the cluster's changes wait for. */
const TURN_MAX: Count = 256;
/** Replies that take longer to make end the turn sooner, with the batch in which this has passed. */
const TURN_SPAN: Milliseconds = 1;
/** Replies that came late, of one turn of the loop; more are dropped and counted. */
const LATE_MAX: Bytes = 1024 * 1024;

/** What all batched sockets of a thread use, one after the other. */
export type Means = {
  readonly calls: SystemCalls;
  readonly arena: Arena;
  readonly outbox: Outbox;
  readonly clock: () => Milliseconds;
  /** Is a socket answering what the arena holds? Then no other may receive. */
  readonly round: { isOpen: boolean };
};

export type BoundSocket = {
  readonly descriptor: Descriptor;
  readonly family: 4 | 6;
  /** As it was bound; of a wildcard socket, nothing that a datagram was sent to. */
  readonly address: string;
  readonly port: number;
  /** Is it told with each datagram which address was asked, and may it answer from there? */
  readonly isWildcard: boolean;
};

/** What the listener wants to be told. */
export type Dealings = {
  readonly lanes: Lanes;
  readonly unsent: Counter;
  /** A reply is to come; `send` is given it. */
  readonly owe: (reply: Promise<Buffer>, send: (reply: Buffer) => void) => void;
  /** More may be read again; called after a `read` that said that there was more. */
  readonly again: () => void;
};

export class BatchedSocket {
  readonly #means: Means;
  readonly #bound: BoundSocket;
  readonly #dealings: Dealings;
  readonly #addressSize: Bytes;
  readonly #infoRoom: Bytes;
  /** The octets of the address that it was bound to. */
  readonly #own: Uint8Array;
  /** The one object that the express lane is shown, for one asker after the other. */
  readonly #asker: Asker & { received: Milliseconds };
  /** Of the asker: where in the arena, and in words where node:dgram has said it already. */
  #slot: Count = 0;
  #peer: Peer | undefined;
  #allowance: Count = TURN_MAX;
  readonly #late: { readonly reply: Buffer; readonly envelope: Envelope }[] = [];
  #lateSize: Bytes = 0;
  #isClosed = false;

  constructor(means: Means, bound: BoundSocket, dealings: Dealings) {
    this.#means = means;
    this.#bound = bound;
    this.#dealings = dealings;
    this.#addressSize = ADDRESS_SIZES[bound.family];
    this.#infoRoom = bound.isWildcard ? INFO_SIZES[bound.family] : 0;
    this.#own = addressFrom(withoutZone(bound.address)) ?? new Uint8Array(16);
    const peer = (): Peer => this.#peer ?? this.#peerIn(this.#slot);
    this.#asker = { protocol: 'udp', family: bound.family, received: 0, peer };
  }

  /** Answers a datagram that node:dgram has read, together with what the kernel holds behind it. Not for wildcard sockets. */
  readWith(packet: Buffer, address: string, port: number): void {
    const { arena, calls, clock, round } = this.#means;
    if (this.#isClosed || round.isOpen) return;
    const { family, address: localAddress, port: localPort } = this.#bound;
    putReceived(arena, packet);
    const zone = address.indexOf('%');
    const scope = zone === -1 ? 0 : calls.interfaceIndex(address.slice(zone + 1));
    writeAddress(arena.view, addressAt(arena.received, 0), withoutZone(address), port, scope);
    this.#peer = { address, port, family, protocol: 'udp', localAddress, localPort };
    this.#asker.received = clock();
    this.#spend(1);
    round.isOpen = true;
    try {
      this.#answer(0, packet);
    } finally {
      round.isOpen = false;
    }
    this.read();
  }

  /** Answers what the kernel holds, within what is allowed in one turn of the loop. Did that end it, so that there may be more? */
  read(): boolean {
    const { arena, outbox, clock, round } = this.#means;
    // A lane closes a listener, which reads what is left: nothing may be written over the datagrams that are being answered.
    if (round.isOpen) return false;
    // node:dgram goes on reading one by one for a while: those replies leave together, too, before the next turn.
    if (this.#allowance <= 0) return true;
    round.isOpen = true;
    this.#peer = undefined;
    let isMore = true;
    let began: Milliseconds | undefined;
    try {
      while (isMore && this.#allowance > 0 && !this.#isClosed) {
        const wanted = Math.min(BATCH, this.#allowance);
        prepareToReceive(arena, wanted, this.#infoRoom);
        const count = this.#means.calls.receive(this.#bound.descriptor, arena.receivedHeaders, wanted);
        if (count > 0) {
          this.#spend(count);
          this.#asker.received = clock();
          began ??= this.#asker.received;
          for (let slot = 0; slot < count && !this.#isClosed; slot++) this.#answer(slot, undefined);
        }
        isMore = count === wanted;
        outbox.flush();
        if (isMore && began !== undefined && clock() - began >= TURN_SPAN) this.#spend(this.#allowance);
      }
    } finally {
      outbox.flush();
      round.isOpen = false;
    }
    return isMore && !this.#isClosed;
  }

  /** Sends what is ready; from then on nothing is read or sent. The descriptor is somebody else's to close. */
  close(): void {
    if (this.#isClosed) return;
    this.#means.outbox.flush();
    this.#sendLate();
    this.#isClosed = true;
  }

  #spend(count: Count): void {
    const before = this.#allowance;
    this.#allowance -= count;
    if (before > 0 && this.#allowance <= 0) setImmediate(this.#allow);
  }

  readonly #allow = (): void => {
    this.#means.outbox.flush();
    this.#allowance = TURN_MAX;
    if (!this.#isClosed) this.#dealings.again();
  };

  #answer(slot: Count, packet: Buffer | undefined): void {
    const { arena, outbox } = this.#means;
    const { octets, received } = arena;
    const start = dataAt(received, slot);
    const size = receivedSize(arena, slot);
    const infoSize = this.#infoRoom === 0 ? 0 : this.#turnInfo(slot);
    this.#slot = slot;
    if (!isCutShort(arena, slot) && this.#isAnswerable(slot, infoSize)) {
      outbox.use(this.#bound.descriptor);
      const at = outbox.data;
      const written = this.#dealings.lanes.express(octets, start, start + size, octets, at, this.#asker);
      if (written > 0) {
        outbox.postBack(written, slot, this.#addressSize, infoSize);
        return;
      }
    }
    const peer = this.#peer ?? this.#peerIn(slot);
    const reply = this.#dealings.lanes.plain(packet ?? Buffer.from(octets.subarray(start, start + size)), peer);
    if (reply === undefined) return;
    if (reply instanceof Promise) {
      const envelope = keepEnvelope(arena, slot, this.#addressSize, infoSize);
      this.#dealings.owe(reply, (late) => this.#keepLate(late, envelope));
    } else if (this.#isClosed || reply.length > SEND_ROOM) this.#dealings.unsent.add();
    else {
      outbox.use(this.#bound.descriptor);
      octets.set(reply, outbox.data);
      outbox.postBack(reply.length, slot, this.#addressSize, infoSize);
    }
  }

  #isAnswerable(slot: Count, infoSize: Bytes): boolean {
    const { octets, received } = this.#means.arena;
    const { family, port } = this.#bound;
    const at = addressAt(received, slot);
    if (infoSize === 0) return isAnswerableAddress(octets, at, family, this.#own, 0, port);
    return isAnswerableAddress(octets, at, family, octets, infoAddress(infoAt(received, slot), family), port);
  }

  #turnInfo(slot: Count): Bytes {
    const { arena } = this.#means;
    const at = infoAt(arena.received, slot);
    return turnInfo(arena.view, arena.octets, at, receivedInfoSize(arena, slot), this.#bound.family);
  }

  #peerIn(slot: Count): Peer {
    const { calls, arena } = this.#means;
    const { family, address, port: localPort, isWildcard } = this.#bound;
    const { octets, view, received } = arena;
    const at = addressAt(received, slot);
    const isAsked = isWildcard && receivedInfoSize(arena, slot) > 0;
    return {
      address: textOf(octets, at, family, calls.interfaceName),
      port: portOf(view, at),
      family,
      protocol: 'udp',
      localAddress: isAsked ? askedText(octets, infoAt(received, slot), family, calls.interfaceName) : address,
      localPort,
    };
  }

  #keepLate(reply: Buffer, envelope: Envelope): void {
    const isFull = this.#lateSize + reply.length > LATE_MAX;
    if (this.#isClosed || isFull || reply.length > SEND_ROOM) {
      this.#dealings.unsent.add();
      return;
    }
    this.#lateSize += reply.length;
    if (this.#late.push({ reply, envelope }) === 1) setImmediate(this.#sendLate);
  }

  readonly #sendLate = (): void => {
    if (this.#late.length === 0) return;
    const { arena, outbox } = this.#means;
    outbox.use(this.#bound.descriptor);
    for (const { reply, envelope } of this.#late.splice(0)) {
      arena.octets.set(reply, outbox.data);
      outbox.postTo(reply.length, envelope);
    }
    this.#lateSize = 0;
    outbox.flush();
  };
}

function withoutZone(address: string): string {
  const zone = address.indexOf('%');
  return zone === -1 ? address : address.slice(0, zone);
}
