/** What each metric of the data threads means, for the HELP line. Knows no values. */

/** The help text of a metric. */
export function helpOf(metric: string): string {
  return HELP.get(metric) ?? 'No description.';
}

const HELP: ReadonlyMap<string, string> = new Map([
  ['coredns_dns_requests_total', 'Queries received.'],
  ['coredns_dns_request_duration_seconds', 'Time from a query to its reply.'],
  ['coredns_dns_request_size_bytes', 'Size of queries.'],
  ['coredns_dns_response_size_bytes', 'Size of replies.'],
  ['coredns_dns_do_requests_total', 'Queries with the DO bit set.'],
  ['coredns_dns_responses_total', 'Replies sent, by response code and the plugin that made them.'],
  ['coredns_panics_total', 'Faults of the program itself; the query got SERVFAIL.'],
  ['coredns_cache_entries', 'Entries in the cache.'],
  ['coredns_cache_hits_total', 'Queries answered from the cache.'],
  ['coredns_cache_evictions_total', 'Entries that had to make room for others.'],
  ['coredns_cache_requests_total', 'Queries that the cache was asked for.'],
  [
    'coredns_cache_misses_total',
    'Queries that the cache could not answer; use cache_requests_total - cache_hits_total.',
  ],
  ['coredns_cache_prefetch_total', 'Entries that were renewed before they expired.'],
  ['coredns_cache_drops_total', 'Replies that were not cached because each alone is larger than all may be.'],
  ['coredns_cache_served_stale_total', 'Queries answered with expired entries.'],
  ['coredns_autopath_success_total', "Questions answered with what the rest of the client's walk would have found."],
  ['fivedots_autopath_completions_total', 'The same, by which name of the search list was found.'],
  ['fivedots_autopath_refused_total', 'First questions of a walk that were left to the client, by the reason.'],
  [
    'fivedots_autopath_search_queries_total',
    'Questions for names that do not exist, as they come from walks through search lists, by the domain that was searched.',
  ],
  [
    'fivedots_autopath_saved_queries_total',
    'Queries that clients did not have to send, and look-ups that no upstream had to be asked for.',
  ],
  ['coredns_local_localhost_requests_total', 'Queries for names under localhost, or that begin with it.'],
  ['coredns_proxy_request_duration_seconds', 'Time that an upstream took to answer.'],
  ['coredns_proxy_healthcheck_failures_total', 'Health checks of an upstream that failed.'],
  ['coredns_proxy_conn_cache_hits_total', 'Exchanges over a connection that was already open.'],
  ['coredns_proxy_conn_cache_misses_total', 'Exchanges that opened a connection.'],
  [
    'coredns_forward_healthcheck_broken_total',
    'Attempts for which every upstream was down; one was tried all the same.',
  ],
  ['coredns_forward_max_concurrent_rejects_total', 'Queries refused because max_concurrent was reached.'],
  ['fivedots_forward_refused_queries_total', 'Queries refused because too many wait for their upstreams already.'],
  ['fivedots_unsent_replies_total', 'Replies that the system did not take or whose reader was too slow.'],
  ['fivedots_udp_batches_total', 'Times that replies were handed to the system, each time all that were ready.'],
  ['fivedots_udp_batched_replies_total', 'Replies handed to the system in batches.'],
  ['fivedots_refused_connections_total', 'TCP connections refused because there were too many.'],
  ['fivedots_evicted_connections_total', 'TCP connections closed to make room for others.'],
  ['fivedots_dropped_messages_total', 'Messages that got no reply, by the reason.'],
  ['fivedots_rejected_messages_total', 'Messages answered with an error by the server itself, by the reason.'],
  ['fivedots_forward_mismatched_replies_total', 'Replies of an upstream that belong to no query that waits.'],
  ['fivedots_express_replies_total', 'Replies that were sent without asking the plugins.'],
  ['fivedots_express_prepared_replies', 'Replies that are ready to be sent again.'],
  ['fivedots_express_known_refusals', 'Search names that are known not to be completed, and so can be denied at once.'],
  ['fivedots_express_faults_total', 'Faults of the express lane or behind it; the plain lane was asked instead.'],
  ['fivedots_express_generations_total', 'Times that half of the prepared replies were forgotten to make room.'],
  ['fivedots_cache_coalesced_total', 'Queries that waited for the same question already on its way.'],
  ['fivedots_cache_cut_hits_total', 'Queries denied because the name, or one above it, is known not to exist.'],
  ['fivedots_cache_refused_waiters_total', 'Queries that found too many waiting for the same question.'],
]);
