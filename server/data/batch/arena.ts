/**
 * The memory that the kernel reads and writes datagrams in: one array for headers, addresses and octets of both directions, laid out once.
 * Knows Linux's mmsghdr and iovec of 64-bit machines, no system call.
 */

import { UDP_PAYLOAD } from '../../wire/edns.ts';
import type { Bytes, Count } from '../../../zones/units.ts';
import { ADDRESS_SIZE, INFO_SIZE } from './socket-address.ts';

/** Datagrams that one call reads or sends. With 64, what the call itself costs is a few per cent of what the kernel does for each of them. */
export const BATCH: Count = 64;

/** More than any datagram has, so nothing is cut short. Pages that nobody writes to are not there. */
const RECEIVE_ROOM: Bytes = 65_536;
/** Strides of 64 KiB would put the beginnings of all datagrams into the same few lines of the processor's cache. */
const RECEIVE_STRIDE: Bytes = RECEIVE_ROOM + 128;
/** The largest reply over UDP, from one cache line to another. */
const SEND_STRIDE: Bytes = Math.ceil(UDP_PAYLOAD / 64) * 64;
export const SEND_ROOM: Bytes = UDP_PAYLOAD;

/**
 * struct mmsghdr: msg_name 0, msg_namelen 8, msg_iov 16, msg_iovlen 24, msg_control 32, msg_controllen 40, msg_flags 48, msg_len 56.
 */
const HEADER_SIZE: Bytes = 64;
/** struct iovec: iov_base 0, iov_len 8. */
const VECTOR_SIZE: Bytes = 16;
/** A socket address, and at 32 a control message: all that a reply's way back consists of. */
const ENVELOPE_STRIDE: Bytes = 128;
const ENVELOPE_INFO: Bytes = 32;
const ENVELOPE_WORDS: Count = (ENVELOPE_INFO + INFO_SIZE) / Uint32Array.BYTES_PER_ELEMENT;

/** The slots of one direction, by where the first of them stands. */
export type Slots = {
  readonly headers: Bytes;
  readonly envelopes: Bytes;
  readonly data: Bytes;
  readonly stride: Bytes;
};

/**
 * Its array must be what is passed to the calls, so that it is referred to as long as the kernel uses it: an array that nothing in JavaScript
 * refers to is collected while the kernel writes into it. The array's memory does not move. Whoever makes one keeps it for itself.
 */
export type Arena = {
  readonly octets: Buffer;
  readonly words: Uint32Array;
  readonly view: DataView;
  readonly received: Slots;
  readonly sent: Slots;
  /** What the calls are given: the headers of what is received, and those of replies. */
  readonly receivedHeaders: Uint8Array;
  readonly sentHeaders: Uint8Array;
};

/** A way back that is kept for a reply that comes later. */
export type Envelope = { readonly words: Uint32Array; readonly addressSize: Bytes; readonly infoSize: Bytes };

export function makeArena(addressOf: (memory: ArrayBuffer) => bigint): Arena {
  const headersSize = BATCH * HEADER_SIZE;
  const vectors = 2 * headersSize;
  const envelopes = vectors + 2 * BATCH * VECTOR_SIZE;
  const replies = envelopes + 2 * BATCH * ENVELOPE_STRIDE;
  const queries = replies + BATCH * SEND_STRIDE;
  const memory = new ArrayBuffer(queries + BATCH * RECEIVE_STRIDE);
  const base = addressOf(memory);
  const octets = Buffer.from(memory);
  const view = new DataView(memory);
  const received = { headers: 0, envelopes, data: queries, stride: RECEIVE_STRIDE };
  const sent = {
    headers: headersSize,
    envelopes: envelopes + BATCH * ENVELOPE_STRIDE,
    data: replies,
    stride: SEND_STRIDE,
  };
  const lay = (slots: Slots, slot: Count, vector: Bytes, room: Bytes): void => {
    const header = slots.headers + slot * HEADER_SIZE;
    const envelope = base + BigInt(slots.envelopes + slot * ENVELOPE_STRIDE);
    view.setBigUint64(header, envelope, true);
    view.setBigUint64(header + 16, base + BigInt(vector), true);
    view.setBigUint64(header + 24, 1n, true);
    view.setBigUint64(header + 32, envelope + BigInt(ENVELOPE_INFO), true);
    view.setBigUint64(vector, base + BigInt(slots.data + slot * slots.stride), true);
    view.setBigUint64(vector + 8, BigInt(room), true);
  };
  for (let slot = 0; slot < BATCH; slot++) {
    lay(received, slot, vectors + slot * VECTOR_SIZE, RECEIVE_ROOM);
    lay(sent, slot, vectors + (BATCH + slot) * VECTOR_SIZE, SEND_ROOM);
  }
  return {
    octets,
    words: new Uint32Array(memory, 0, queries / Uint32Array.BYTES_PER_ELEMENT),
    view,
    received,
    sent,
    receivedHeaders: octets.subarray(received.headers),
    sentHeaders: octets.subarray(sent.headers),
  };
}

