/** Corefiles that fivedots and CoreDNS are both given, word for word. Knows nothing of clusters but what they are called. */

export type Setting = {
  readonly name: string;
  /** Of `kubernetes`, in their order. */
  readonly zones: readonly string[];
  /** Those of them that show ServiceImports. */
  readonly clustersets: readonly string[];
  /** Lines of the `kubernetes` block. */
  readonly options: readonly string[];
  /** Without `bind` a server has the names that its machine's addresses have. */
  readonly isBound: boolean;
};

const CLUSTER = 'cluster.local';
const REVERSE: readonly string[] = ['in-addr.arpa', 'ip6.arpa'];

export const SETTINGS: readonly Setting[] = [
  { ...setting('kubeadm', ['pods insecure', 'fallthrough in-addr.arpa ip6.arpa', 'ttl 30']), isBound: false },
  setting('bare', []),
  setting('verified pods', ['pods verified', 'ttl 3600']),
  setting('ttl 0', ['ttl 0']),
  setting('no empty services', ['ignore empty_service', 'pods insecure']),
  setting('some namespaces', ['namespaces svc pod dns a team-1 team-2 team-3 team-4 marker-0 marker-1 marker-2']),
  setting('labelled namespaces', ['namespace_labels team=red', 'pods verified']),
  setting('labelled objects', ['labels tier', 'pods verified']),
  setting('no endpoints', ['noendpoints', 'pods verified']),
  setting('fallthrough', ['fallthrough', 'ttl 900']),
  setting('topology zones', ['zonal', 'ttl 60']),
  {
    ...setting('many zones', ['pods insecure']),
    isBound: false,
    zones: ['10.in-addr.arpa', 'd.f.ip6.arpa', 'second.example', CLUSTER, 'below.second.example'],
  },
  {
    ...setting('clusterset', ['multicluster clusterset.local', 'zonal']),
    isBound: false,
    zones: [CLUSTER, 'clusterset.local', ...REVERSE],
    clustersets: ['clusterset.local'],
  },
  { ...setting('endpoint pod names', ['endpoint_pod_names', 'pods insecure']), isBound: false },
];

function setting(name: string, options: readonly string[]): Setting {
  return { name, zones: [CLUSTER, ...REVERSE], clustersets: [], options, isBound: true };
}

/** Those whose names are not addresses. */
export function forwardZonesOf({ zones }: Setting): readonly string[] {
  return zones.filter((zone) => !zone.endsWith('.arpa'));
}

/** TTL of the records of `kubernetes`; CoreDNS's own is 5. */
export function ttlOf({ options }: Setting): number {
  const line = options.find((option) => option.startsWith('ttl '));
  return line === undefined ? 5 : Number(line.slice('ttl '.length));
}

/** With `{$PORT}`, `{$READY_PORT}`, `{$API}` and `{$UPSTREAM}` to be filled in. */
export function corefileOf({ zones, options, isBound }: Setting): string {
  return `.:{$PORT} {
  ${isBound ? 'bind 127.0.0.1' : 'errors'}
  ready 127.0.0.1:{$READY_PORT}
  kubernetes ${zones.join(' ')} {
    endpoint {$API}
    ${options.join('\n    ')}
  }
  forward . {$UPSTREAM}
}
`;
}
