/**
 * fivedots whole, with a data thread, sockets and HTTP, in front of an API server that fails as it is told. The clock by which
 * the API server is followed is the test's own. Knows no case.
 */

import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

import { configurationReader } from '../../server/control/configuration.ts';
import { startControl, type Control } from '../../server/control/control.ts';
import { systemTimers } from '../../server/control/timers.ts';
import { plugins } from '../../server/plugins/order.ts';
import { openApiSource } from '../../zones/kubernetes/api/api-source.ts';
import type { Source, SourceEvents, SourceOptions } from '../../zones/kubernetes/source.ts';
import type { Count, Milliseconds } from '../../zones/units.ts';
import { exchange, serverAddressFrom, withinDeadline, type ServerAddress } from '../support/client.ts';
import type { Ask as HowAsked, Logged } from '../support/fake-api-faults.ts';
import { FakeApiServer, type FakeApiOptions, type FakeTls } from '../support/fake-api-server.ts';
import { ManualTime } from '../support/manual-time.ts';
import { asked, encodeQuery } from '../support/query.ts';
import { rawNamespace, rawService, rawSlice, type RawObject } from '../support/raw-objects.ts';
import { ROOT } from '../support/server.ts';
import { answerText } from './answer-text.ts';
import { valueOf, type Figure } from './figures.ts';
import { Relay } from './relay.ts';

/** A deadline, not a measure: only what never comes reaches it. */
const PATIENCE: Milliseconds = 20_000;
const TLS = join(ROOT, 'fixtures/tls');
/** What the API server asks for at first. */
export const TOKEN = 'a token';

/** What a stage is opened with. */
export type StageOptions = {
  readonly api: FakeApiOptions;
  readonly isRelayed: boolean;
  readonly directives: string;
};

export class Stage {
  readonly api: FakeApiServer;
  readonly time: ManualTime = new ManualTime();
  readonly relay: Relay | undefined;
  /** Lines of the log. */
  readonly lines: string[] = [];
  /** What the receiver of changes throws, once for each. */
  readonly receiverFaults: Error[] = [];
  readonly #folder: string;
  #control: Control | undefined;
  #calls: Count = 0;
  #beats: Count = 0;
  #directives: string;

  private constructor(folder: string, api: FakeApiServer, relay: Relay | undefined, directives: string) {
    this.#folder = folder;
    this.api = api;
    this.relay = relay;
    this.#directives = directives;
  }

  /** The API server is up and has the first state; fivedots is not started yet. */
  static async open({ api: options, isRelayed, directives }: StageOptions): Promise<Stage> {
    const folder = await mkdtemp(join(tmpdir(), 'fivedots-faults-'));
    const api = await FakeApiServer.start({ tls: await certificate('server'), ...options });
    const relay = isRelayed ? await Relay.start(() => api.port) : undefined;
    const stage = new Stage(folder, api, relay, directives);
    await stage.rotateToken(TOKEN);
    api.token = TOKEN;
    await stage.rotateCa('ca');
    stage.fill();
    return stage;
  }

  /** The first state: what `STEADY` and `CHANGES` ask for. */
  fill(): void {
    const labels = { tier: 'web' };
    this.api.put(rawNamespace('shop'));
    this.api.put(rawService('shop', 'cart', {}, labels));
    this.api.put(rawService('shop', 'pay', clusterIP('10.96.0.11'), labels));
    this.api.put(rawService('shop', 'db', clusterIP('None'), labels));
    this.api.put(labelled(rawSlice('shop', 'db', 'a', [{ address: '10.0.0.1' }])));
  }

