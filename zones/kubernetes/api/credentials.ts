/**
 * Where the API server is and who we are there: from the files of a service account or of `tls CERT KEY CA`.
 * Knows nothing of what is asked.
 */

import { accessSync, constants } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type AgentOptions } from 'node:https';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';

import type { Count, Milliseconds } from '../../units.ts';
import { ApiFault } from './api-fault.ts';
import type { SourceOptions } from '../source.ts';
import type { Time } from './time.ts';

/** Everything that a GET needs. Another object means other credentials. */
export type Connection = {
  /** Scheme, host, port, and a path that comes before the API's own. */
  readonly server: URL;
  readonly agent: HttpAgent | HttpsAgent;
  readonly headers: ReadonlyMap<string, string>;
};

/** A supply of connections that keeps up with files that are rotated. */
export type Credentials = {
  /** What they are for, as a person would name it: a URL without secrets, or the kubeconfig that has it. */
  readonly place: string;
  /** For the next GET. @throws ApiFault `credentials` */
  connection(): Promise<Connection>;
  /** The server refused this one (401). Is there another one now? @throws ApiFault `credentials` */
  renew(refused: Connection): Promise<boolean>;
  close(): void;
};

/** A source that cannot start, and what the operator can do about it. */
export class SourceError extends Error {
  readonly code = 'SOURCE';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SourceError';
  }
}

/** What Kubernetes gives to a container that has a service account. */
export type InClusterPlace = {
  /** Environment variables. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** The folder with `token` and `ca.crt`. */
  readonly serviceAccount: string;
};

/** Paths of PEM files and of a bearer token; what is not used is undefined. */
type Files = { readonly [file in keyof Material]: string | undefined };

/** The contents of those files. */
type Material = {
  readonly token: string | undefined;
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
};

/**
 * The service account's.
 * @throws SourceError outside a cluster
 */
export function inClusterCredentials(place: InClusterPlace, time: Time): Credentials {
  const host = place.variables['KUBERNETES_SERVICE_HOST'];
  const port = place.variables['KUBERNETES_SERVICE_PORT'];
  if (host === undefined || host === '' || port === undefined || port === '') {
    throw notInCluster('KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set');
  }
  const token = join(place.serviceAccount, 'token');
  const ca = join(place.serviceAccount, 'ca.crt');
  for (const file of [token, ca]) {
    if (!isReadable(file)) throw notInCluster(`${file} cannot be read`);
  }
  // The address, never the name kubernetes.default.svc: it is we who would have to resolve it.
  const server = serverFrom(`https://${isIPv6(host) ? `[${host}]` : host}:${port}`);
  return new FileCredentials(server, { token, ca, cert: undefined, key: undefined }, time);
}

/**
 * Those of `endpoint URL` and `tls CERT KEY CA`.
 * @throws SourceError if a file cannot be read or the URL is none
 */
export function endpointCredentials(from: SourceOptions['from'] & { kind: 'endpoint' }, time: Time): Credentials {
  const server = serverFrom(from.url);
  for (const file of Object.values(from.tls ?? {})) {
    if (!isReadable(file))
      throw new SourceError(`\`tls\` of \`kubernetes\`: ${file} cannot be read; check path and rights`);
  }
  return new FileCredentials(
    server,
    { token: undefined, ca: undefined, cert: undefined, key: undefined, ...from.tls },
    time,
  );
}

/** @throws SourceError if the text is no http or https URL */
export function serverFrom(text: string): URL {
  const server = URL.parse(text);
  if (server === null || !/^https?:$/.test(server.protocol)) {
    const shown = text.replace(/^.*@/s, '…@');
    throw new SourceError(`"${shown}" is not the URL of an API server; write it like https://10.96.0.1:443`);
  }
  return server;
}

export function isReadable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** An agent for one set of credentials. Connections are kept: each watch has one of its own, lists share what is left. */
export function agentFor(server: URL, options: AgentOptions): HttpAgent | HttpsAgent {
  const limits = { keepAlive: true, maxSockets: SOCKETS_MAX, maxFreeSockets: FREE_SOCKETS_MAX };
  if (server.protocol === 'http:') return new HttpAgent(limits);
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return new HttpsAgent({ ...given, ...limits });
}

/** Lets an agent's running exchanges end, and nothing more. */
export function retire(agent: HttpAgent): void {
  agent.maxFreeSockets = 0;
  const idle = Object.values(agent.freeSockets).flatMap((sockets) => sockets ?? []);
  for (const socket of idle) socket.destroy();
}

/** Connections to one API server: one per kind of object, and as many again while credentials are changed. */
const SOCKETS_MAX: Count = 16;
/** As many idle ones as there are kinds. */
const FREE_SOCKETS_MAX: Count = 4;
/** Files older than this are read again: what client-go takes for tokens, which live an hour and are replaced after 80 % of it. */
const FILES_FRESH: Milliseconds = 60_000;

class FileCredentials implements Credentials {
  readonly place: string;
  readonly #server: URL;
  readonly #files: Files;
  readonly #time: Time;
  #material: Material | undefined;
  #current: Connection | undefined;
  #readAt: Milliseconds = 0;
  #reading: Promise<Connection> | undefined;

  constructor(server: URL, files: Files, time: Time) {
    this.place = server.origin;
    this.#server = server;
    this.#files = files;
    this.#time = time;
  }

  async connection(): Promise<Connection> {
    const current = this.#current;
    if (current !== undefined && this.#time.now() - this.#readAt < FILES_FRESH) return current;
    try {
      return await this.#read();
    } catch (error) {
      // A file that is missing for a moment is no reason to stop: the server will say when the old ones are no longer good.
      if (current !== undefined) return current;
      throw error;
    }
  }

  async renew(refused: Connection): Promise<boolean> {
    if (this.#current !== refused) return true;
    return (await this.#read()) !== refused;
  }

  close(): void {
    this.#current?.agent.destroy();
  }

  #read(): Promise<Connection> {
    this.#reading ??= this.#readNow().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  async #readNow(): Promise<Connection> {
    const material = await readMaterial(this.#files);
    this.#readAt = this.#time.now();
    const last = this.#material;
    const current = this.#current;
    const isSameTls = last?.ca === material.ca && last?.cert === material.cert && last?.key === material.key;
    if (current !== undefined && isSameTls && last?.token === material.token) return current;
    const { token, ...tls } = material;
    const agent = current !== undefined && isSameTls ? current.agent : agentFor(this.#server, tls);
    if (current !== undefined && agent !== current.agent) retire(current.agent);
    const headers = new Map(token === undefined ? [] : [['Authorization', `Bearer ${token}`]]);
    this.#material = material;
    this.#current = { server: this.#server, agent, headers };
    return this.#current;
  }
}

async function readMaterial(files: Files): Promise<Material> {
  const [token, ca, cert, key] = await Promise.all([
    read(files.token),
    read(files.ca),
    read(files.cert),
    read(files.key),
  ]);
  if (token?.trim() === '') throw new ApiFault('credentials', `${files.token} is empty`);
  return { token: token?.trim(), ca, cert, key };
}

async function read(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new ApiFault('credentials', `${file} cannot be read`, { cause });
  }
}

function notInCluster(why: string): SourceError {
  return new SourceError(
    `fivedots is not running in a cluster: ${why}; give \`kubernetes\` a \`kubeconfig\`, an \`endpoint\` or \`manifests\``,
  );
}
