/** Raw API objects (JSON or YAML, hostile) to trimmed ones. Placeholder signature. */

import type { ClusterObject, Kind } from './objects.ts';

export function trim(_kind: Kind, _raw: unknown): ClusterObject | undefined {
  return undefined;
}
