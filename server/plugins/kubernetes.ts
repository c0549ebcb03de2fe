/** `kubernetes`: answers for the zones of a cluster. Knows when its answer is not the last word, not how it is found. */

import type { Answer } from '../../zones/answer.ts';
import type { Address } from '../../zones/ip.ts';
import { aliasTarget } from '../../zones/kubernetes/alias.ts';
import { clusterZones, zoneHolding, type ClusterZonesOptions } from '../../zones/kubernetes/cluster-zones.ts';
import { kindsOf } from '../../zones/kubernetes/source.ts';
import type { ClusterStore } from '../../zones/kubernetes/store/store.ts';
import type { Zone } from '../../zones/kubernetes/zone.ts';
import { zoneTransfer } from '../../zones/kubernetes/zone-transfer.ts';
import { isWithin, lowerCase, type Name, type Spelling } from '../../zones/name.ts';
import { Rcode, RRType } from '../../zones/rr.ts';
import { onlyDirective } from '../corefile/values.ts';
import { after, transparent, type Denials, type Handler, type Plugin } from '../pipeline.ts';
import { emptyReply, ExtendedErrorCode, type Query, type Reply, replyFrom } from '../query.ts';
import { clusterNamesIn, sharedClusterNames } from './cluster-names.ts';
import { resolveAlias } from './external-name.ts';
import { kubernetesFrom, type KubernetesOptions } from './kubernetes-options.ts';
import { checkSnapshots } from './kubernetes-source.ts';
import { publishMetadata } from './kubernetes-metadata.ts';
import { interfaceAddresses, localAddresses } from './local-addresses.ts';
import { metadataOf } from './metadata.ts';
import { staleReply } from './stale-reply.ts';
import { transferableZones } from './transferable-zones.ts';
import { zoneSources } from './zone-sources.ts';

const NAME = 'kubernetes';

/** Options and answers are those of CoreDNS's plugin of that name; what differs on purpose cites its RFC where it is done. */
export const kubernetes: Plugin<KubernetesOptions> = kubernetesAt(interfaceAddresses);

/** The plugin on a machine with other addresses than this one's. */
export function kubernetesAt(interfaces: () => readonly Address[]): Plugin<KubernetesOptions> {
  return {
    name: NAME,
    parse: (directives, block) => kubernetesFrom(onlyDirective(directives), block),
    checkTogether: checkSnapshots,
    layer(options, context) {
      const store = context.cluster(options.cluster);
      const passesOn = (name: Name): boolean => isWithinAny(name, options.fallthrough);
      const shown: ClusterZonesOptions = {
        primary: options.primary,
        multicluster: options.multicluster,
        kinds: kindsOf(options.source),
        ttl: options.ttl,
        namespaces: options.namespaces.length === 0 ? undefined : new Set(options.namespaces),
        pods: options.pods,
        endpointPodNames: options.endpointPodNames,
        zonal: options.zonal,
        pointsToHostnamesOnly: options.pointsToHostnamesOnly,
        ignoreEmptyService: options.ignoreEmptyService,
        localAddresses: localAddresses(context.hosts, interfaces()),
        passesOn,
      };
      const zones = clusterZones(store, options.zones, shown);
      sharedClusterNames(context.shared).names = clusterNamesIn(store, zones, {
        ...shown,
        isOwn: context.isOwn,
        isSynced: () => zones.every((zone) => isSynced(store, zone)),
      });
      publishMetadata(metadataOf(context.shared), zones, store, options);
      const authority: Authority = { store, zones, passesOn, resolve: context.resolve };
      const transferable = transferableZones(context.shared);
      const { authoritative } = zoneSources(context.shared);
      for (const zone of zones) {
        authoritative.add(zone.apex);
        transferable.set(zone.apex, {
          isComplete: () => isSynced(store, zone),
          serial: () => store.serial,
          soa: () => zone.find(zone.apex, zone.apex, RRType.SOA).answer,
          records: () => zoneTransfer(store, options.zones, shown, zone.apex),
        });
      }
      const denials: Denials = {
        apexes: zones.map(({ apex }) => apex),
        plugin: NAME,
        deny: (name, spelling, type) => denialOf(authority, name, spelling, type),
      };
      return transparent((next) => (query) => answer(authority, query, next), { denials });
    },
  };
}

