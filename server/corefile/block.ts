/** A Corefile as values: server blocks of directives, each token with its place. Knows no directive by name. */

import type { Name } from '../../zones/name.ts';
import type { Position } from '../errors.ts';

/** A word of the Corefile after quotes and `{$ENV}` are resolved. */
export type Token = { readonly text: string; readonly position: Position };

/** A line inside a directive's own braces, or the directive's own line: a word and its arguments. */
export type Line = { readonly name: Token; readonly args: readonly Token[] };

/** `NAME ARG… [{ lines }]`. `body` is undefined without braces. */
export type Directive = Line & { readonly body: readonly Line[] | undefined };

export type Transport = 'dns' | 'tls' | 'https' | 'https3' | 'grpc' | 'quic';

/** `[scheme://]zone[:port]`, one zone of it: a CIDR key has become several. */
export type BlockKey = {
  readonly transport: Transport;
  readonly zone: Name;
  /** As written; undefined for the transport's default. */
  readonly port: number | undefined;
  readonly position: Position;
};

/** What a plugin may know of the block that it stands in. Plain data: it crosses threads. */
export type BlockHead = {
  readonly keys: readonly [BlockKey, ...BlockKey[]];
  readonly position: Position;
};

export type ServerBlock = BlockHead & { readonly directives: readonly Directive[] };
