/** One-line changes of search completion that make it wrong. Knows texts, nothing of how they are tried. */

export type Mutant = {
  /** What goes wrong. */
  readonly about: string;
  readonly file: string;
  /** A text that stands in the file once, and what takes its place. */
  readonly from: string;
  readonly to: string;
};

const COMPLETION = 'server/completion';

export const COMPLETION_MUTANTS: readonly Mutant[] = [
  {
    about: 'search completion goes on past a name without an address',
    file: `${COMPLETION}/walk.ts`,
    from: "    if (!hasData(a, RRType.A) && !hasData(aaaa, RRType.AAAA)) return this.#refused('no_address');\n",
    to: '    if (!hasData(a, RRType.A) && !hasData(aaaa, RRType.AAAA)) return undefined;\n',
  },
  {
    about: 'search completion looks at A alone: AAAA may fail',
    file: `${COMPLETION}/walk.ts`,
    from: 'if (isFailure(a) || isFailure(aaaa)) return',
    to: 'if (isFailure(a)) return',
  },
  {
    about: 'search completion does not ask for AAAA',
    file: `${COMPLETION}/walk.ts`,
    from: 'const aaaa = this.#ask(name, RRType.AAAA);',
    to: 'const aaaa = a;',
  },
  {
    about: 'search completion goes on past a type that does not exist where another does',
    file: `${COMPLETION}/walk.ts`,
    from: "if (a.rcode !== aaaa.rcode) return this.#refused('disagreement');",
    to: 'if (a.rcode !== aaaa.rcode && a.rcode !== Rcode.NOERROR) return undefined;',
  },
  {
    about: 'search completion leaves the cluster with names of the house',
    file: `${COMPLETION}/plan.ts`,
    from: "if (!mayLeave) return ended('private');",
    to: '',
  },
  {
    about: 'search completion leaves with a mistyped name of a namespace that is called like a TLD',
    file: `${COMPLETION}/public-names.ts`,
    from: 'return mayBePublic(names, base) && (!isNamespace(label) || isBelowSuffix(names, base));',
    to: 'return mayBePublic(names, base);',
  },
  {
    about: 'search completion leaves with a mistyped name of a namespace that is not shown',
    file: 'server/plugins/cluster-names.ts',
    from: 'isNamespace: (name) => store.hasNamespace(name),',
    to: 'isNamespace: hasNamespace,',
  },
  {
    about: 'search completion does not ask for what the rival of a client looks for',
    file: `${COMPLETION}/plan.ts`,
    from: 'if (rival !== undefined && candidates.every((other) => !other.isOutside)) candidates.push(rival);',
    to: '',
  },
  {
    about: 'search completion takes what the cluster has for what the rival of a client looks for',
    file: `${COMPLETION}/plan.ts`,
    from: "if (isAmbiguous) return ended('ambiguous');",
    to: '',
  },
  {
    about: 'search completion goes on past a rival that exists',
    file: `${COMPLETION}/walk.ts`,
    from: "if (candidate.place === 'rival') return a.rcode === Rcode.NXDOMAIN ? undefined : this.#refused('ambiguous');",
    to: "if (candidate.place === 'rival') return undefined;",
  },
  {
    about: 'search completion goes on past what is below a service',
    file: `${COMPLETION}/plan.ts`,
    from: "if (!isOutside && isOfService(name)) return ended('endpoint');",
    to: 'isOfService(name);',
  },
  {
    about: 'search completion leaves out a domain of the node that the cluster is below',
    file: `${COMPLETION}/search-list.ts`,
    from: '.filter((domain) => suffixStart(domain, apex) === -1)',
    to: '.filter((domain) => suffixStart(domain, apex) === -1 && suffixStart(apex, domain) === -1)',
  },
  {
    about: 'search completion says an alias where there is no data',
    file: `${COMPLETION}/completed-reply.ts`,
    from: '  if (first === undefined) return { ...plain, rcode: Rcode.NOERROR, plugin: PLUGIN, lease: undefined };\n',
    to: '',
  },
  {
    about: 'search completion completes endpoints',
    file: `${COMPLETION}/plan.ts`,
    from: "if (isOfService(`${base}${first}` as Name)) return nothing('endpoint');",
    to: 'isOfService(`${base}${first}` as Name);',
  },
  {
    about: 'search completion completes names with underscores',
    file: `${COMPLETION}/plan.ts`,
    from: "if (base.includes('_')) return nothing('underscore');",
    to: "if (base.startsWith('_')) return nothing('underscore');",
  },
  {
    about: 'search completion overlooks the annotation',
    file: `${COMPLETION}/plan.ts`,
    from: 'refused.has(namespace) || cluster?.refusesCompletion(namespace) === true',
    to: 'refused.has(namespace)',
  },
  {
    about: 'the candidates of search completion are in another order',
    file: `${COMPLETION}/search-list.ts`,
    from: '[...clusterDomains(apex), ...nodeDomainsBeside(apex, nodeDomains), THE_NAME]',
    to: '[...nodeDomainsBeside(apex, nodeDomains), ...clusterDomains(apex), THE_NAME]',
  },
  {
    about: 'a completed reply without data is said again with an old serial',
    file: `${COMPLETION}/grounds.ts`,
    from: '    if (this.#serial !== undefined && this.#serial !== this.#cluster?.serial()) return true;\n',
    to: '',
  },
  {
    about: 'a made alias lives as long as what it leads to',
    file: `${COMPLETION}/completed-reply.ts`,
    from: 'const ttl = Math.min(ttlMax, first?.ttl ?? ttlMax);',
    to: 'const ttl = first?.ttl ?? ttlMax;',
  },
  {
    about: 'completed replies are larger than clients take',
    file: `${COMPLETION}/found-reply.ts`,
    from: "query.peer.protocol === 'udp' && leastSize > udpLimit(query.edns)",
    to: "query.peer.protocol === 'udp' && leastSize > 4096",
  },
  {
    about: 'search completion answers without RD',
    file: `${COMPLETION}/completion.ts`,
    from: 'const isWalk = query.recursionDesired && !isMeta(type)',
    to: 'const isWalk = !isMeta(type)',
  },
];
