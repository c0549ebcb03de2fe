/** Figures of /metrics that tell an operator what happened to a cluster. Knows their names, not when they move. */

import { readExposition } from '../support/exposition.ts';

/** The series of a metric that have these labels, added up. */
export type Figure = { readonly metric: string; readonly labels: Readonly<Record<string, string>> };

export function figureText({ metric, labels }: Figure): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return pairs.length === 0 ? metric : `${metric}{${pairs.join(',')}}`;
}

/** 0 where there is no such series. `exposition` is what /metrics says. */
export function valueOf({ metric, labels }: Figure, exposition: string): number {
  const samples = readExposition(exposition).get(metric)?.samples ?? [];
  const wanted = Object.entries(labels);
  return samples
    .filter((sample) => wanted.every(([name, value]) => sample.labels[name] === value))
    .reduce((sum, { value }) => sum + value, 0);
}

/** Requests to the API server by the status of the reply, or `<error>`. */
export function replies(code: string): Figure {
  return { metric: 'coredns_kubernetes_rest_client_requests_total', labels: { code } };
}

type WatchedKind = 'Namespace' | 'Service' | 'EndpointSlice';

/** Lists after the first one, for one reason or for any. */
export function relists(reason?: string, kind?: WatchedKind): Figure {
  return followed('relists_total', { kind, reason });
}

/** Watches that went on from where one before was. */
export function reconnects(reason?: string, kind?: WatchedKind): Figure {
  return followed('reconnects_total', { kind, reason });
}

/** Changes that watches told. */
export function events(kind: WatchedKind): Figure {
  return followed('events_total', { kind });
}

/** Changes that were older than what was known. */
export function droppedEvents(kind: WatchedKind): Figure {
  return followed('dropped_events_total', { kind });
}

/** Replies that went silent. */
export function stalls(kind: WatchedKind): Figure {
  return followed('stalls_total', { kind });
}

/** Replies that could not be read. */
export function protocolErrors(kind: WatchedKind): Figure {
  return followed('protocol_errors_total', { kind });
}

/** Objects that a list showed to be other than the watch had told. */
export function gaps(kind: WatchedKind): Figure {
  return followed('gaps_total', { kind });
}

/** Objects that are known. */
export function objects(kind: WatchedKind): Figure {
  return { metric: 'fivedots_cluster_objects', labels: { kind } };
}

function followed(name: string, labels: Readonly<Record<string, string | undefined>>): Figure {
  const given = Object.entries(labels).flatMap(([label, value]) => (value === undefined ? [] : [[label, value]]));
  return { metric: `fivedots_reflector_${name}`, labels: Object.fromEntries(given) };
}
