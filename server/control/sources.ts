/** Which program part reads a cluster: the one place that knows all kinds of sources. Knows nothing of what they report. */

import type { OpenSource } from './clusters.ts';

export type SourceSurroundings = {
  /** Of fivedots, for the User-Agent. */
  readonly version: string;
  /** Environment variables: where Kubernetes says that its API server is. */
  readonly variables: Readonly<Record<string, string | undefined>>;
};

/** Opens sources. Each kind's code is loaded when the first one is opened, so that a cluster does not pay for a YAML parser. */
export function sourceOpener(surroundings: SourceSurroundings): OpenSource {
  return async (options, events) => {
    const { from } = options;
    if (from.kind === 'manifests') {
      const { openManifestFolder } = await import('../../zones/kubernetes/manifests/manifest-folder.ts');
      return openManifestFolder(from.folder, options, events);
    }
    const { openApiSource } = await import('../../zones/kubernetes/api/api-source.ts');
    return openApiSource({ ...options, from }, events, surroundings);
  };
}

/** Loads all of it, so that it is in the compile cache afterwards. */
export async function loadSources(): Promise<void> {
  await import('../../zones/kubernetes/manifests/manifest-folder.ts');
  await import('../../zones/kubernetes/api/api-source.ts');
}
