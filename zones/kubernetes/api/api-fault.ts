/** What can go wrong between us and an API server. Knows what it means, not what is done about it. */

import type { Seconds } from '../../units.ts';
import { fieldsOf, listOf, type Fields } from '../api-values.ts';

/**
 * - `credentials`: our own files or programs gave none.
 * - `unreachable`: no connection, or one that broke before a reply.
 * - `timeout`: connected, but the reply did not come in time.
 * - `status`: a reply that is not 200.
 * - `cut`: the reply broke off.
 * - `stalled`: the reply went silent.
 * - `overdue`: a watch that the server should have ended long ago.
 * - `event`: an ERROR event in a watch.
 * - `protocol`: something that the API never says.
 * - `unmarked`: a watch that should begin with a list, but does not say where the list ends.
 * - `shrunk`: a list that lacks so much of what was known that it is not believed at once.
 * - `internal`: a fault of ours.
 * - `closed`: we ended it ourselves.
 */
export type ApiFaultCode =
  | 'credentials'
  | 'unreachable'
  | 'timeout'
  | 'status'
  | 'cut'
  | 'stalled'
  | 'overdue'
  | 'event'
  | 'protocol'
  | 'unmarked'
  | 'shrunk'
  | 'internal'
  | 'closed';

/** The fields of a Status object (meta/v1) that decide what to do. */
export type ApiStatus = {
  /** As in HTTP; 0 if there is none. */
  readonly code: number;
  readonly reason: string;
  /** The first cause that has a reason, such as `ResourceVersionTooLarge`. */
  readonly cause: string;
  readonly retryAfter: Seconds | undefined;
};

export class ApiFault extends Error {
  readonly code: ApiFaultCode;
  readonly status: ApiStatus;

  constructor(code: ApiFaultCode, message: string, options: ErrorOptions & { readonly status?: ApiStatus } = {}) {
    super(message, options);
    this.name = 'ApiFault';
    this.code = code;
    this.status = options.status ?? NO_STATUS;
  }
}

/** The fault that an ERROR event tells of. Its object is a Status (watch/v1 WatchEvent). */
export function eventFault(object: Fields): ApiFault {
  const status = statusFrom(object, 0, undefined);
  return new ApiFault('event', describe(status, object['message']), { status });
}

/** The fault that a reply with another status than 200 tells of. The body should be a Status, but proxies say what they like. */
export function replyFault(code: number, retryAfter: string | undefined, body: string): ApiFault {
  let object: Fields = { message: body };
  try {
    object = fieldsOf(JSON.parse(body));
  } catch {
    // Not JSON: then the body is the message.
  }
  const status = statusFrom(object, code, retryAfter);
  return new ApiFault('status', describe(status, object['message']), { status });
}

/** The fault that something of ours threw. */
export function internalFault(error: unknown): ApiFault {
  const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new ApiFault('internal', `fault in fivedots: ${why}`, { cause: error });
}

/** Is the resourceVersion too old to go on from? */
export function isExpired({ status }: ApiFault): boolean {
  return status.code === 410 || status.reason === 'Expired' || status.reason === 'Gone';
}

/** Does the server not know the resource? */
export function isAbsent({ code, status }: ApiFault): boolean {
  return code === 'status' && status.code === 404;
}

/** Is the resourceVersion newer than the server itself, as after etcd was restored from a backup? */
export function isFromTheFuture({ status }: ApiFault): boolean {
  return status.cause === 'ResourceVersionTooLarge';
}

/** Text from outside on one short line, for a log. */
export function plainText(value: unknown): string {
  if (typeof value !== 'string') return '';
  const line = value.replace(/[\s\p{C}]+/gu, ' ').trim();
  return line.length <= TEXT_MAX ? line : `${line.slice(0, TEXT_MAX)}…`;
}

/** Longest piece of somebody else's text in a message of ours, in UTF-16 code units. */
const TEXT_MAX = 300;

function describe(status: ApiStatus, message: unknown): string {
  const text = plainText(message);
  const head = status.reason === '' ? `${status.code}` : `${status.code} ${status.reason}`;
  return text === '' ? head : `${head}: ${text}`;
}

const NO_STATUS: ApiStatus = { code: 0, reason: '', cause: '', retryAfter: undefined };

function statusFrom(object: Fields, code: number, retryAfter: string | undefined): ApiStatus {
  const details = fieldsOf(object['details']);
  const causes = listOf(details['causes']).map((cause) => plainText(fieldsOf(cause)['reason']));
  return {
    code: code !== 0 || typeof object['code'] !== 'number' ? code : object['code'],
    reason: plainText(object['reason']),
    cause: causes.find((reason) => reason !== '') ?? '',
    retryAfter: secondsFrom(retryAfter) ?? secondsFrom(details['retryAfterSeconds']),
  };
}

/** Delta-seconds of Retry-After; the date form (RFC 9110 section 10.2.3) is not used by API servers. */
function secondsFrom(value: unknown): Seconds | undefined {
  if (value === undefined || value === '') return undefined;
  const seconds = Number(value);
  return Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
}
