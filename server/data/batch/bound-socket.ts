/** Makes and binds a UDP socket with the options that node:dgram does not know. Knows no datagrams. */

import { getSystemErrorMap } from 'node:util';

import type { Bytes } from '../../../zones/units.ts';
import { ADDRESS_SIZE, ADDRESS_SIZES, portOf, writeAddress } from './socket-address.ts';
import {
  IP_PACKET_INFO,
  Ipv6Option,
  Level,
  SocketOption,
  type Descriptor,
  type Result,
  type SystemCalls,
} from './system-calls.ts';

export type SocketWishes = {
  /** With the name of an interface behind `%` if it is link-local. */
  readonly address: string;
  readonly port: number;
  /** `SO_REUSEADDR`: the wildcard and single addresses share a port. */
  readonly sharesPort: boolean;
  /** `SO_REUSEPORT`: several sockets share address and port, and the kernel spreads the clients over them. */
  readonly reusePort: boolean;
  /** Say with each datagram which address was asked. */
  readonly packetInfo: boolean;
  /** Asked of the kernel for either direction, which gives what net.core.rmem_max and wmem_max allow. */
  readonly buffer: Bytes;
};

/** @throws the system's error, with its `code`, as node:dgram throws it */
export function makeSocket(calls: SystemCalls, wishes: SocketWishes): { descriptor: Descriptor; port: number } {
  const { address, port } = wishes;
  const family = familyOf(address);
  const descriptor = must(calls.socket(family), 'socket', wishes);
  try {
    setOptions(calls, descriptor, wishes);
    const name = new Uint8Array(ADDRESS_SIZE);
    const view = new DataView(name.buffer);
    const [text = '', zone] = address.split('%');
    writeAddress(view, 0, text, port, zone === undefined ? 0 : calls.interfaceIndex(zone));
    must(calls.bind(descriptor, name, ADDRESS_SIZES[family]), 'bind', wishes);
    must(calls.nameOf(descriptor, name), 'getsockname', wishes);
    return { descriptor, port: portOf(view, 0) };
  } catch (error) {
    calls.close(descriptor);
    throw error;
  }
}

export function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4;
}

function setOptions(calls: SystemCalls, descriptor: Descriptor, wishes: SocketWishes): void {
  const set = (level: number, option: number): void => {
    must(calls.setOption(descriptor, level, option, 1), 'setsockopt', wishes);
  };
  const family = familyOf(wishes.address);
  if (family === 6) set(Level.IPV6, Ipv6Option.ONLY);
  if (wishes.sharesPort) set(Level.SOCKET, SocketOption.REUSE_ADDRESS);
  if (wishes.reusePort) set(Level.SOCKET, SocketOption.REUSE_PORT);
  if (wishes.packetInfo && family === 4) set(Level.IP, IP_PACKET_INFO);
  if (wishes.packetInfo && family === 6) set(Level.IPV6, Ipv6Option.RECEIVE_PACKET_INFO);
  // The kernel's own sizes serve as well, with less room for bursts.
  calls.setOption(descriptor, Level.SOCKET, SocketOption.RECEIVE_BUFFER, wishes.buffer);
  calls.setOption(descriptor, Level.SOCKET, SocketOption.SEND_BUFFER, wishes.buffer);
}

function must(result: Result, call: string, { address, port }: SocketWishes): number {
  if (result >= 0) return result;
  throw systemError(result, call, ` ${address}:${port}`);
}

/** The error of a call, as Node words it. */
export function systemError(result: Result, call: string, where = ''): NodeJS.ErrnoException {
  const [code = String(result)] = getSystemErrorMap().get(result) ?? [];
  return Object.assign(new Error(`${call} ${code}${where}`), { code, errno: result, syscall: call });
}
