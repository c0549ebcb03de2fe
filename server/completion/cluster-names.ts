/** What search completion has to know of the cluster that a block answers for. Knows nothing of how it is kept. */

import type { Life } from '../../zones/life.ts';
import type { Pod } from '../../zones/kubernetes/objects.ts';
import type { Name } from '../../zones/name.ts';
import type { Count } from '../../zones/units.ts';

/** Whatever is said here holds at this moment only. */
export type ClusterNames = {
  /** The zones with names of this cluster's services, in which pods search; longest first. */
  readonly apexes: readonly Name[];
  /** Is the name in one of the cluster's zones, whatever they are, and would a client's question for it be this block's? */
  readonly holds: (name: Name) => boolean;
  /** Of a name that it holds: is there anything at or below it in the cluster? */
  readonly exists: (name: Name) => boolean;
  /** The same, or is that somebody else's to say? */
  readonly mayExist: (name: Name) => boolean;
  /** Is all known that there is? */
  readonly isSynced: () => boolean;
  /** Is it known which pods there are? */
  readonly knowsPods: boolean;
  /** Does the namespace exist? */
  readonly isNamespace: (name: string) => boolean;
  /** Does the namespace exist, and is it shown? */
  readonly hasNamespace: (namespace: string) => boolean;
  /** Has it asked not to have its search lists completed? */
  readonly refusesCompletion: (namespace: string) => boolean;
  /** Is that service in a namespace that is shown? */
  readonly hasService: (service: ServiceKey) => boolean;
  /** The pod that sends from this address; undefined if that is not known. */
  readonly podAt: (address: string) => Pod | undefined;
  /** Of its zones: another one whenever anything has changed. */
  readonly serial: () => Count;
  /** Do its namespaces and services alone say what there is at a name that it holds? Not pods, other clusters, or whom it points or passes on to. */
  readonly decides: (name: Name) => boolean;
  /** Of the namespaces; over when one comes, goes, or changes. */
  readonly life: () => Life;
};

/** A service by its names, in lower case. */
export type ServiceKey = { readonly namespace: string; readonly name: string };
