/** Which Host headers name this server. Knows nothing of HTTP otherwise. */

import { isIP } from 'node:net';

import { isWithin, NameError, nameFrom, ROOT, type Name } from '../../zones/name.ts';

/**
 * Can nobody outside the cluster have made this name point here? A page in a browser may read what its own name answers, so a
 * name of an attacker's that resolves to a pod or to a forwarded port (DNS rebinding) must not be answered.
 * @param zones the cluster zones that the server itself is the authority for
 */
export function isOwnHost(host: string, zones: readonly Name[]): boolean {
  const text = /^\[([0-9a-fA-F:.]+)\](:[0-9]+)?$/.exec(host)?.[1] ?? host.replace(/:[0-9]+$/, '');
  // Without a Host header (HTTP/1.0) it is no browser.
  if (text === '' || isIP(text) !== 0) return true;
  if (!/^[a-zA-Z0-9._-]+$/.test(text)) return false;
  let name: Name;
  try {
    name = nameFrom(text);
  } catch (error) {
    if (error instanceof NameError) return false;
    throw error;
  }
  if (zones.some((zone) => zone !== ROOT && isWithin(name, zone))) return true;
  const labels = text.toLowerCase().replace(/\.$/, '').split('.');
  // One label is found by search lists only; `svc` and `local` (RFC 6762) are no top-level domains that can be bought.
  return labels.length === 1 || OWN_TOP_LABELS.includes(labels.at(-1) ?? '');
}

const OWN_TOP_LABELS: readonly string[] = ['svc', 'local', 'localhost'];
