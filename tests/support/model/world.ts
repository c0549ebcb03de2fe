/**
 * What the reference model is told and what it says, all of it text a person can read. Knows nothing of octets, and nothing
 * of how either side finds an answer.
 */

import type { RawObject } from '../raw-objects.ts';

/** Everything an answer depends on. */
export type World = {
  /** Objects as the API server stores them, also those that the options filter away. */
  readonly objects: readonly RawObject[];
  readonly options: ModelOptions;
  /** Addresses of the server's machine, loopback left out. */
  readonly localAddresses: readonly string[];
  /** The watched resources of which not every object is known yet, by kind. */
  readonly unlisted: ReadonlySet<string>;
  /** Undefined without `autopath`. */
  readonly completion: ModelCompletion | undefined;
  /** What an upstream answers for a name that is not the cluster's. */
  readonly outside: (question: ModelQuestion) => ModelReply;
};

/** The `kubernetes` directive. Zones and names are lower case and end in a dot. */
export type ModelOptions = {
  readonly zones: readonly string[];
  readonly multicluster: readonly string[];
  readonly ttl: number;
  /** Empty for all. */
  readonly namespaces: readonly string[];
  /** Label selectors; empty for all. */
  readonly namespaceLabels: string;
  readonly labels: string;
  readonly pods: 'disabled' | 'insecure' | 'verified';
  readonly endpointPodNames: boolean;
  readonly noendpoints: boolean;
  readonly endpoints: 'all' | 'headless';
  readonly ignoreEmptyService: boolean;
  readonly zonal: boolean;
  /** Undefined without the option; `['.']` for all. */
  readonly fallthrough: readonly string[] | undefined;
};

/** The `autopath` directive, and where the server's own machine looks for names. Names are lower case and end in a dot. */
export type ModelCompletion = {
  readonly zones: readonly string[];
  /** The clients' search list; `cluster` for the ones that the kubelet gives to pods. */
  readonly searches: 'cluster' | readonly string[];
  readonly nodeDomains: readonly string[];
  /** Namespaces that are not helped. */
  readonly except: readonly string[];
  /** Outside names that may be asked for whatever their last label is. */
  readonly suffixes: readonly string[];
  /** Last labels of public names, without a dot. */
  readonly tlds: ReadonlySet<string>;
  readonly ttl: number;
};

/** A question of class IN. */
export type ModelQuestion = {
  /** As the client spells it. A label may hold any octet, one character each (latin1). */
  readonly labels: readonly string[];
  /** Mnemonic, or `TYPE65280` (RFC 3597 section 5). */
  readonly type: string;
};

/** Sections as sets: lines of `present.ts`, with `SERIAL` for the serial of a cluster zone's SOA. */
export type ModelReply = {
  /** `NOERROR`, `NXDOMAIN`, `SERVFAIL` or `REFUSED`; of somebody outside also `SILENCE`, which is no reply at all. */
  readonly rcode: string;
  /** Did somebody outside say less than there is? */
  readonly isTruncated?: boolean;
  readonly authoritative: boolean;
  readonly answer: ReadonlySet<string>;
  readonly authority: ReadonlySet<string>;
  readonly additional: ReadonlySet<string>;
};