/** Makes the first slots ready to be received into: the kernel writes over these sizes. */
export function prepareToReceive({ words, received }: Arena, count: Count, infoSize: Bytes): void {
  for (let slot = 0; slot < count; slot++) {
    const header = (received.headers + slot * HEADER_SIZE) >> 2;
    words[header + 2] = ADDRESS_SIZE;
    words[header + 10] = infoSize;
  }
}

/** Puts a datagram that node:dgram has read into the first slot, as if it had been received there. */
export function putReceived({ octets, words, received }: Arena, packet: Uint8Array): void {
  const header = received.headers >> 2;
  octets.set(packet, received.data);
  words[header + 10] = 0;
  words[header + 12] = 0;
  words[header + 14] = packet.length;
}

export function receivedSize({ words, received }: Arena, slot: Count): Bytes {
  return words[((received.headers + slot * HEADER_SIZE) >> 2) + 14] ?? 0;
}

/** Had the datagram no room? */
export function isCutShort({ words, received }: Arena, slot: Count): boolean {
  return ((words[((received.headers + slot * HEADER_SIZE) >> 2) + 12] ?? 0) & CUT_SHORT) !== 0;
}

/** Of the control message that came with it. */
export function receivedInfoSize({ words, received }: Arena, slot: Count): Bytes {
  return words[((received.headers + slot * HEADER_SIZE) >> 2) + 10] ?? 0;
}

/** `MSG_TRUNC` */
const CUT_SHORT = 0x20;

/** Where the address of a slot stands, and behind it the control message. */
export function addressAt(slots: Slots, slot: Count): Bytes {
  return slots.envelopes + slot * ENVELOPE_STRIDE;
}

export function infoAt(slots: Slots, slot: Count): Bytes {
  return slots.envelopes + slot * ENVELOPE_STRIDE + ENVELOPE_INFO;
}

export function dataAt(slots: Slots, slot: Count): Bytes {
  return slots.data + slot * slots.stride;
}

/** Makes a slot ready to be sent; its octets and its envelope are in place. */
export function prepareToSend(arena: Arena, slot: Count, size: Bytes, addressSize: Bytes, infoSize: Bytes): void {
  const { words, sent } = arena;
  const header = (sent.headers + slot * HEADER_SIZE) >> 2;
  words[header + 2] = addressSize;
  words[header + 10] = infoSize;
  const vector = (2 * BATCH * HEADER_SIZE + (BATCH + slot) * VECTOR_SIZE) >> 2;
  words[vector + 2] = size;
}

/** What a call is given to send from a slot on. */
export function headersFrom({ sentHeaders }: Arena, slot: Count): Uint8Array {
  return slot === 0 ? sentHeaders : sentHeaders.subarray(slot * HEADER_SIZE);
}

/** The way back of what was received in a slot becomes that of a reply. */
export function copyEnvelope({ words, received, sent }: Arena, from: Count, to: Count): void {
  const source = addressAt(received, from) >> 2;
  const target = addressAt(sent, to) >> 2;
  for (let i = 0; i < ENVELOPE_WORDS; i++) words[target + i] = words[source + i] ?? 0;
}

/** The same, for later. */
export function keepEnvelope({ words, received }: Arena, slot: Count, addressSize: Bytes, infoSize: Bytes): Envelope {
  const start = addressAt(received, slot) >> 2;
  return { words: words.slice(start, start + ENVELOPE_WORDS), addressSize, infoSize };
}

export function placeEnvelope({ words, sent }: Arena, to: Count, envelope: Envelope): void {
  words.set(envelope.words, addressAt(sent, to) >> 2);
}
