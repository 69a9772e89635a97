/**
 * Health for `grpc.health.v1`: the overall service `''` says that the process runs (liveness), the service
 * `glocal.v1.StudyService` that it can also do its work (readiness): store results, and ask the DMD service.
 */

import type { Server } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { DmdWatch } from '../dmd/info.ts';
import type { StoreHealth } from '../store/health.ts';

const OVERALL = '';
/** What readiness is told of. */
export const STUDY_SERVICE = 'glocal.v1.StudyService';

/** What readiness depends on. */
export interface HealthParts {
  readonly store: { readonly health: Pick<StoreHealth, 'writable' | 'onChange'> };
  readonly dmd: Pick<DmdWatch, 'status' | 'onChange'>;
  /** Aborted when the server is to get no new work: nothing is SERVING from then on. */
  readonly retiring: AbortSignal;
}

/** Adds the health service. */
export function addHealth(server: Server, { store, dmd, retiring }: HealthParts): void {
  const health = new HealthImplementation({});
  const told = new Map<string, boolean>();
  /** Watchers hear of changes only. */
  const set = (name: string, serving: boolean) => {
    if (told.get(name) === serving) return;
    told.set(name, serving);
    health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
  };
  const tell = () => {
    set(OVERALL, !retiring.aborted);
    set(STUDY_SERVICE, !retiring.aborted && store.health.writable && dmd.status.reachable);
  };
  tell();
  const unsubscribe = [store.health.onChange(tell), dmd.onChange(tell)];
  retiring.addEventListener('abort', () => {
    for (const stop of unsubscribe) stop();
    tell();
  });
  health.addToServer(server);
}
