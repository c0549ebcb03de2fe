/** A cluster read from its API server: one reflector per resource. Knows nothing of what becomes of the objects. */

import { resourcesOf } from './api-resources.ts';
import { ApiClient } from './client.ts';
import { Departures } from './departures.ts';
import { endpointCredentials, inClusterCredentials, type Credentials } from './credentials.ts';
import { oldestOfEach } from '../following.ts';
import { JoinedStreams } from './joined-streams.ts';
import { kubeconfigCredentials } from './kubeconfig.ts';
import { Reflector } from './reflector.ts';
import type { Source, SourceEvents, SourceOptions } from '../source.ts';
import { SYSTEM_TIME, type Time } from './time.ts';
import { Trouble } from './trouble.ts';

/** What a source takes from the process that it runs in. */
export type ApiEnvironment = {
  /** Of fivedots, for the User-Agent. */
  readonly version: string;
  /** Environment variables: where Kubernetes says that its API server is. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Folder of the service account, if it is not where Kubernetes puts it. */
  readonly serviceAccount?: string;
  readonly time?: Time;
};

/** Options of a source that an API server serves. */
export type ApiSourceOptions = SourceOptions & {
  readonly from: Exclude<SourceOptions['from'], { readonly kind: 'manifests' }>;
};

/**
 * Opens a source. It starts at once, goes on by itself whatever the server does, and ends with `close`.
 * @throws SourceError if it cannot start: not in a cluster, files that cannot be read, a URL that is none
 */
export function openApiSource(options: ApiSourceOptions, events: SourceEvents, environment: ApiEnvironment): Source {
  const time = environment.time ?? SYSTEM_TIME;
  const credentials = credentialsFrom(options.from, environment, time);
  const client = new ApiClient({
    credentials,
    time,
    limits: options.requests,
    userAgent: `fivedots/${environment.version}`,
    call: events.call,
  });
  const trouble = new Trouble(credentials.place, events.report);
  const departures = new Departures(time, () => events.known('EndpointSlice'), events.change);
  const streams = options.headlessOnly ? new JoinedStreams('EndpointSlice', departures.publish) : undefined;
  const reflectors = resourcesOf(options).map((resource) => {
    const isSlices = resource.kind === 'EndpointSlice';
    const stream = isSlices ? streams?.add() : undefined;
    return new Reflector({
      resource,
      client,
      time,
      trouble,
      publish: stream?.publish ?? (isSlices ? departures.publish : events.change),
      known: stream?.known ?? events.known,
      programmed: events.programmed,
      report: events.report,
      happened: events.happened,
    });
  });
  for (const reflector of reflectors) reflector.start();
  return {
    freshness: () => oldestOfEach(reflectors.map((reflector) => reflector.freshness())),
    close() {
      for (const reflector of reflectors) reflector.close();
      departures.close();
      client.close();
    },
  };
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

function credentialsFrom(from: ApiSourceOptions['from'], environment: ApiEnvironment, time: Time): Credentials {
  if (from.kind === 'endpoint') return endpointCredentials(from, time);
  if (from.kind === 'kubeconfig') return kubeconfigCredentials(from.file, from.context);
  const { variables, serviceAccount = SERVICE_ACCOUNT } = environment;
  return inClusterCredentials({ variables, serviceAccount }, time);
}
