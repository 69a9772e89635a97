/** Trials whose workers have died or cannot be reached wait again: every process of a fleet looks for them. */

import { TrialState } from '@glocal/proto/glocal/v1/study';
import type { Logger } from 'pino';
import type { EventHub } from '../events/hub.ts';
import type { Notices } from '../notices/notices.ts';
import { studyOf } from '../resource/names.ts';
import type { LostRequest, Store } from '../store/store.ts';
import { sometimes } from './sometimes.ts';

export interface LostTrialsParts {
  readonly store: Pick<Store, 'expireLeases' | 'health'>;
  readonly hub: Pick<EventHub, 'changed' | 'forget'>;
  readonly notices: Notices;
  readonly log: Pick<Logger, 'error' | 'warn' | 'debug'>;
}

/** Lets what was lost wait again, or end. */
export async function takeUpLost(
  { store, hub, notices, log }: LostTrialsParts,
  request: LostRequest,
): Promise<void> {
  for (const { name: trial, state, stateReason } of await store.expireLeases(request)) {
    const study = studyOf(trial);
    if (state === TrialState.FAILED) {
      log.error(
        { study, trial, reason: stateReason },
        'a trial was lost with one worker after the other, and is FAILED',
      );
    } else if (request.everyone !== true) {
      log.warn({ study, trial }, 'a worker has not been heard of, and its trial waits for another');
    }
    hub.forget(trial);
    hub.changed(study);
    notices.publish({ kind: 'work', study });
  }
}

/** Does so a few times within a lease, where other processes share the store. */
export function keepTakingUp(
  parts: LostTrialsParts,
  { leaseMs, ...request }: Pick<LostRequest, 'maxWorkerDeaths'> & { readonly leaseMs: number },
): Disposable {
  const { store, notices, log } = parts;
  if (!notices.shared) return { [Symbol.dispose]: () => {} };
  return sometimes(leaseMs / 4, () => {
    if (!store.health.writable) return;
    takeUpLost(parts, request).catch((error: unknown) =>
      log.debug({ err: error }, 'lost trials were not looked for'),
    );
  });
}
