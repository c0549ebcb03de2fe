/** A source as the Corefile would ask for it. Knows nothing of what reads it. */

import type { SourceOptions } from '../../zones/kubernetes/source.ts';
import { NO_LIMITS } from './no-limits.ts';

/** An API server; of its resources Namespaces and Services are read, and what `changes` asks for. */
export function sourceOptions(changes: Partial<SourceOptions> = {}): SourceOptions {
  return {
    from: { kind: 'endpoint', url: 'http://api', tls: undefined },
    pods: false,
    endpointSlices: false,
    headlessOnly: false,
    imports: false,
    topologyZones: false,
    podNames: true,
    labels: '',
    namespaceLabels: '',
    requests: NO_LIMITS,
    ...changes,
  };
}