  async start(): Promise<void> {
    const path = join(this.#folder, 'Corefile');
    await this.#writeCorefile();
    this.#control = await startControl({
      read: configurationReader({ path, standardInput: () => '', environment: new Map(), defaultPort: 0, plugins }),
      plugins,
      start: (memory, place) =>
        new Worker(new URL('../../server/data/thread.ts', import.meta.url), { workerData: { ...memory, ...place } }),
      open: (options, events) => this.#openSource(options, events),
      logger: {
        log: (level, source, text) => void this.lines.push(`${level} ${source}: ${text}`),
        print: () => {},
        dropped: () => 0,
        flush: () => Promise.resolve(),
      },
      timers: systemTimers,
      random: () => 0,
      surroundings: { platform: 'linux/x64', runtime: 'v26', revision: 'abc' },
      quiet: true,
      isDemo: false,
    });
  }

  /** Ready, and watched for long enough that the end of a watch is nothing special. */
  async synced(): Promise<void> {
    await this.until('/ready is 200', async () => (await this.get('/ready')).status === 200);
    this.time.advance(2_000);
  }

  async close(): Promise<void> {
    await this.#control?.stop({ lameduck: false });
    await this.api.close();
    await this.relay?.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  get server(): ServerAddress {
    return serverAddressFrom(this.control.listening[0] ?? '');
  }

  get control(): Control {
    if (this.#control === undefined) throw new Error('fivedots has not been started');
    return this.#control;
  }

  /** Puts a Corefile with these directives of `kubernetes` into use. */
  async reload(directives: string): Promise<void> {
    this.#directives = directives;
    await this.#writeCorefile();
    await this.control.reload();
  }

  async get(path: '/ready' | '/metrics'): Promise<{ readonly status: Count; readonly body: string }> {
    const { host, port } = this.control.boundTo(path) ?? { host: '', port: 0 };
    const reply = await fetch(`http://${host}:${port}${path}`);
    return { status: reply.status, body: await reply.text() };
  }

  async value(figure: Figure): Promise<number> {
    return valueOf(figure, (await this.get('/metrics')).body);
  }

  /** The answer now; names as in `Ask`. */
  async answer(name: string, type = 'A'): Promise<string> {
    return answerText(await exchange(this.server, 'udp', encodeQuery(7, asked(fullName(name), type))));
  }

  /** Waits until that is the answer. */
  async answers(name: string, wanted: string, type = 'A'): Promise<void> {
    let last = '';
    const isSo = async (): Promise<boolean> => (last = await this.answer(name, type)) === wanted;
    await this.until(() => `${name} ${type} to be ${wanted}; it is ${last}`, isSo);
  }

  /** @throws Error that says what was waited for in vain */
  async until(what: string | (() => string), isSo: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + PATIENCE;
    while (!(await isSo())) {
      if (performance.now() > deadline) {
        throw new Error(`waited in vain for ${typeof what === 'string' ? what : what()}`);
      }
      await pause(1);
    }
  }

  /** Ends a service and makes one: `CHANGES`. */
  change(): void {
    this.api.remove('Service', 'shop', 'pay');
    this.api.put(rawService('shop', 'new', clusterIP('10.96.0.20'), { tier: 'web' }));
  }

  /** A bookmark, and a new object of each kind, which must be answered: all watches live. */
  async beat(): Promise<void> {
    const name = `beat-${++this.#beats}`;
    this.api.bookmark();
    this.api.put(rawNamespace(name));
    this.api.put(rawService(name, name, clusterIP('None'), { tier: 'web' }));
    this.api.put(labelled(rawSlice(name, name, 'a', [{ address: `10.1.0.${this.#beats}` }])));
    await this.answers(`${name}.${name}`, `10.1.0.${this.#beats}`);
  }

  /** Requests that the API server had, in order. */
  requests(kind: string, ask: HowAsked): readonly Logged[] {
    return this.api.log.filter((logged) => logged.kind === kind && logged.ask === ask);
  }

  /** The next request of that kind. */
  next(kind: string, ask: HowAsked): Promise<Logged> {
    const request = this.api.next((logged) => logged.kind === kind && logged.ask === ask);
    const next = withinDeadline<Logged>(`a ${ask} of ${kind}`, (resolve) => void request.then(resolve), PATIENCE);
    // Whoever fails before he waits for it says so himself.
    next.catch(() => {});
    return next;
  }

  /** Ends the watch of a kind as its server does when its time is up, and waits until the next one is asked for. */
  async rewatch(kind = 'Service'): Promise<void> {
    const next = this.next(kind, 'watch');
    this.api.endWatches(kind);
    await next;
  }

  /** Ends the watch of a kind so that it cannot be gone on from. */
  expire(kind = 'Service'): void {
    this.api.put(rawNamespace('later'));
    this.api.compact();
    this.api.endWatches(kind);
  }

  /** Waits until fivedots has the headers of a reply, or an error, for every request so far. */
  async replied(): Promise<void> {
    const requests = this.api.log.length;
    await this.until(`${requests} replies`, () => this.#calls >= requests);
  }

  /** Lets the clock go on while bookmarks and events come, as on an ordinary day. */
  async pass(span: Milliseconds): Promise<void> {
    for (let left = span; left > 0; left -= BEAT_INTERVAL) {
      this.time.advance(Math.min(left, BEAT_INTERVAL));
      await this.beat();
    }
  }

  async rotateToken(token: string): Promise<void> {
    await writeFile(join(this.#folder, 'token'), token);
  }

  async removeToken(): Promise<void> {
    await rm(join(this.#folder, 'token'));
  }

  async rotateCa(file: 'ca' | 'other-ca'): Promise<void> {
    await copyFile(join(TLS, `${file}.crt`), join(this.#folder, 'ca.crt'));
  }

  #openSource(options: SourceOptions, events: SourceEvents): Source {
    const variables = {
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: String(this.relay?.port ?? this.api.port),
    };
    const listener: SourceEvents = {
      ...events,
      change: (changes) => {
        const isEvent = changes.some(({ verb }) => verb === 'put');
        const fault = isEvent ? this.receiverFaults.shift() : undefined;
        if (fault !== undefined) throw fault;
        events.change(changes);
      },
      call: (call) => {
        this.#calls++;
        events.call?.(call);
      },
    };
    const environment = { version: 'test', variables, serviceAccount: this.#folder, time: this.time };
    return openApiSource({ ...options, from: { kind: 'in-cluster' } }, listener, environment);
  }

  async #writeCorefile(): Promise<void> {
    const own = ['bind 127.0.0.1', 'ready 127.0.0.1:0', 'prometheus 127.0.0.1:0', 'whoami'];
    const kubernetes = `kubernetes cluster.local in-addr.arpa {\n${this.#directives}\n}`;
    await writeFile(join(this.#folder, 'Corefile'), `.:0 {\n${[...own, kubernetes].join('\n')}\n}\n`);
  }
}

/** @throws Error if it is not so; `what` says what should be */
export function check(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(`not so: ${what}`);
}

/** An API server sends a bookmark a minute; after 150 s without a byte it counts as silent. */
const BEAT_INTERVAL: Milliseconds = 120_000;

/** Names of cases are short. */
export function fullName(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : `${name}.svc.cluster.local`;
}

/** The fields of a Service's spec that give it this cluster IP. */
export function clusterIP(ip: string): { readonly clusterIP: string; readonly clusterIPs: readonly string[] } {
  return { clusterIP: ip, clusterIPs: [ip] };
}

/** The object with the label that the first state has. */
export function labelled(object: RawObject): RawObject {
  return { ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, tier: 'web' } } };
}

/** Certificate and key of `fixtures/tls`. */
export async function certificate(name: 'server' | 'other-server'): Promise<FakeTls> {
  const [cert, key] = await Promise.all(
    ['crt', 'key'].map((ending) => readFile(join(TLS, `${name}.${ending}`), 'utf8')),
  );
  return { cert: cert ?? '', key: key ?? '' };
}
