/** Where the page is: its address has everything that one would want to send to somebody. */

import { signal } from '@preact/signals';

/** Path and query of the address. */
export interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
}

const here = (): Place => ({ path: location.pathname, query: new URLSearchParams(location.search) });

/** Where we are. */
export const place = signal<Place>(here());

addEventListener('popstate', () => {
  place.value = here();
});

/** Goes elsewhere. */
export function go(to: string, { replace = false } = {}): void {
  if (to === location.pathname + location.search) return;
  if (replace) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  place.value = here();
  if (!replace) scrollTo(0, 0);
}

/** Changes the query in place: an empty value takes a key away. */
export function setQuery(changes: Readonly<Record<string, string | number | undefined>>): void {
  const query = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined || value === '') query.delete(key);
    else query.set(key, String(value));
  }
  const text = query.toString().replaceAll('%2C', ',').replaceAll('%3A', ':');
  go(text === '' ? location.pathname : `${location.pathname}?${text}`, { replace: true });
}

/** Links of this page lead there without loading it anew, unless somebody wants another tab. */
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element | null)?.closest('a');
  if (link?.target !== '' || link.hasAttribute('download') || link.origin !== location.origin) return;
  // A place on this page is the browser's to find.
  if (link.hash !== '' || link.pathname.startsWith('/api/')) return;
  event.preventDefault();
  go(link.pathname + link.search);
}

/** Last part of a study's name. */
export const idOf = (name: string): string => name.slice(name.lastIndexOf('/') + 1);
export const nameOf = (id: string): string => `studies/${id}`;
export const studyPath = (name: string): string => `/studies/${idOf(name)}`;
