/** The names and addresses of fixtures/conformance. Knows the data, no server. */

/** The cluster's zone. */
export const ZONE = 'cluster.local';

/** A Service's name. */
export function service(name: string): string {
  return `${name}.default.svc.${ZONE}`;
}

/** One address of each family, and a port `http`, 80/TCP. */
export const WEB: string = service('web');
export const WEB_ADDRESSES = { A: '10.96.0.80', AAAA: 'fd00:96::80' } as const;

/** 10.96.0.84, and no IPv6 address. */
export const V4_ONLY: string = service('v4only');

/** Headless: `db-0` to `db-2` below it, and a port `postgres`, 5432/TCP. */
export const DB: string = service('db');
export const DB_ADDRESSES: readonly string[] = ['10.244.1.10', '10.244.2.10', '10.244.3.10'];

/** Headless with 200 endpoints, and a port `peer`, 7000/TCP. */
export const BIG: string = service('big');
export const BIG_ADDRESSES: readonly string[] = Array.from({ length: 200 }, (_, i) => `10.244.10.${i + 1}`);

/** Names outside that an alias leads to; the upstream knows what to say from their first label. */
export const EXTERNAL = {
  /** One address. */
  ext: 'www.example.test',
  /** NXDOMAIN. */
  'ext-gone': 'nxdomain-300-60.example.test',
  /** NODATA. */
  'ext-bare': 'nodata-300-60.example.test',
} as const;

/** An alias of `web`, one of a name that does not exist, and two of each other. */
export const ALIAS: string = service('alias');
export const DANGLING: string = service('dangling');
export const LOOP: string = service('l1');

/** Services whose names are unusual and right: 63 octets, internationalized (RFC 5891), with a digit in front (KEP-5311). */
export const ODD_NAMES: ReadonlyMap<string, string> = new Map([
  ['a23456789-123456789-123456789-123456789-123456789-123456789-123', '10.96.0.101'],
  ['xn--bcher-kva', '10.96.0.102'],
  ['1password', '10.96.0.103'],
]);
