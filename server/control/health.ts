/** The liveness page and the server's own look at it. Knows nothing of what a plan says. */

import { get } from 'node:http';

import type { Milliseconds } from '../../zones/units.ts';
import type { Log } from '../log.ts';
import { textPage, type HttpAddress, type Page } from './admin-http.ts';
import type { Metrics } from './metrics.ts';
import type { Stop, Timers } from './timers.ts';

/** As in CoreDNS plugin/health: a look each second, for three seconds, and a warning above one. */
export const CHECK_INTERVAL: Milliseconds = 1_000;
const CHECK_TIMEOUT: Milliseconds = 3_000;
export const SLOW_AFTER: Milliseconds = 1_000;

/**
 * 200 while a data thread answers queries, whatever else is amiss: the cluster's API away or a bad Corefile are nothing that a
 * restart would heal (CoreDNS says 200 always). A data thread that nothing could bring back is.
 */
export function healthPage(isAnswering: boolean): Page {
  return isAnswering ? textPage(200, 'OK') : textPage(503, 'the data thread is silent');
}

/** Asks for the own page at every interval and measures. */
export function checkHealth(
  address: HttpAddress,
  timers: Timers,
  metrics: Pick<Metrics, 'healthChecked' | 'healthCheckFailed'>,
  log: Log,
): Stop {
  let isAsking = false;
  return timers.every(CHECK_INTERVAL, () => {
    if (isAsking) return;
    isAsking = true;
    const began = timers.now();
    const end = (failure: string | undefined): void => {
      if (!isAsking) return;
      isAsking = false;
      const duration = timers.now() - began;
      metrics.healthChecked(duration / 1000);
      if (failure !== undefined) {
        metrics.healthCheckFailed();
        log('warning', SOURCE, `Local health request to ${address.host}:${address.port} failed: ${failure}`);
      } else if (duration > SLOW_AFTER) {
        const text = `Local health request took ${(duration / 1000).toFixed(1)} s: the machine is overloaded or the control thread is busy`;
        log('warning', SOURCE, text);
      }
    };
    const asked = get({ ...address, path: '/health', agent: false, timeout: CHECK_TIMEOUT }, (reply) => {
      reply.resume();
      reply.once('end', () => end(reply.statusCode === 200 ? undefined : `status ${reply.statusCode}`));
      reply.once('error', (error) => end(error.message));
    });
    asked.once('timeout', () => asked.destroy(new Error(`no reply within ${CHECK_TIMEOUT / 1000} s`)));
    asked.once('error', (error) => end(error.message));
  });
}

const SOURCE = 'plugin/health';
