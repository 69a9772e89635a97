/** Lists that come page by page (AIP-158). */

import { GlocalError } from './error.ts';
import type { CallOptions } from './options.ts';

/** Options of every list. */
export interface ListOptions extends CallOptions {
  /** Items fetched at a time. @default the server's, 50 */
  readonly pageSize?: number | undefined;
}

/** All items. Node 20, for which the SDK is made too, has no Array.fromAsync. */
export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/**
 * The items of all pages; the next page is fetched when the last item of one was taken.
 * @throws GlocalError DATA_LOSS for a page that leads to itself, which would never end.
 */
export async function* pages<Item>(
  fetch: (pageToken: string) => Promise<{ items: readonly Item[]; nextPageToken: string }>,
): AsyncGenerator<Item, void, undefined> {
  let pageToken = '';
  do {
    const { items, nextPageToken } = await fetch(pageToken);
    yield* items;
    if (nextPageToken !== '' && nextPageToken === pageToken) {
      throw new GlocalError('DATA_LOSS', `the page after "${pageToken}" is said to be itself`);
    }
    pageToken = nextPageToken;
  } while (pageToken !== '');
}
