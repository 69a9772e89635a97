/** The head of a page: what it is called, here and in the tab, what it is about, and what one can do with it. */

import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';

interface PageHeadProps {
  readonly title: string;
  /** Of the browser's tab; the heading when it is left out. */
  readonly tab?: string | undefined;
  /** Lines below the heading. */
  readonly about?: ComponentChildren;
  /** To the right. */
  readonly children?: ComponentChildren;
}

export function PageHead({ title, tab = title, about, children }: PageHeadProps) {
  useEffect(() => {
    document.title = `${tab} · Glocal`;
  }, [tab]);
  return (
    <header class="page-head">
      <div>
        <h1>{title}</h1>
        {about}
      </div>
      {children}
    </header>
  );
}
