/** The three faults that are thrown. Outcomes (NXDOMAIN, NODATA, REFUSED) are values and never come through here. */

/** Octets that are not a DNS message. `rcode` is what to say to their sender. */
export class MessageError extends Error {
  readonly code = 'MESSAGE';
  readonly rcode: number;

  constructor(rcode: number, message: string) {
    super(message);
    this.name = 'MessageError';
    this.rcode = rcode;
  }
}

/** Where a token of a Corefile stands; `line` and `column` count from 1. */
export type Position = { readonly file: string; readonly line: number; readonly column: number };

/** A Corefile that cannot be used: where, what was found, what is allowed. */
export class CorefileError extends Error {
  readonly code = 'COREFILE';
  readonly position: Position;

  constructor(position: Position, message: string) {
    super(`${position.file}:${position.line}:${position.column}: ${message}`);
    this.name = 'CorefileError';
    this.position = position;
  }
}

/** Why an upstream gave no usable reply; `limit`: it was not asked, for too much waits already. */
export type UpstreamErrorCode = 'timeout' | 'unreachable' | 'malformed' | 'limit';

/** An upstream that gave no usable reply. */
export class UpstreamError extends Error {
  readonly code: UpstreamErrorCode;

  constructor(code: UpstreamErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UpstreamError';
    this.code = code;
  }
}
