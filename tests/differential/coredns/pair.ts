/**
 * fivedots and CoreDNS as two processes with one Corefile, one API server and one upstream. Knows how both are started,
 * nothing of questions.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { serverAddressFrom, type ServerAddress } from '../../support/client.ts';
import { FakeApiServer } from '../../support/fake-api-server.ts';
import { started } from '../../support/outside-world.ts';
import { Running } from '../../support/programs.ts';
import type { RawObject } from '../../support/raw-objects.ts';
import { freePort, ROOT, startServer } from '../../support/server.ts';
import { startStaticUpstream } from '../../support/static-upstream.ts';
import { corefileOf, type Setting } from './settings.ts';

export type Pair = {
  readonly api: FakeApiServer;
  readonly fivedots: ServerAddress;
  readonly coredns: ServerAddress;
  readonly upstream: ServerAddress;
  readonly close: () => Promise<void>;
};

/** What starts a server that takes `-conf FILE`, in words. */
export type Command = readonly string[];

/** @throws Error with what a server wrote, if it does not become ready */
export async function startPair(coredns: Command, setting: Setting, objects: readonly RawObject[]): Promise<Pair> {
  const stops: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const stop of stops.toReversed()) await stop();
  };
  try {
    const api = await FakeApiServer.start({ bookmarkEvery: 10_000, history: HISTORY });
    stops.push(() => api.close());
    for (const object of objects) api.put(object);
    const upstream = await startStaticUpstream(await readFile(join(ROOT, 'fixtures/upstreams/outside.txt'), 'utf8'));
    stops.push(() => upstream.close());
    const text = corefileOf(setting);
    const environment = { API: api.url, UPSTREAM: upstream.address };
    const ours = await startServer({ corefile: { text }, environment });
    stops.push(() => ours.close());
    const theirs = await startCoreDNS(coredns, text, environment);
    stops.push(() => theirs.stop());
    return {
      api,
      fivedots: { host: '127.0.0.1', port: ours.port },
      coredns: theirs.address,
      upstream: serverAddressFrom(upstream.address),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** No event of a run is forgotten. */
const HISTORY = 100_000;

async function startCoreDNS(
  command: Command,
  corefile: string,
  environment: Readonly<Record<string, string>>,
): Promise<{ readonly address: ServerAddress; readonly stop: () => Promise<void> }> {
  const place = { host: '127.0.0.1', port: await freePort() };
  const readyPort = await freePort();
  return started(place, async (_, file) => {
    await writeFile(file, corefile);
    const variables = { ...environment, PORT: String(place.port), READY_PORT: String(readyPort) };
    return Running.start([...command, '-conf', file], () => isReady(readyPort), variables);
  });
}

async function isReady(port: number): Promise<boolean> {
  try {
    const { ok } = await fetch(`http://127.0.0.1:${port}/ready`, { signal: AbortSignal.timeout(1_000) });
    return ok;
  } catch {
    return false;
  }
}
