/**
 * Credentials from a kubeconfig file, exec plugins, tokens and proxies included. The only file that loads
 * @kubernetes/client-node, and only once it is needed: that costs 80 MiB. Knows nothing of what is asked.
 */

import { hash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { Agent as HttpAgent } from 'node:http';
import type { RequestOptions } from 'node:https';

import type { Cluster, KubeConfig } from '@kubernetes/client-node';

import type { Milliseconds } from '../../units.ts';
import { ApiFault, plainText } from './api-fault.ts';
import {
  agentFor,
  isReadable,
  retire,
  serverFrom,
  SourceError,
  type Connection,
  type Credentials,
} from './credentials.ts';

/**
 * Those of a context of a kubeconfig file.
 * @throws SourceError if the file cannot be read
 */
export function kubeconfigCredentials(file: string, context: string | undefined): Credentials {
  if (!isReadable(file)) {
    throw new SourceError(`\`kubeconfig\` of \`kubernetes\`: ${file} cannot be read; check path and rights`);
  }
  return new KubeconfigCredentials(file, context);
}

class KubeconfigCredentials implements Credentials {
  readonly place: string;
  readonly #file: string;
  readonly #context: string | undefined;
  #config: KubeConfig | undefined;
  /** When the file was last changed, as it was read. */
  #modified: Milliseconds | undefined;
  /** Of what the current connection was made from: equal options are the same connection. */
  #fingerprint = '';
  #current: Connection | undefined;
  /** One at a time: an exec plugin that hangs must not be started again and again. */
  #making: Promise<Connection> | undefined;

  constructor(file: string, context: string | undefined) {
    this.place = `the server of ${file}`;
    this.#file = file;
    this.#context = context;
  }

  connection(): Promise<Connection> {
    this.#making ??= this.#make().finally(() => (this.#making = undefined));
    return this.#making;
  }

  async renew(refused: Connection): Promise<boolean> {
    if (this.#current !== refused) return true;
    // A KubeConfig keeps its first token, exec result and agent for good.
    this.#config = undefined;
    return (await this.connection()) !== refused;
  }

  close(): void {
    this.#current?.agent.destroy();
  }

  async #make(): Promise<Connection> {
    try {
      const modified = await modificationOf(this.#file);
      // A file that is gone for a moment is being replaced.
      if (modified !== undefined && modified !== this.#modified) this.#config = undefined;
      this.#config ??= await loadConfig(this.#file, this.#context);
      this.#modified = modified;
      return await this.#apply(this.#config);
    } catch (cause) {
      this.#config = undefined;
      if (cause instanceof ApiFault) throw cause;
      throw new ApiFault('credentials', `kubeconfig ${this.#file} gives no credentials: ${whyOf(cause)}`, { cause });
    }
  }

  async #apply(config: KubeConfig): Promise<Connection> {
    const cluster = clusterOf(config);
    const server = serverFrom(cluster.server);
    const options: RequestOptions = { headers: {} };
    await config.applyToHTTPSOptions(options);
    const { ca, cert, key, servername, rejectUnauthorized, auth } = options;
    const headers = new Map<string, string>();
    for (const [name, value] of Object.entries(options.headers ?? {})) headers.set(name, String(value).trim());
    if (typeof auth === 'string') headers.set('Authorization', `Basic ${Buffer.from(auth).toString('base64')}`);
    const tls = { ca, cert, key, servername, rejectUnauthorized };
    const proxy = cluster.proxyUrl ?? '';
    const fingerprint = hash('sha256', JSON.stringify([server.href, proxy, tls, [...headers]]));
    const current = this.#current;
    if (current !== undefined && fingerprint === this.#fingerprint) return current;
    const agent = proxy !== '' && isAgent(options.agent) ? options.agent : agentFor(server, tls);
    if (current !== undefined && current.agent !== agent) retire(current.agent);
    this.#fingerprint = fingerprint;
    this.#current = { server, agent, headers };
    return this.#current;
  }
}

async function modificationOf(file: string): Promise<Milliseconds | undefined> {
  try {
    return (await stat(file)).mtimeMs;
  } catch {
    return undefined;
  }
}

async function loadConfig(file: string, context: string | undefined): Promise<KubeConfig> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  config.loadFromFile(file);
  if (context !== undefined) config.setCurrentContext(context);
  // Without TLS there is nothing to verify, but the package asks for permission not to.
  config.clusters = config.clusters.map((cluster) =>
    cluster.server.startsWith('http:') ? { ...cluster, skipTLSVerify: true } : cluster,
  );
  // Without a user it would not read the cluster's CA either.
  const wanted = config.getContextObject(config.getCurrentContext());
  if (wanted !== null && config.getUser(wanted.user) === null) config.addUser({ name: wanted.user });
  return config;
}

function clusterOf(config: KubeConfig): Cluster {
  const cluster = config.getCurrentCluster();
  if (cluster !== null) return cluster;
  const known = config.contexts.map(({ name }) => name).join(', ');
  throw new Error(`context "${config.getCurrentContext()}" names no cluster in it; it has these contexts: ${known}`);
}

/** Without what was read: a YAML parser shows the lines of the file below its message, and JSON.parse shows its input, tokens and all. */
function whyOf(cause: unknown): string {
  if (cause instanceof SyntaxError) return 'what its exec plugin wrote is no JSON';
  const [first = ''] = (cause instanceof Error ? cause.message : String(cause)).trimStart().split('\n', 1);
  return plainText(first);
}

/** Is it an agent of node:http or one made from it? Proxy agents are. */
function isAgent(agent: RequestOptions['agent']): agent is HttpAgent {
  return typeof agent === 'object' && 'freeSockets' in agent;
}
