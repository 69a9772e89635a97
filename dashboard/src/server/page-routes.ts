/** The page's files. Whatever path it has for itself is answered with the page, which looks at it. */

import { Hono } from 'hono';
import type { PageFile } from './page-files.ts';

/** @param files by path; `/index.html` is the page */
export function pageRoutes(files: ReadonlyMap<string, PageFile>): Hono {
  return new Hono().get('*', (c) => {
    const named = files.get(c.req.path);
    const file = named ?? files.get('/index.html');
    // A file of an older page is asked for by a tab that was open: the page in its place would not be a script.
    const isMissing = named === undefined && /\.[a-z0-9]+$/i.test(c.req.path);
    if (file === undefined || isMissing) return c.text('There is no such file; load the page again.', 404);
    const isNamedByContent = named !== undefined && c.req.path.startsWith('/assets/');
    c.header('cache-control', isNamedByContent ? 'public, max-age=31536000, immutable' : 'no-cache');
    c.header('etag', file.etag);
    c.header('vary', 'accept-encoding');
    if (c.req.header('if-none-match') === file.etag) return c.body(null, 304);
    c.header('content-type', file.type);
    if (!c.req.header('accept-encoding')?.includes('gzip')) return c.body(file.content);
    c.header('content-encoding', 'gzip');
    return c.body(file.gzipped);
  });
}
