/** Every plugin word of CoreDNS in the order in which a query meets them, and the plugins of those that fivedots has. */

import { CorefileError } from '../errors.ts';
import type { Token } from '../corefile/block.ts';
import { byNearness, show, suggestion } from '../corefile/fault.ts';
import type { Plugin } from '../pipeline.ts';
import { any } from './any.ts';
import { autopath } from './autopath.ts';
import { bind } from './bind.ts';
import { cache } from './cache.ts';
import { errors } from './errors.ts';
import { forward } from './forward.ts';
import { health } from './health.ts';
import { kubernetes } from './kubernetes.ts';
import { loadbalance } from './loadbalance.ts';
import { local } from './local.ts';
import { log } from './log.ts';
import { loop } from './loop.ts';
import { metadata } from './metadata.ts';
import { multisocket } from './multisocket.ts';
import { nsid } from './nsid.ts';
import { prometheus } from './prometheus.ts';
import { ready } from './ready.ts';
import { reload } from './reload.ts';
import { transfer } from './transfer.ts';
import { whoami } from './whoami.ts';

/**
 * The order changes what a query gets: a plugin sees what those behind it reply (CoreDNS plugin.cfg). The order of the words in
 * a Corefile changes nothing.
 */
export const PLUGIN_ORDER: readonly string[] = [
  'root',
  'metadata',
  'geoip',
  'cancel',
  'proxyproto',
  'quic',
  'grpc_server',
  'https',
  'https3',
  'timeouts',
  'multisocket',
  'reload',
  'nsid',
  'bufsize',
  'bind',
  'debug',
  'trace',
  'ready',
  'health',
  'pprof',
  'shed',
  'prometheus',
  'errors',
  'log',
  'dnstap',
  'local',
  'dns64',
  'any',
  'chaos',
  'loadbalance',
  'tsig',
  'rewrite',
  'autopath',
  'acl',
  'cache',
  'header',
  'dnssec',
  'tls',
  'minimal',
  'template',
  'transfer',
  'hosts',
  'route53',
  'azure',
  'clouddns',
  'k8s_external',
  'kubernetes',
  'file',
  'auto',
  'secondary',
  'etcd',
  'loop',
  'forward',
  'grpc',
  'erratic',
  'whoami',
  'on',
  'sign',
  'view',
  'nomad',
];

/** A plugin whose options only itself can read: they travel in a plan from its `parse` to its `layer`. */
export type AnyPlugin = Plugin<unknown>;

/** What fivedots has, by word. */
export const plugins: ReadonlyMap<string, AnyPlugin> = new Map(
  [
    untyped(any),
    untyped(autopath),
    untyped(bind),
    untyped(cache),
    untyped(errors),
    untyped(forward),
    untyped(health),
    untyped(kubernetes),
    untyped(loadbalance),
    untyped(local),
    untyped(log),
    untyped(loop),
    untyped(metadata),
    untyped(multisocket),
    untyped(nsid),
    untyped(prometheus),
    untyped(ready),
    untyped(reload),
    untyped(transfer),
    untyped(whoami),
  ].map((plugin) => [plugin.name, plugin]),
);

/**
 * The plugin of a word.
 * @throws CorefileError if fivedots does not have it, or nobody has
 */
export function pluginOf(word: Token, known: ReadonlyMap<string, AnyPlugin> = plugins): AnyPlugin {
  const plugin = known.get(word.text);
  if (plugin !== undefined) return plugin;
  const names = byNearness(word.text, [...known.keys()].toSorted()).join(', ');
  if (PLUGIN_ORDER.includes(word.text)) {
    throw new CorefileError(
      word.position,
      `found ${show(word.text)}, a plugin of CoreDNS that fivedots does not implement yet; implemented are: ${names}`,
    );
  }
  const hint = /[.:/]/.test(word.text)
    ? '; if this is the zone of a server block, close the block before it with "}", and give both blocks braces'
    : suggestion(word.text, PLUGIN_ORDER);
  throw new CorefileError(word.position, `found ${show(word.text)}, which is not a plugin${hint}; known are: ${names}`);
}

/** Forgets the type of the options. Safe because a plugin is only ever given what its own `parse` made. */
function untyped<Options>(plugin: Plugin<Options>): AnyPlugin {
  return plugin as AnyPlugin;
}
