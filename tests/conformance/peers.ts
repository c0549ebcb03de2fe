/**
 * Servers that the suite does not know: one that runs already, and one that is started by a command which finds in its environment what
 * it is to serve. Knows how they are named on a command line, no check.
 */

import { serverAddressFrom } from '../support/client.ts';
import { Running } from '../support/programs.ts';
import { freePort } from '../support/server.ts';
import { NEEDS, type Need } from './check.ts';
import type { RunningSubject } from './subjects.ts';
import {
  addressesAt,
  FIXTURE,
  isAnswering,
  LOOPBACK_VARIABLES,
  offered,
  startApiServer,
  Upstreams,
} from './surroundings.ts';

/**
 * Starts a server by a shell command. `$PORT` is where it must listen, on `$LOOPBACK` (an interface) and `$SECOND_ADDRESS`; `$API` has the
 * cluster's objects and `$ZONES` is a folder with its zones; `$UPSTREAM` and `$SPARE` (`host:port`) have everything else.
 */
export async function startPeer(name: string, command: string, offers: readonly Need[]): Promise<RunningSubject> {
  const upstreams = await Upstreams.start();
  const api = await startApiServer();
  const port = await freePort();
  const addresses = addressesAt(port);
  const variables = {
    PORT: String(port),
    API: api.url,
    ZONES: `${FIXTURE}/zones`,
    ...LOOPBACK_VARIABLES,
    ...upstreams.variables,
  };
  const program = await Running.start(['sh', '-c', `exec ${command}`], () => isAnswering(addresses), variables);
  return {
    name,
    addresses,
    offers: offered(offers),
    upstream: upstreams.first,
    spareUpstream: upstreams.spare,
    async close() {
      await program.stop();
      await api.close();
      await upstreams.close();
    },
  };
}

/**
 * The server that `DNS_UNDER_TEST` names, by one `host:port` or several with commas between. `DNS_UNDER_TEST_OFFERS` says what it was set
 * up with (`cluster` if it does not say), and `DNS_UNDER_TEST_UPSTREAM` the port of 127.0.0.1 where our upstream is to be; its spare one
 * is behind it.
 */
export async function givenSubject(environment: NodeJS.ProcessEnv): Promise<RunningSubject | undefined> {
  const given = environment['DNS_UNDER_TEST'];
  if (given === undefined || given === '') return undefined;
  const offers = offersFrom(environment) ?? ['cluster'];
  const port = Number(environment['DNS_UNDER_TEST_UPSTREAM']);
  if (offers.includes('upstream') && !Number.isInteger(port)) {
    throw new Error(
      'an upstream is offered: say in DNS_UNDER_TEST_UPSTREAM which port of 127.0.0.1 the server forwards to',
    );
  }
  const upstreams = offers.includes('upstream') ? await Upstreams.start(port) : undefined;
  return {
    name: given,
    addresses: given.split(',').map(serverAddressFrom),
    offers: new Set(offers),
    upstream: upstreams?.first,
    spareUpstream: upstreams?.spare,
    close: async () => upstreams?.close(),
  };
}

/** `DNS_UNDER_TEST_OFFERS`: words with commas between. @throws Error at a word that is none */
export function offersFrom(environment: NodeJS.ProcessEnv): readonly Need[] | undefined {
  return environment['DNS_UNDER_TEST_OFFERS']?.split(',').map((word) => {
    const need = NEEDS.find((each) => each === word.trim());
    if (need === undefined) throw new Error(`DNS_UNDER_TEST_OFFERS has "${word}"; it takes ${NEEDS.join(', ')}`);
    return need;
  });
}
