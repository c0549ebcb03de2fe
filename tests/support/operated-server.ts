/** A server whose Corefile a test edits while it runs, in a folder like the one the kubelet mounts. Knows no plugin. */

import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { exchange, type ServerAddress } from './client.ts';
import { metric } from './demo-server.ts';
import { until } from './programs.ts';
import { asked, encodeQuery } from './query.ts';
import { decodeReply, presentReply } from './present.ts';
import { freePort, ROOT, startServer, type StartedServer } from './server.ts';

export type OperatedServer = StartedServer & {
  readonly address: ServerAddress;
  readonly healthPort: number;
  readonly metricsPort: number;
  /** What the Corefile says at the start. */
  readonly text: string;
  readonly corefile: ConfigMapVolume;
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Waits for a line in the log that has come since the last call. */
  readonly logged: (line: string | RegExp) => Promise<string>;
  readonly metric: (name: string, labels?: Readonly<Record<string, string>>) => Promise<number>;
};

/** fixtures/programs/operations.corefile, served from a folder that can be changed. */
export async function startOperatedServer(options: {
  readonly upstream: string;
  readonly lameduck?: string;
  /** A folder of manifests; the demo's if not given. */
  readonly cluster?: string;
}): Promise<OperatedServer> {
  const text = await readFile(join(ROOT, 'fixtures/programs/operations.corefile'), 'utf8');
  const corefile = await ConfigMapVolume.make(text);
  const [healthPort, metricsPort] = [await freePort(), await freePort()];
  const server = await startServer({
    corefile: { file: corefile.file },
    environment: {
      CLUSTER: options.cluster ?? join(ROOT, 'fixtures/clusters/demo'),
      UPSTREAM: options.upstream,
      LAMEDUCK: options.lameduck ?? '0s',
      HEALTH_PORT: String(healthPort),
      METRICS_PORT: String(metricsPort),
    },
  }).catch(async (error: unknown) => {
    await corefile.remove();
    throw error;
  });
  let read = 0;
  return {
    ...server,
    address: { host: '127.0.0.1', port: server.port },
    healthPort,
    metricsPort,
    text,
    corefile,
    signal: (signal: NodeJS.Signals) => void process.kill(server.pid, signal),
    async logged(line: string | RegExp): Promise<string> {
      let found = '';
      await until(`the log says ${line}`, () => {
        const lines = server.log().slice(read).split('\n');
        const at = lines.findIndex((one) => (typeof line === 'string' ? one.includes(line) : line.test(one)));
        if (at === -1) return false;
        found = lines[at] ?? '';
        read += lines.slice(0, at + 1).join('\n').length;
        return true;
      });
      return found;
    },
    metric: (name: string, labels?: Readonly<Record<string, string>>) => metric(metricsPort, name, labels),
    async close(): Promise<number | undefined> {
      const code = await server.close();
      await corefile.remove();
      return code;
    },
  };
}

/** A folder like that of a mounted ConfigMap: `Corefile -> ..data/Corefile`, `..data -> ..1`, and updates swap `..data`. */
export class ConfigMapVolume {
  readonly folder: string;
  #versions = 0;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(text: string): Promise<ConfigMapVolume> {
    const volume = new ConfigMapVolume(await mkdtemp(join(tmpdir(), 'configmap-')));
    await volume.swap(text);
    await symlink(join('..data', 'Corefile'), volume.file);
    return volume;
  }

  get file(): string {
    return join(this.folder, 'Corefile');
  }

  /** As the kubelet does: a new folder, and one rename that makes it the current one. */
  async swap(text: string): Promise<void> {
    const version = `..${++this.#versions}`;
    await mkdir(join(this.folder, version));
    await writeFile(join(this.folder, version, 'Corefile'), text);
    await symlink(version, join(this.folder, '..data_tmp'));
    await rename(join(this.folder, '..data_tmp'), join(this.folder, '..data'));
    if (this.#versions > 1) await rm(join(this.folder, `..${this.#versions - 1}`), { recursive: true });
  }

  /** In place, as an editor may; `undefined` takes the file away. */
  async write(text: string | undefined): Promise<void> {
    const file = join(this.folder, '..data', 'Corefile');
    if (text === undefined) await rm(file);
    else await writeFile(file, text);
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}

/** One reply as text: the rcode, then the records of the answer with their TTL. */
export async function answerOf(
  server: ServerAddress,
  protocol: 'udp' | 'tcp',
  name: string,
  type: string,
): Promise<readonly string[]> {
  const id = crypto.getRandomValues(new Uint16Array(1))[0] ?? 0;
  const { reply, answer } = presentReply(
    decodeReply(await exchange(server, protocol, encodeQuery(id, asked(name, type)))),
  );
  return [reply.split(' ')[1] ?? '', ...answer];
}

/** Asks again and again, several at a time, until it is told to stop; counts what was asked and what was answered otherwise than expected. */
export class SteadyAsking {
  #isStopped = false;
  #asked = 0;
  readonly #wrong: string[] = [];
  readonly #lanes: Promise<void>[];

  /** @param expected every answer must be one of these */
  constructor(server: ServerAddress, name: string, type: string, expected: readonly string[]) {
    this.#lanes = (['udp', 'udp', 'udp', 'tcp'] as const).map(async (protocol) => {
      while (!this.#isStopped) {
        this.#asked++;
        const answer = await answerOf(server, protocol, name, type).then(String, String);
        if (!expected.includes(answer)) this.#wrong.push(`${protocol}: ${answer}`);
      }
    });
  }

  get asked(): number {
    return this.#asked;
  }

  /** Ends it after the answers that are still to come; what was wrong or lost. */
  async stop(): Promise<readonly string[]> {
    this.#isStopped = true;
    await Promise.all(this.#lanes);
    return this.#wrong;
  }
}
