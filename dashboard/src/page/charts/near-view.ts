/** Whether something is where one can see it, or about to come there. */

import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';

/** Pixels from the edge at which it is made ready. */
const MARGIN = 400;

/** What is far below is not drawn, and not drawn again with each outer step, until somebody comes near. */
export function useNearView(place: RefObject<Element | null>): boolean {
  const [isNear, setNear] = useState(false);
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const observer = new IntersectionObserver((entries) => setNear(entries.at(-1)?.isIntersecting === true), {
      rootMargin: `${MARGIN}px`,
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return isNear;
}
