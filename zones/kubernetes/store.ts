/** The trimmed objects of one cluster, by what a question asks for. Placeholder signature; see the owner of zones/kubernetes. */

import type { ClusterChange, Kind } from './objects.ts';

export class ClusterStore {
  /** Applies changes in order, in one step for every reader. */
  apply(_changes: readonly ClusterChange[]): void {}

  /** Has this kind been received whole at least once? */
  isSynced(_kind: Kind): boolean {
    return false;
  }
}
