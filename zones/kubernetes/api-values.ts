/**
 * Reading untyped values of the Kubernetes API without believing them: fields, lists, names, addresses.
 * Knows nothing of what an object means.
 */

import { isIP } from 'node:net';

import { addressFrom, presentAddress } from '../ip.ts';
import { LABEL_MAX } from '../name.ts';

/** A JSON object of which nothing is known. */
export type Fields = { readonly [field: string]: unknown };

/** Longest name in presentation format without the final dot: 255 octets in wire form (RFC 1035 section 2.3.4). */
const SUBDOMAIN_MAX = 253;

/** The value itself if it is a JSON object, else one without fields. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : NO_FIELDS;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value itself if it is a list, else an empty one. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : NO_LIST;
}

/** Is the field not there? The API writes `null` as well as nothing. */
export function isAbsent(value: unknown): value is undefined {
  return value === undefined || value === null;
}

/**
 * A DNS label as Kubernetes has it (RFC 1123 section 2.1): lower-case letters, digits and inner hyphens, at most 63.
 * Checked by hand, for it runs once per endpoint.
 */
export function isLabel(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LABEL_MAX && isLabelText(value, 0, value.length);
}

/**
 * Labels with dots between, at most 253 characters: names of Pods and EndpointSlices. The API sets no limit to one label
 * here, and generated names use that: a Service's name of 63 and a suffix.
 */
export function isSubdomain(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > SUBDOMAIN_MAX) return false;
  for (let start = 0; ;) {
    const dot = value.indexOf('.', start);
    if (!isLabelText(value, start, dot === -1 ? value.length : dot)) return false;
    if (dot === -1) return true;
    start = dot + 1;
  }
}

/**
 * A host name that someone else's DNS answers for: also upper case and underscores, and a final dot. Escapes of the
 * presentation format are refused, for they could smuggle in octets that no host name has.
 */
export function isHostName(value: unknown): value is string {
  if (typeof value !== 'string') return false;
  const text = value.endsWith('.') ? value.slice(0, -1) : value;
  return text.length <= SUBDOMAIN_MAX && HOST_NAME.test(text);
}

/**
 * A topology zone, which is the value of a Node's label topology.kubernetes.io/zone: at most 63 letters, digits, `-`, `_` and
 * `.`. One with two dots together could stand in no name.
 */
export function isTopologyZone(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > LABEL_MAX) return false;
  return LABEL_VALUE.test(value) && !value.includes('..');
}

/** A port of TCP, UDP or SCTP; 0 is none. */
export function isPortNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535;
}

/**
 * The address as text, or undefined if it is none. It stays as it was written, for endpoint names are made from that text;
 * only what may be an IPv4 address in IPv6 is rewritten, with or without the dots, which would look like labels.
 */
export function addressTextFrom(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const family = isIP(value);
  if (family === 4) return value;
  if (family !== 6 || value.includes('%')) return undefined;
  return PERHAPS_IPV4.test(value) ? withoutIpv4(value) : value;
}

/** IPv4-mapped addresses are IPv4 addresses (RFC 4291 section 2.5.5.2), as they are for Go's net package and so for the API. */
function withoutIpv4(text: string): string | undefined {
  const address = addressFrom(text);
  if (address === undefined) return undefined;
  const isMapped = address.every((octet, i) => i >= 12 || octet === (i < 10 ? 0 : 255));
  if (isMapped) return presentAddress(address.slice(12));
  return text.includes('.') ? presentAddress(address) : text;
}

/** A tail with dots, or the group before it. */
const PERHAPS_IPV4 = /\.|:ffff:/i;

function isLabelText(text: string, start: number, end: number): boolean {
  if (end === start) return false;
  for (let i = start; i < end; i++) {
    const c = text.charCodeAt(i);
    const isLetterOrDigit = (c >= 0x61 && c <= 0x7a) || (c >= 0x30 && c <= 0x39);
    if (!isLetterOrDigit && (c !== HYPHEN || i === start || i === end - 1)) return false;
  }
  return true;
}

const HYPHEN = 0x2d;
const HOST_NAME = /^[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*$/;
const LABEL_VALUE = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?$/;
const NO_FIELDS: Fields = {};
const NO_LIST: readonly unknown[] = [];
