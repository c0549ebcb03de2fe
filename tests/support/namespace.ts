/**
 * A small network for tests: the cluster's side and the world outside as two network namespaces with a cable between them,
 * and for each program a view of its own of the files in /etc. Needs no trace to be removed: all of it ends with the processes
 * in it. Knows Linux's namespaces, nothing of DNS.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';

import type { Ask, Order, Reply, Write } from './network-agent.ts';
import { run, until } from './programs.ts';
import { ROOT } from './server.ts';

/** Files that a program sees in place of the machine's, by path. */
export type View = Readonly<Record<string, string>>;

/** Where the cluster's side can be reached from the outside, and where the outside is. */
export const CLUSTER_ADDRESS = '192.0.2.1';
export const OUTSIDE_ADDRESSES = { resolver: '192.0.2.53', authority: '192.0.2.54' } as const;
/** The address of kube-dns, of both families. */
export const DNS_ADDRESSES = { v4: '10.96.0.10', v6: 'fd00:96::a' } as const;

export class TestNetwork {
  /** Goes in front of a command to run it on the cluster's side. */
  readonly cluster: readonly string[];
  /** Goes in front of a command to run it outside. */
  readonly outside: readonly string[];
  readonly #agent: ChildProcess;
  readonly #cat: ChildProcess;
  readonly #replies: AsyncIterator<string>;
  readonly #folder: string;
  #views = 0;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(agent: ChildProcess, replies: Interface, cat: ChildProcess, folder: string) {
    this.#agent = agent;
    this.#cat = cat;
    this.#replies = replies[Symbol.asyncIterator]();
    this.#folder = folder;
    this.cluster = enter(agent);
    this.outside = enter(cat);
  }

  static async open(): Promise<TestNetwork> {
    const agent = hold([...NEW, process.execPath, 'tests/support/network-agent.ts']);
    const replies = createInterface({ input: agent.stdout ?? process.stdin });
    await isRunning(agent, 'node');
    const cat = hold([...enter(agent), 'unshare', '--net', 'cat']);
    await isRunning(cat, 'cat');
    const network = new TestNetwork(agent, replies, cat, await mkdtemp(join(tmpdir(), 'network-')));
    try {
      await network.#lay();
    } catch (error) {
      await network.close();
      throw error;
    }
    return network;
  }

  /** What goes in front of a command to run it on the cluster's side with these files in place of the machine's. */
  async seeing(view: View): Promise<readonly string[]> {
    const folder = join(this.#folder, String(this.#views++));
    for (const [path, text] of Object.entries(view)) {
      await mkdir(join(folder, dirname(path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    return [...this.cluster, 'unshare', '--mount', 'sh', '-c', MOUNT, 'sh', folder];
  }

  /**
   * Has the agent do something; orders are carried out one after the other.
   * @throws Error with what the agent could not do
   */
  order(order: Order): Promise<Reply> {
    const reply = this.#last.then(async () => {
      this.#agent.stdin?.write(`${JSON.stringify(order)}\n`);
      const { value, done } = await this.#replies.next();
      if (done === true) throw new Error('the agent in the namespace has ended');
      const answer = JSON.parse(value) as Reply; // written by network-agent.ts, which has the type
      if (answer.fault !== undefined) throw new Error(answer.fault);
      return answer;
    });
    this.#last = reply.catch(() => undefined);
    return reply;
  }

  async ask(ask: Ask): Promise<readonly string[]> {
    return (await this.order({ do: 'ask', ask })).answer ?? [];
  }

  async write(...writes: readonly Write[]): Promise<void> {
    await this.order({ do: 'write', writes });
  }

  /** The status of a page on the cluster's side, 0 if nobody serves it. */
  async statusOf(url: string): Promise<number> {
    return this.order({ do: 'get', url }).then(
      ({ status = 0 }) => status,
      () => 0,
    );
  }

  async close(): Promise<void> {
    for (const child of [this.#cat, this.#agent]) {
      const ended = child.exitCode === null ? new Promise((resolve) => void child.once('exit', resolve)) : undefined;
      child.stdin?.end();
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #lay(): Promise<void> {
    for (const words of [
      `link add dns0 type veth peer name dns1 netns ${this.#cat.pid}`,
      `address add ${CLUSTER_ADDRESS}/24 dev dns0`,
      `address add ${DNS_ADDRESSES.v4}/32 dev lo`,
      `address add ${DNS_ADDRESSES.v6}/128 dev lo`,
      'link set dns0 up',
      'link set lo up',
    ]) {
      await ip(this.cluster, words);
    }
    for (const words of [
      ...Object.values(OUTSIDE_ADDRESSES).map((address) => `address add ${address}/24 dev dns1`),
      'link set dns1 up',
      'link set lo up',
    ]) {
      await ip(this.outside, words);
    }
  }
}

const NEW = ['unshare', '--map-root-user', '--net', '--mount'];

/** Lays each file of the folder over the one of that path; what is below /run is on a file system of its own, so that folders can be made. */
const MOUNT = `
  set -e; folder=$1; shift
  mount -t tmpfs tmpfs /run
  cd "$folder"
  find . -type f | while read -r file; do
    target=$(readlink -m "/\${file#./}")
    case $target in /run/*) mkdir -p "$(dirname "$target")"; : >"$target" ;; esac
    mount --bind "$file" "$target"
  done
  cd "$OLDPWD"
  exec "$@"`;

function hold(command: readonly string[]): ChildProcess {
  const [file = '', ...words] = command;
  return spawn(file, words, { cwd: ROOT, stdio: ['pipe', 'pipe', 'inherit'] });
}

function enter({ pid }: ChildProcess): readonly string[] {
  return ['nsenter', '--target', String(pid), '--user', '--net', '--preserve-credentials'];
}

/** Has it become the program, with its namespaces made? `unshare` and `nsenter` turn into what they run. */
function isRunning(child: ChildProcess, name: string): Promise<void> {
  return until(`${name} runs in its namespace`, () => {
    if (child.exitCode !== null) throw new Error(`${name} ended with code ${child.exitCode}`);
    return readFileSync(`/proc/${child.pid}/cmdline`, 'latin1').split('\0')[0]?.split('/').at(-1) === name;
  });
}

async function ip(where: readonly string[], words: string): Promise<void> {
  const { code, stderr } = await run([...where, 'ip', ...words.split(' ')]);
  if (code !== 0) throw new Error(`ip ${words}: ${stderr}`);
}