type Authority = {
  readonly store: ClusterStore;
  readonly zones: readonly Zone[];
  readonly passesOn: (name: Name) => boolean;
  readonly resolve: Handler;
};

function answer(authority: Authority, query: Query, next: Handler): ReturnType<Handler> {
  const { name, spelling, type } = query.question;
  const zone = zoneHolding(authority.zones, name, type);
  if (zone === undefined) return next(query);
  // Whole zones are given away by `transfer`, which does not ask here.
  if (type === RRType.AXFR || type === RRType.IXFR) return emptyReply(Rcode.REFUSED, NAME);
  const found = zone.find(name, spelling, type);
  if (found.outcome === 'alias') return told(authority, zone, aliasReply(authority, query, found));
  if (found.outcome === 'nxdomain') return nameError(authority, zone, query, found, next);
  return told(authority, zone, replyFrom(found, NAME));
}

/** The same as `answer` for what it would not pass on, nor say more of than that it is not there. */
function denialOf(authority: Authority, name: Name, spelling: Spelling, type: number): Answer | undefined {
  const zone = zoneHolding(authority.zones, name, type);
  if (zone === undefined || isStale(authority.store, zone) || !isKnown(authority.store, zone)) return undefined;
  if (authority.passesOn(name)) return undefined;
  const found = zone.find(name, spelling, type);
  const isDenial = found.outcome === 'nodata' || found.outcome === 'nxdomain';
  return isDenial && found.answer.length === 0 ? found : undefined;
}

function aliasReply({ resolve }: Authority, query: Query, { answer: chain }: Answer): ReturnType<Handler> {
  return resolveAlias(query, chain, NAME, resolve);
}

/** What does not exist here may exist with the next plugin, or may not have been heard of yet. */
function nameError(authority: Authority, zone: Zone, query: Query, found: Answer, next: Handler): ReturnType<Handler> {
  // Before fallthrough, unlike CoreDNS: private addresses are not asked for outside, nor is the denial of a name of ours kept.
  if (!isKnown(authority.store, zone)) return notReady(found);
  const target = aliasTarget(found.answer);
  const missing = target === undefined ? query.question.name : lowerCase(target);
  if (!authority.passesOn(missing)) return told(authority, zone, replyFrom(found, NAME));
  if (target !== undefined) return told(authority, zone, aliasReply(authority, query, found));
  return isStale(authority.store, zone) ? after(next(query), notKept) : next(query);
}

/** What has come into the cluster since its snapshot would stay denied after the first sync. */
function notKept(reply: Reply): Reply {
  return { ...reply, fresh: true };
}

/** A reply of this cluster's, which says so where it may be that of another day. */
function told({ store }: Authority, zone: Zone, reply: Reply | Promise<Reply>): ReturnType<Handler> {
  return isStale(store, zone) ? after(reply, staleReply) : reply;
}

function isStale(store: ClusterStore, { kinds }: Zone): boolean {
  for (const kind of kinds) if (store.isStale(kind)) return true;
  return false;
}

function isKnown(store: ClusterStore, { kinds }: Zone): boolean {
  for (const kind of kinds) if (!store.isSynced(kind) && !store.isStale(kind)) return false;
  return true;
}

function isSynced(store: ClusterStore, { kinds }: Zone): boolean {
  for (const kind of kinds) if (!store.isSynced(kind)) return false;
  return true;
}

function isWithinAny(name: Name, zones: readonly Name[]): boolean {
  for (const zone of zones) if (isWithin(name, zone)) return true;
  return false;
}

/** RFC 8914 section 4.15. */
const NOT_READY = { code: ExtendedErrorCode.NOT_READY, text: 'the cluster has not been read in full yet' } as const;

function notReady({ authority }: Answer): Reply {
  return {
    ...emptyReply(Rcode.SERVFAIL, NAME),
    authoritative: true,
    authority,
    fresh: true,
    extendedError: NOT_READY,
  };
}
