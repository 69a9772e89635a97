/** A store whose calls are timed. */

import type { Store } from '../store/store.ts';
import type { Metrics } from './metrics.ts';

export function measured(store: Store, metrics: Pick<Metrics, 'storeCall'>): Store {
  return new Proxy(store, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property, target);
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        const answered = metrics.storeCall(String(property));
        try {
          return await member.apply(target, args);
        } finally {
          answered();
        }
      };
    },
  });
}
