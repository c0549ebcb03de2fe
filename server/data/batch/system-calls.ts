/**
 * The calls of Linux that Node has no functions for, by way of koffi. Knows the C library, 64-bit Linux with the constants that nearly all
 * processors share, and nothing of what the calls are for.
 */

import { endianness } from 'node:os';

import type { Bytes, Count, Milliseconds } from '../../../zones/units.ts';

/** A file descriptor. */
export type Descriptor = number;
/** What a call gives: 0 or more if it went well, otherwise the error's number with a minus sign, as the kernel itself says it. */
export type Result = number;

/** An array is memory that the kernel reads or writes during the call, and the caller refers to it until the call has ended. */
export type SystemCalls = {
  /** A UDP socket that does not block. */
  readonly socket: (family: 4 | 6) => Result;
  readonly setOption: (socket: Descriptor, level: number, option: number, value: number) => Result;
  readonly bind: (socket: Descriptor, address: Uint8Array, size: Bytes) => Result;
  /** Writes the socket's own address. */
  readonly nameOf: (socket: Descriptor, address: Uint8Array) => Result;
  /** recvmmsg(2) without waiting: how many of the messages that the headers describe have come. */
  readonly receive: (socket: Descriptor, headers: Uint8Array, count: Count) => Result;
  /** sendmmsg(2) without waiting: how many went. It stops at the first that cannot be sent, whose error only the next call tells. */
  readonly send: (socket: Descriptor, headers: Uint8Array, count: Count) => Result;
  /** poll(2) */
  readonly poll: (entries: Uint8Array, count: Count, timeout: Milliseconds) => Result;
  /** The same in a thread of libuv's pool. The entries must stay as they are until then. */
  readonly pollAside: (entries: Uint8Array, count: Count, timeout: Milliseconds, then: () => void) => void;
  /** An eventfd(2) that does not block. */
  readonly event: () => Result;
  /** dup3(2): `to` becomes another word for `from`. */
  readonly duplicate: (from: Descriptor, to: Descriptor) => Result;
  readonly close: (descriptor: Descriptor) => Result;
  /** 0 if there is no interface of that name. */
  readonly interfaceIndex: (name: string) => number;
  /** Empty if there is no interface of that number any more. */
  readonly interfaceName: (index: number) => string;
  /** Where the memory of an array stands, for pointers inside it. */
  readonly addressOf: (memory: ArrayBuffer) => bigint;
};

/** `SOL_SOCKET`, `IPPROTO_IP`, `IPPROTO_IPV6`. */
export const Level = { SOCKET: 1, IP: 0, IPV6: 41 } as const;
export const SocketOption = { REUSE_ADDRESS: 2, SEND_BUFFER: 7, RECEIVE_BUFFER: 8, REUSE_PORT: 15 } as const;
/** `IP_PKTINFO`, also the type of what it brings. */
export const IP_PACKET_INFO = 8;
export const Ipv6Option = { ONLY: 26, RECEIVE_PACKET_INFO: 49, PACKET_INFO: 50 } as const;
/** `AF_INET`, `AF_INET6`. */
export const FAMILIES = { 4: 2, 6: 10 } as const;
/** `EAGAIN`: the call would have to wait. */
export const WOULD_WAIT: Result = -11;
/** `POLLIN` */
export const READABLE = 1;

const DATAGRAMS = 2;
const CLOSE_ON_EXEC = 0o2000000;
const NONBLOCKING = 0o4000;
const DONT_WAIT = 0x40;
const NO_SIGNAL = 0x4000;

/** `IF_NAMESIZE`, with the zero at the end. */
const INTERFACE_NAME_SIZE: Bytes = 16;

/** Processors with 64-bit pointers and the constants above. */
const PROCESSORS: ReadonlySet<string> = new Set(['x64', 'arm64', 'riscv64', 'loong64']);

/** @throws Error saying why there are no such calls here */
export async function loadSystemCalls(): Promise<SystemCalls> {
  if (process.platform !== 'linux') throw new Error(`there are no such calls on ${process.platform}`);
  if (!PROCESSORS.has(process.arch) || endianness() !== 'LE') throw new Error(`not made for ${process.arch}`);
  const { default: koffi } = await import('koffi');
  // oxlint-disable-next-line unicorn/no-null -- koffi's word for what the program itself is linked with.
  const library = koffi.load(null);
  const declare = (name: string, ...parameters: string[]): ((...values: unknown[]) => Result) => {
    const call: (...values: unknown[]) => number = library.func(name, 'int', parameters);
    return (...values) => {
      const result = call(...values);
      return result < 0 ? -koffi.errno() : result;
    };
  };
  const socket = declare('socket', 'int', 'int', 'int');
  const setsockopt = declare('setsockopt', 'int', 'int', 'int', 'void *', 'unsigned int');
  const getsockname = declare('getsockname', 'int', 'void *', 'void *');
  const dup3 = declare('dup3', 'int', 'int', 'int');
  const eventfd = declare('eventfd', 'unsigned int', 'int');
  const nameOfInterface: (index: number, name: Buffer) => bigint = library.func('if_indextoname', 'uintptr_t', [
    'unsigned int',
    'void *',
  ]);
  const poll: { async: (...values: unknown[]) => void } = library.func('poll', 'int', [
    'void *',
    'unsigned long',
    'int',
  ]);
  // The two that are called for each batch: no array of arguments.
  const recvmmsg: (...values: readonly [number, Uint8Array, Count, number, bigint]) => number = library.func(
    'recvmmsg',
    'int',
    ['int', 'void *', 'unsigned int', 'int', 'uintptr_t'],
  );
  const sendmmsg: (...values: readonly [number, Uint8Array, Count, number]) => number = library.func(
    'sendmmsg',
    'int',
    ['int', 'void *', 'unsigned int', 'int'],
  );
  return {
    socket: (family) => socket(FAMILIES[family], DATAGRAMS | CLOSE_ON_EXEC | NONBLOCKING, 0),
    setOption: (descriptor, level, option, value) => setsockopt(descriptor, level, option, Int32Array.of(value), 4),
    bind: declare('bind', 'int', 'void *', 'unsigned int'),
    nameOf: (descriptor, address) => getsockname(descriptor, address, Int32Array.of(address.length)),
    receive(descriptor, headers, count) {
      const result = recvmmsg(descriptor, headers, count, DONT_WAIT, 0n);
      return result < 0 ? -koffi.errno() : result;
    },
    send(descriptor, headers, count) {
      const result = sendmmsg(descriptor, headers, count, DONT_WAIT | NO_SIGNAL);
      return result < 0 ? -koffi.errno() : result;
    },
    poll: declare('poll', 'void *', 'unsigned long', 'int'),
    pollAside: (entries, count, timeout, then) => poll.async(entries, count, timeout, () => then()),
    event: () => eventfd(0, CLOSE_ON_EXEC | NONBLOCKING),
    duplicate: (from, to) => dup3(from, to, CLOSE_ON_EXEC),
    close: declare('close', 'int'),
    interfaceIndex: declare('if_nametoindex', 'const char *'),
    interfaceName(index) {
      const name = Buffer.alloc(INTERFACE_NAME_SIZE);
      return nameOfInterface(index, name) === 0n ? '' : name.toString('latin1', 0, name.indexOf(0));
    },
    addressOf: (memory) => koffi.address(memory),
  };
}
