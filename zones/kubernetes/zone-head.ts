/**
 * What every zone of a cluster has beside the cluster's names: SOA, NS, `ns.dns`, `dns-version`, and the denials. Knows
 * nothing of services' names.
 */

import type { Answer } from '../answer.ts';
import { isReverseName } from '../ip.ts';
import { nameUnder, type Spelling } from '../name.ts';
import { nameRdata, soaRdata, txtRdata } from '../rdata.ts';
import { RRType, type RRset } from '../rr.ts';
import type { Seconds } from '../units.ts';
import { nameserversOf, NS_DNS, type Nameserver } from './nameservers.ts';
import { addressesFrom, addressSets } from './store/service-node.ts';
import type { ClusterView } from './store/cluster-view.ts';
import { dataAnswer, NO_RRSETS, type ZoneOptions } from './zone.ts';

/** `suffix` is always the zone's apex as it was spelled in the question. */
export type ZoneHead = {
  /** The name exists, the type does not (RFC 2308 section 2.2). */
  readonly nodata: (suffix: Spelling) => Answer;
  /** The name does not exist (RFC 2308 section 2.1). */
  readonly nxdomain: (suffix: Spelling) => Answer;
  /** A question for the apex itself. */
  readonly atApex: (suffix: Spelling, type: number) => Answer;
  /** A question for `dns-version`, `ns.dns` or `dns`; undefined for other names. `relative` is what stands before the apex. */
  readonly wellKnown: (relative: string, owner: Spelling, suffix: Spelling, type: number) => Answer | undefined;
};

/** Version of the Kubernetes DNS spec that the zones follow, in its section 2.2. */
const DNS_VERSION = '1.1.0';
/** The same of the multicluster DNS spec (KEP-1645), in its section 2.2. */
const MULTICLUSTER_DNS_VERSION = '1.0.0';
const DNS_VERSION_TTL: Seconds = 28_800;

/** RFC 1035 section 3.3.13; the values are those of CoreDNS (plugin/backend_lookup.go `SOA`). */
const REFRESH: Seconds = 7200;
const RETRY: Seconds = 1800;
const EXPIRE: Seconds = 86_400;
/** However long answers may be kept, the SOA of a denial must not be: the name may be about to come. Asked for alone it has the same TTL. */
const SOA_TTL_MAX: Seconds = 300;

const DNS = '\x03dns';
const VERSION = '\x0bdns-version';

/** The names of the head that have records, relative to the apex, and which. */
export const HEAD_NAMES: readonly { readonly relative: string; readonly types: readonly number[] }[] = [
  { relative: '', types: [RRType.NS] },
  { relative: VERSION, types: [RRType.TXT] },
  { relative: NS_DNS, types: [RRType.A, RRType.AAAA] },
];

export function zoneHead(store: ClusterView, options: ZoneOptions): ZoneHead {
  const { apex, primary, isMulticluster, ttl } = options;
  const hasServices = !isReverseName(apex) && !isMulticluster;
  const version = isMulticluster ? MULTICLUSTER_DNS_VERSION : DNS_VERSION;
  let denials = denialsFor(apex, store.serial, ttl);

  /** One set is remembered: nearly every client spells the zone the same way, and the cluster changes seldom. */
  function denialsAt(suffix: Spelling): Denials {
    if (denials.suffix !== suffix || denials.serial !== store.serial) denials = denialsFor(suffix, store.serial, ttl);
    return denials;
  }

  /** Names of the cluster's own services do not exist in every zone; then name servers are named in the primary one. */
  function nameservers(suffix: Spelling): readonly Nameserver[] {
    return nameserversOf(store, options, hasServices ? suffix : (primary ?? suffix));
  }

  function atApex(suffix: Spelling, type: number): Answer {
    if (type === RRType.SOA) {
      return dataAnswer(suffix, RRType.SOA, Math.min(ttl, SOA_TTL_MAX), [soaFor(suffix, store.serial, ttl)]);
    }
    if (type !== RRType.NS) return denialsAt(suffix).nodata;
    const servers = nameservers(suffix);
    if (servers.length === 0) return denialsAt(suffix).nodata;
    const glue = servers.flatMap(({ name, keys }) => addressSets(name, addressesFrom(keys), ttl));
    return dataAnswer(
      suffix,
      RRType.NS,
      ttl,
      servers.map(({ name }) => nameRdata(name)),
      glue,
    );
  }

  function wellKnown(relative: string, owner: Spelling, suffix: Spelling, type: number): Answer | undefined {
    switch (relative) {
      case VERSION:
        if (type !== RRType.TXT) return denialsAt(suffix).nodata;
        return dataAnswer(owner, RRType.TXT, DNS_VERSION_TTL, [txtRdata([version])]);
      case NS_DNS:
        return serverAddresses(owner, suffix, type) ?? denialsAt(suffix).nodata;
      case DNS:
        return denialsAt(suffix).nodata;
      default:
        return undefined;
    }
  }

  function serverAddresses(owner: Spelling, suffix: Spelling, type: number): Answer | undefined {
    if (type !== RRType.A && type !== RRType.AAAA) return undefined;
    const keys = nameservers(suffix).flatMap(({ keys }) => keys);
    const { ipv4, ipv6 } = addressesFrom(keys);
    const rdatas = type === RRType.A ? ipv4 : ipv6;
    return rdatas.length === 0 ? undefined : dataAnswer(owner, type, ttl, rdatas);
  }

  return {
    nodata: (suffix) => denialsAt(suffix).nodata,
    nxdomain: (suffix) => denialsAt(suffix).nxdomain,
    atApex,
    wellKnown,
  };
}

type Denials = {
  readonly suffix: Spelling;
  readonly serial: number;
  readonly nodata: Answer;
  readonly nxdomain: Answer;
};

function denialsFor(suffix: Spelling, serial: number, ttl: Seconds): Denials {
  const soa: RRset = {
    owner: suffix,
    type: RRType.SOA,
    ttl: Math.min(ttl, SOA_TTL_MAX),
    rdatas: [soaFor(suffix, serial, ttl)],
  };
  return { suffix, serial, nodata: denial('nodata', soa), nxdomain: denial('nxdomain', soa) };
}

function denial(outcome: 'nodata' | 'nxdomain', soa: RRset): Answer {
  return { outcome, answer: NO_RRSETS, authority: [soa], additional: NO_RRSETS };
}

/** The zone's name leaves room for `hostmaster` in front of it, or it would not have been configured (`ZONE_MAX`). */
function soaFor(suffix: Spelling, serial: number, ttl: Seconds): Uint8Array {
  return soaRdata({
    mname: nameUnder(NS_DNS, suffix) ?? suffix,
    rname: nameUnder(HOSTMASTER, suffix) ?? suffix,
    serial,
    refresh: REFRESH,
    retry: RETRY,
    expire: EXPIRE,
    minimum: ttl,
  });
}

const HOSTMASTER = '\x0ahostmaster';
