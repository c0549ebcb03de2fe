/** One-line changes of zones/, and of the plugin that asks them, that make them wrong. Knows texts, nothing of how they are tried. */

export type Mutant = {
  /** What goes wrong. */
  readonly about: string;
  readonly file: string;
  /** A text that stands in the file once, and what takes its place. */
  readonly from: string;
  readonly to: string;
};

const KUBERNETES = 'zones/kubernetes';
const STORE = `${KUBERNETES}/store`;

export const MUTANTS: readonly Mutant[] = [
  {
    about: 'addresses have another TTL',
    file: `${KUBERNETES}/cluster-zone.ts`,
    from: 'head.nodata(suffix) : dataAnswer(owner, type, options.ttl, rdatas);',
    to: 'head.nodata(suffix) : dataAnswer(owner, type, options.ttl + 1, rdatas);',
  },
  {
    about: 'denials live as long as answers',
    file: `${KUBERNETES}/zone-head.ts`,
    from: 'const SOA_TTL_MAX: Seconds = 300;',
    to: 'const SOA_TTL_MAX: Seconds = 3600;',
  },
  {
    about: 'A and AAAA are not told apart',
    file: `${KUBERNETES}/cluster-zone.ts`,
    from: 'const rdatas = type === RRType.A ? ipv4 : ipv6;',
    to: 'const rdatas = [...ipv4, ...ipv6];',
  },
  {
    about: 'a protocol above its ports does not exist',
    file: `${KUBERNETES}/service-names.ts`,
    from: 'isBetween(records, labelAt(name, fourth)) ? EMPTY_NON_TERMINAL : undefined',
    to: 'isBetween(records, labelAt(name, fourth)) ? undefined : undefined',
  },
  {
    about: 'half an octet of a reverse name is the wrong half',
    file: `${STORE}/address-tree.ts`,
    from: 'key.charCodeAt(whole) >> 4 ===',
    to: '(key.charCodeAt(whole) & 15) ===',
  },
  {
    about: 'what stands above hidden addresses exists',
    file: `${KUBERNETES}/reverse-zone.ts`,
    from: 'pointersTo(store, options, key).length > 0;',
    to: 'key.length > 0;',
  },
  {
    about: 'namespaces that are not listed are shown',
    file: `${KUBERNETES}/zone.ts`,
    from: 'return (namespaces?.has(namespace) ?? true) && store.hasNamespace(namespace);',
    to: 'return store.hasNamespace(namespace);',
  },
  {
    about: 'namespaces that are gone are shown',
    file: `${KUBERNETES}/zone.ts`,
    from: 'return (namespaces?.has(namespace) ?? true) && store.hasNamespace(namespace);',
    to: 'return namespaces?.has(namespace) ?? true;',
  },
  {
    about: 'endpoints in hidden namespaces have names by address',
    file: `${KUBERNETES}/reverse-zone.ts`,
    from: 'if (!isExposed(store, options, namespace)) continue;',
    to: '',
  },
  {
    about: 'endpoints that are not ready are shown',
    file: `${KUBERNETES}/trim.ts`,
    from: 'return isAbsent(ready) || ready === true;',
    to: 'return true;',
  },
  {
    about: 'endpoints without a condition are not shown',
    file: `${KUBERNETES}/trim.ts`,
    from: 'return isAbsent(ready) || ready === true;',
    to: 'return ready === true;',
  },
  {
    about: 'an address comes before a host name',
    file: `${STORE}/endpoints.ts`,
    from: 'if (isLabel(hostname)) return hostname;',
    to: '',
  },
  {
    about: 'a pod comes before a host name',
    file: `${STORE}/endpoints.ts`,
    from: 'if (isLabel(hostname)) return hostname;',
    to: 'if (isLabel(hostname) && !usesPodNames) return hostname;',
  },
  {
    about: 'a label may end in a dash',
    file: `${STORE}/endpoints.ts`,
    from: "return label.endsWith('-') ? `${label}0` : label;",
    to: 'return label;',
  },
  {
    about: 'SRV weights are rounded up',
    file: `${STORE}/service-node.ts`,
    from: 'Math.floor(100 / items)',
    to: 'Math.ceil(100 / items)',
  },
  {
    about: 'a port without a number is in SRV records',
    file: `${STORE}/service-node.ts`,
    from: 'new Set(found.map(({ number }) => number).filter(isPortNumber))',
    to: 'new Set(found.map(({ number }) => number))',
  },
  {
    about: 'endpoints take the name by address from a Service',
    file: `${KUBERNETES}/reverse-zone.ts`,
    from: 'if (service !== undefined) return [service];',
    to: 'if (service !== undefined && store.readyAddresses(key).length === 0) return [service];',
  },
  {
    about: 'chains of aliases are one shorter',
    file: `${KUBERNETES}/alias.ts`,
    from: 'const CHAIN_MAX: Count = 11;',
    to: 'const CHAIN_MAX: Count = 10;',
  },
  {
    about: 'aliases are followed below themselves',
    file: `${KUBERNETES}/alias.ts`,
    from: 'if (seen.has(targetName) || isWithin(targetName, owner)) return zone.nowhere;',
    to: 'if (seen.has(targetName)) return zone.nowhere;',
  },
  {
    about: 'what stands above another zone does not exist',
    file: `${KUBERNETES}/cluster-zones.ts`,
    from: 'return below.size === 0 ? zone',
    to: 'return below.size >= 0 ? zone',
  },
  {
    about: 'any address is a verified pod',
    file: `${KUBERNETES}/cluster-zone.ts`,
    from: "if (options.pods === 'verified' && !store.hasPod(namespace, pod.text)) return head.nxdomain(suffix);",
    to: '',
  },
  {
    about: 'pods have their first address only',
    file: `${KUBERNETES}/trim.ts`,
    from: 'mapKept(listOf(podIPs), (entry)',
    to: 'mapKept(listOf(podIPs).slice(0, 1), (entry)',
  },
  {
    about: 'ignore empty_service counts endpoints that are not ready',
    file: `${STORE}/records.ts`,
    from: 'isEmptyService: !isHeadless && !sorted.some(hasReadyAddress),',
    to: 'isEmptyService: !isHeadless && sorted.length === 0,',
  },
  {
    about: 'the order of slices shows',
    file: `${STORE}/records.ts`,
    from: 'const sorted = [...slices].toSorted(bySliceName);',
    to: 'const sorted = [...slices];',
  },
  {
    about: 'the serial stays when one object changes',
    file: 'server/control/cluster-feed.ts',
    from: 'if (this.memory.changes !== before) this.#serial',
    to: 'if (this.memory.changes > before + 1) this.#serial',
  },
  {
    about: 'the serial stays within a second',
    file: `${STORE}/serial.ts`,
    from: '(last + 1) >>> 0',
    to: 'last',
  },
  {
    about: 'another host name is no change',
    file: `${STORE}/endpoints.ts`,
    from: 'a.hostname === b.hostname &&',
    to: '',
  },
  {
    about: 'what a new list lacks stays',
    file: `${KUBERNETES}/cluster-memory.ts`,
    from: 'if (!texts.has(key)) this.#remove(kind, key, changed);',
    to: 'if (!texts.has(key)) changed(kind, key);',
  },
  {
    about: 'a slice that moves stays where it was',
    file: `${STORE}/service-tables.ts`,
    from: 'this.#leave(old);',
    to: '',
  },
  {
    about: 'a service is known by its old cluster IPs',
    file: `${STORE}/service-tables.ts`,
    from: 'if (known?.service !== undefined) this.#forgetClusterIPs(known, known.service);',
    to: '',
  },
  {
    about: 'services in hidden namespaces are name servers',
    file: `${KUBERNETES}/nameservers.ts`,
    from: '|| !isExposed(store, options, namespace)) return [];',
    to: ') return [];',
  },
  {
    about: 'name servers have no names from pods',
    file: `${KUBERNETES}/nameservers.ts`,
    from: 'endpointLabel(address, options.endpointPodNames)',
    to: 'endpointLabel(address, false)',
  },
  {
    about: 'endpoints without ports do not count in SRV weights',
    file: `${STORE}/service-node.ts`,
    from: 'asked === undefined ? Math.max(1, ports.length) : found.length',
    to: 'asked === undefined ? ports.length : found.length',
  },
  {
    about: 'a port is found by its name alone',
    file: `${STORE}/service-node.ts`,
    from: 'return port.name.toLowerCase() === asked.name && port.protocol.toLowerCase() === asked.protocol;',
    to: 'return port.name.toLowerCase() === asked.name;',
  },
  {
    about: 'the zone below answers for DS at its apex',
    file: `${KUBERNETES}/cluster-zones.ts`,
    from: 'if (type !== RRType.DS || zone.apex !== name) return zone;',
    to: 'return zone;',
  },
  {
    about: 'the name of a shared cluster IP is the last one',
    file: `${KUBERNETES}/reverse-zone.ts`,
    from: 'return a.name < b.name ? -1 : 1;',
    to: 'return a.name < b.name ? 1 : -1;',
  },
  {
    about: 'names of clusters keep their upper case',
    file: `${KUBERNETES}/trim.ts`,
    from: "typeof cluster === 'string' ? cluster.toLowerCase()",
    to: "typeof cluster === 'string' ? cluster",
  },
  {
    about: 'an alias is the name of its old cluster IP',
    file: `${KUBERNETES}/trim.ts`,
    from: 'clusterIPs: isAlias ? NO_TEXTS : clusterIPsFrom(spec)',
    to: 'clusterIPs: clusterIPsFrom(spec)',
  },
  {
    about: 'what is not known yet is asked for elsewhere',
    file: 'server/plugins/kubernetes.ts',
    from: 'if (!isKnown(authority.store, zone)) return notReady(found);',
    to: 'if (!isKnown(authority.store, zone) && !authority.passesOn(query.question.name)) return notReady(found);',
  },
  {
    about: 'an alias that is passed on is lost',
    file: 'server/plugins/kubernetes.ts',
    from: 'if (target !== undefined) return told(authority, zone, aliasReply(authority, query, found));',
    to: '',
  },
  {
    about: 'an underscore in front of the protocol alone makes no port',
    file: `${KUBERNETES}/service-names.ts`,
    from: "const isPort = !records.isImport || port.startsWith('_') || protocol.startsWith('_');",
    to: "const isPort = !records.isImport || port.startsWith('_');",
  },
  {
    about: 'ports of an import without a cluster count in SRV weights',
    file: `${STORE}/members.ts`,
    from: "labels: '', key, ports: NO_PORTS, topologyZone: ''",
    to: "labels: '', key, ports: ready.head.ports, topologyZone: ''",
  },
  {
    about: 'slices of other controllers are left out with endpoints headless',
    file: `${KUBERNETES}/source.ts`,
    from: '`${MANAGED_BY_LABEL}!=${ENDPOINTSLICE_CONTROLLER}`',
    to: '`${MANAGED_BY_LABEL}=nobody`',
  },
  {
    about: 'one stream takes away what the other has',
    file: `${KUBERNETES}/api/joined-streams.ts`,
    from: 'const left = this.#newest(key);',
    to: 'const left = undefined as Stream | undefined;',
  },
  {
    about: 'another list of ports is no change',
    file: `${STORE}/endpoints.ts`,
    from: 'JSON.stringify(before) === JSON.stringify(head)',
    to: 'JSON.stringify({ ...before, ports: [] }) === JSON.stringify({ ...head, ports: [] })',
  },
  {
    about: 'another pod name is no change',
    file: `${STORE}/endpoints.ts`,
    from: 'a.podName === b.podName &&',
    to: '',
  },
  {
    about: 'another topology zone is no change',
    file: `${STORE}/endpoints.ts`,
    from: 'a.topologyZone === b.topologyZone',
    to: 'true',
  },
  {
    about: 'another spelling of an address is no change',
    file: `${STORE}/endpoints.ts`,
    from: 'a.ipv6 === b.ipv6 &&',
    to: '',
  },
  {
    about: 'an address of a slice counts once',
    file: `${STORE}/service-tables.ts`,
    from: 'if (leaving.has(address.key)) this.byReadyAddress.delete(address.key, address);',
    to: 'if (leaving.has(address.key)) continue;',
  },
  {
    about: 'an address keeps the names that it had',
    file: `${STORE}/service-tables.ts`,
    from: 'if (before !== undefined && before !== address) this.byReadyAddress.exchange(key, before, address);',
    to: '',
  },
  {
    about: 'a cluster IP takes the endpoint with it',
    file: `${STORE}/service-tables.ts`,
    from: 'if (this.byClusterIP.delete(key, entry) && !this.byReadyAddress.has(key))',
    to: 'if (this.byClusterIP.delete(key, entry))',
  },
  {
    about: 'an endpoint takes the cluster IP with it',
    file: `${STORE}/service-tables.ts`,
    from: 'if (this.byReadyAddress.delete(key, address) && !this.byClusterIP.has(key))',
    to: 'if (this.byReadyAddress.delete(key, address))',
  },
  {
    about: 'a large step forgets imports',
    file: `${STORE}/service-tables.ts`,
    from: 'copy.putImport(service);',
    to: '',
  },
  {
    about: 'a large step forgets addresses',
    file: `${STORE}/service-tables.ts`,
    from: 'copy.#move(undefined, ready);',
    to: '',
  },
  {
    about: 'a large step forgets pods',
    file: `${STORE}/store.ts`,
    from: "kinds.has('Pod') ? yield* pods.copy() : pods",
    to: "kinds.has('Pod') ? new PodAddresses() : pods",
  },
  {
    about: 'a large step shows before it is done',
    file: `${STORE}/store.ts`,
    from: 'SERVICE_KINDS.isDisjointFrom(kinds) ? services : yield* services.copy()',
    to: 'services',
  },
  {
    about: 'a large step has the serial of the one before',
    file: `${STORE}/store.ts`,
    from: '    this.#state = next;\n    this.#settle(changes, hasChanged, serial);',
    to: '    this.#state = next;\n    this.#settle(changes, false, undefined);',
  },
  {
    about: 'all lists of ports of one length are one',
    file: `${STORE}/shared-ports.ts`,
    from: 'const text = JSON.stringify(ports);',
    to: 'const text = String(ports.length);',
  },
  {
    about: 'an IPv4 address has its octets turned round',
    file: 'zones/ip.ts',
    from: 'address = (address << 8) | octet;',
    to: 'address = (octet << 16) | (address >> 8);',
  },
  {
    about: 'name servers of a headless service are those of its last slice',
    file: `${KUBERNETES}/nameservers.ts`,
    from: 'slices.find((slice) => slice.head === head)',
    to: 'slices.at(-1)',
  },
  {
    about: 'pod names are kept for nobody',
    file: `${KUBERNETES}/trim.ts`,
    from: "const podName = keepsPodName ? fieldsOf(targetRef)['name'] : undefined;",
    to: "const podName = keepsPodName ? undefined : fieldsOf(targetRef)['name'];",
  },
];
