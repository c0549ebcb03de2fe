/**
 * What is wrong with an API server, told to people when it changes and not at every attempt.
 * Knows what a fault means for them, not what is done about it.
 */

import type { Count, Milliseconds } from '../../units.ts';
import type { ApiFault, ApiFaultCode } from './api-fault.ts';
import type { Resource } from './api-resources.ts';
import type { Phase } from './recovery.ts';
import type { SourceEvents } from '../source.ts';

/** One attempt that failed. */
export type Failure = {
  readonly resource: Resource;
  readonly phase: Phase;
  readonly fault: ApiFault;
  readonly delay: Milliseconds;
  /** Has this resource been received before? Then its last state is served meanwhile. */
  readonly isSynced: boolean;
};

/** One per source. */
export class Trouble {
  /** As in a URL, for the texts. */
  readonly #server: string;
  readonly #report: SourceEvents['report'];
  readonly #open = new Map<Resource, Open>();

  constructor(server: string, report: SourceEvents['report']) {
    this.#server = server;
    this.#report = report;
  }

  failed(failure: Failure): void {
    const { resource, fault, isSynced, delay } = failure;
    const cause = causeOf(failure);
    const before = this.#open.get(resource);
    const failures = (before?.failures ?? 0) + 1;
    const isKnown = before?.cause === cause && before.isTold;
    // A watch that breaks and is taken up again at once is everyday life and no news.
    const isTold = isKnown || !isSynced || failures > 1 || LASTING.has(fault.status.code) || AT_ONCE.has(fault.code);
    const isToldForAnother = [...this.#open.values()].some((other) => other.isTold && other.cause === cause);
    const text = this.#describe(failure);
    this.#open.set(resource, { cause, failures, isTold, text });
    if (isTold && !isKnown && !isToldForAnother) this.#report(isSynced ? 'warning' : 'error', text);
    else this.#report('debug', `${text} Attempt ${failures}, next in ${Math.round(delay)} ms.`);
  }

  /** This resource is being followed again. */
  succeeded(resource: Resource): void {
    const before = this.#open.get(resource);
    if (before === undefined) return;
    this.#open.delete(resource);
    const isLast = ![...this.#open.values()].some((other) => other.isTold && other.cause === before.cause);
    if (before.isTold && isLast)
      this.#report('info', `the API server at ${this.#server} is followed again (${before.cause})`);
  }

  /** What is wrong with a resource, as people are told; undefined if nothing is. */
  of(resource: Resource): string | undefined {
    return this.#open.get(resource)?.text;
  }

  #describe({ resource, phase, fault, isSynced }: Failure): string {
    const { group, plural } = resource;
    const name = group === '' ? plural : `${plural}.${group}`;
    const meanwhile = isSynced
      ? 'the last known state is served meanwhile'
      : `${resource.isOptional ? 'multicluster' : 'cluster'} names get SERVFAIL until it has been read, unless a snapshot has them`;
    switch (fault.status.code) {
      case 401:
        return `the API server at ${this.#server} does not accept our credentials (${fault.message}); ${meanwhile}. Check token, certificate or kubeconfig.`;
      case 403:
        return (
          `not allowed to ${phase === 'list' ? 'list' : 'watch'} ${name} (${fault.message}); ${meanwhile}. ` +
          `Bind a ClusterRole with apiGroups: ["${group}"], resources: ["${plural}"], verbs: ["list", "watch"].`
        );
      case 404:
        if (resource.isOptional) {
          return `the API server at ${this.#server} has no ${name} (${fault.message}); services of other clusters are those that were known before, if any. Install its CustomResourceDefinition or remove \`multicluster\`.`;
        }
        return `the API server at ${this.#server} has no ${name} (${fault.message}); ${meanwhile}. Kubernetes 1.21 or later is needed, and the URL must be that of an API server.`;
      case 0:
        break;
      default:
        return `the API server at ${this.#server} cannot give ${name} (${fault.message}); ${meanwhile}. It is asked again.`;
    }
    if (fault.code === 'shrunk') {
      return `the API server at ${this.#server} has lost most ${name} (${fault.message} that were known); ${meanwhile}, until it has said so once more.`;
    }
    if (fault.code === 'credentials') return `no credentials for the API server: ${fault.message}; ${meanwhile}.`;
    if (fault.code === 'unreachable') {
      return `cannot reach the API server at ${this.#server} (${fault.message}); ${meanwhile}. Check address, network policy and certificates.`;
    }
    return `the API server at ${this.#server} could not be followed for ${name} (${fault.message}); ${meanwhile}. It is asked again.`;
  }
}

/** A trouble that is not over. */
type Open = {
  readonly cause: string;
  readonly failures: Count;
  readonly isTold: boolean;
  readonly text: string;
};

/** Nobody but a person ends these. */
const LASTING: ReadonlySet<number> = new Set([401, 403, 404]);

/** Worth a word the first time. */
const AT_ONCE: ReadonlySet<ApiFaultCode> = new Set(['credentials', 'shrunk']);

/** Equal texts are one trouble. What concerns the whole server is the same for all kinds. */
function causeOf({ resource, fault }: Failure): string {
  const { code } = fault.status;
  if (fault.code === 'credentials' || fault.code === 'unreachable') return fault.code;
  if (code === 401 || code === 429 || code >= 500) return `status ${code}`;
  return `${resource.plural}: ${code === 0 ? fault.code : `status ${code}`}`;
}
