/** All objects of a resource, page by page. Knows nothing of watches, nor of when to ask. */

import type { Bytes, Count, Milliseconds } from '../../units.ts';
import { ApiFault, isExpired } from './api-fault.ts';
import { selectorsOf, versionFrom, type Resource } from './api-resources.ts';
import { fieldsOf, isFields, listOf, type Fields } from '../api-values.ts';
import { BodyTooLarge, type ApiClient } from './client.ts';
import type { ResourceListing } from './replica.ts';
import { nextTurn, type Time } from './time.ts';

/** Who asks. */
export type Lister = Pick<ApiClient, 'text'>;

/** A list, and the version from which a watch goes on. */
export type Listed = { readonly listing: ResourceListing; readonly version: string };

/**
 * Lists a resource. The pages are of one moment, for the first one's version is in the token that the next is asked with;
 * when that moment is compacted away (410) the list starts again, and at last asks for everything at once.
 * @throws ApiFault
 */
export async function list(
  client: Lister,
  resource: Resource,
  newListing: () => ResourceListing,
  time: Time,
  signal: AbortSignal,
): Promise<Listed> {
  for (let restarts = 0; ; restarts++) {
    try {
      return await listOnce(client, resource, newListing(), restarts < RESTARTS_MAX, time, signal);
    } catch (error) {
      const isCompacted = error instanceof ApiFault && error.code === 'status' && isExpired(error);
      if (!isCompacted || restarts >= RESTARTS_MAX) throw error;
    }
  }
}

/** Work done in one go before others get their turn. */
export const WORK_SLICE: Milliseconds = 4;

/** Restarts with pages, after which everything is asked for at once. */
const RESTARTS_MAX: Count = 2;
/** One page, or the whole list where it has to be. A page of 500 pods is 5 MB. */
const PAGE_MAX: Bytes = 64 * 1024 * 1024;
/** A server that always promises another page is ended here. */
const PAGES_MAX: Count = 10_000;
const HEADERS_WITHIN: Milliseconds = 30_000;
const IDLE_WITHIN: Milliseconds = 30_000;
/** etcd forgets the moment that the pages are of after five minutes. */
const WHOLE_WITHIN: Milliseconds = 300_000;

async function listOnce(
  client: Lister,
  resource: Resource,
  listing: ResourceListing,
  isPaged: boolean,
  time: Time,
  signal: AbortSignal,
): Promise<Listed> {
  let version: string | undefined;
  let token = '';
  let size = resource.pageSize;
  for (let pages = 0; pages < PAGES_MAX; pages++) {
    const page = await getPage(client, resource, isPaged ? size : undefined, token, signal);
    if (page === undefined) {
      if (size === 1) throw new ApiFault('protocol', `one of the ${resource.plural} is larger than ${PAGE_MAX} octets`);
      size = Math.ceil(size / 4);
      continue;
    }
    await takeItems(page, listing, time, signal);
    version ??= versionFrom(page);
    if (version === undefined) throw new ApiFault('protocol', 'a list without a resourceVersion');
    const next = fieldsOf(page['metadata'])['continue'];
    if (typeof next !== 'string' || next === '') return { listing, version };
    token = next;
    size = Math.min(resource.pageSize, size * 2);
  }
  throw new ApiFault('protocol', `a list of more than ${PAGES_MAX} pages`);
}

/** Undefined if the page is too large and could be smaller. */
async function getPage(
  client: Lister,
  resource: Resource,
  size: Count | undefined,
  token: string,
  signal: AbortSignal,
): Promise<Fields | undefined> {
  const parameters = selectorsOf(resource);
  if (size !== undefined) parameters.set('limit', String(size));
  if (token !== '') parameters.set('continue', token);
  let text: string;
  try {
    text = await client.text(
      {
        path: resource.path,
        parameters,
        headersWithin: HEADERS_WITHIN,
        idleWithin: () => IDLE_WITHIN,
        wholeWithin: WHOLE_WITHIN,
      },
      signal,
      PAGE_MAX,
    );
  } catch (error) {
    if (error instanceof BodyTooLarge && size !== undefined) return undefined;
    throw error;
  }
  return pageFrom(text);
}

function pageFrom(text: string): Fields {
  let page: unknown;
  try {
    page = JSON.parse(text);
  } catch (cause) {
    throw new ApiFault('protocol', 'a list that is not JSON', { cause });
  }
  // Go writes an empty list of items as null where nobody has made it.
  if (!isFields(page) || !isFields(page['metadata']) || !('items' in page)) {
    throw new ApiFault('protocol', 'a reply to a list that is no list; does the URL lead to an API server?');
  }
  return page;
}

async function takeItems(page: Fields, listing: ResourceListing, time: Time, signal: AbortSignal): Promise<void> {
  let began = time.now();
  for (const item of listOf(page['items'])) {
    listing.put(fieldsOf(item));
    if (time.now() - began < WORK_SLICE) continue;
    await nextTurn();
    if (signal.aborted) throw new ApiFault('closed', 'closed');
    began = time.now();
  }
}
