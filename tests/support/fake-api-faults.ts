/** The ways in which the fake API server fails when a test asks for it. Knows nothing of what a right reply is. */

import type { IncomingMessage, ServerResponse } from 'node:http';

/** What a client asks for. */
export type Ask = 'list' | 'watch' | 'watchlist';

/** One request, as it came. */
export type Logged = {
  readonly ask: Ask;
  readonly kind: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  /** The client's port: equal ports are one connection. */
  readonly port: number;
};

/** How the next matching requests go wrong. */
export type Fault = {
  readonly on?: Ask;
  readonly kind?: string;
  readonly when?: (query: URLSearchParams) => boolean;
  /** How many requests; 1 if not given. */
  readonly times?: number;
} & (
  | {
      readonly does: 'status';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    }
  /** Is served as if nothing were wrong, but not before `serveLate`. */
  | { readonly does: 'late' }
  /** Closes the connection with RST. */
  | { readonly does: 'reset' }
  /** Never replies, or replies with headers only. */
  | { readonly does: 'mute'; readonly headers: boolean }
  /** Sends this as the body of a 200 and then nothing, or the end, or RST. */
  | { readonly does: 'send'; readonly body: string | Buffer; readonly ending: 'silence' | 'end' | 'reset' }
  /** Replies 200 and ends at once. */
  | { readonly does: 'end' }
);

/** Does what the fault says to one request; `reset` breaks its connection. */
export function applyFault(fault: Exclude<Fault, { does: 'late' }>, response: ServerResponse, reset: () => void): void {
  switch (fault.does) {
    case 'status':
      if (fault.body !== undefined) {
        response.writeHead(fault.status, { 'Content-Type': 'text/plain', ...fault.headers }).end(fault.body);
        return;
      }
      for (const [name, value] of Object.entries(fault.headers ?? {})) response.setHeader(name, value);
      sendStatus(response, fault.status, fault.status === 410 ? 'Expired' : 'Failed', 'planned by the test');
      return;
    case 'reset':
      reset();
      return;
    case 'mute':
      if (fault.headers) response.writeHead(200, { 'Content-Type': 'application/json' }).flushHeaders();
      return;
    case 'send':
      response.writeHead(200, { 'Content-Type': 'application/json' }).write(fault.body, () => {
        if (fault.ending === 'end') response.end();
        else if (fault.ending === 'reset') reset();
      });
      return;
    case 'end':
      response.writeHead(200, { 'Content-Type': 'application/json' }).end();
      return;
  }
}

/** A Status object (meta/v1), as API servers say what is wrong. */
export function sendStatus(
  response: ServerResponse,
  code: number,
  reason: string,
  message: string,
  details = {},
): void {
  response.writeHead(code, { 'Content-Type': 'application/json' });
  response.end(
    JSON.stringify({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason,
      details,
      code,
    }),
  );
}
