/** A worker that trains one trial: what its process ends with. */

import { TrialState } from '@glocal/proto/glocal/v1/study';
import type { Logger } from 'pino';
import type { Settings } from '../config/settings.ts';
import type { TrialWorker } from '../queue/worker.ts';
import { trialStateName } from '../resource/states.ts';
import type { Store } from '../store/store.ts';
import { ONCE } from './exit.ts';

/** Resolves with the exit code once the trial does not train any more. */
export async function trainOnce(
  worker: Pick<TrialWorker, 'trainOne'>,
  store: Pick<Store, 'getTrial'>,
  log: Logger,
  { onceNoWorkOk }: Pick<Settings, 'onceNoWorkOk'>,
): Promise<number> {
  const name = await worker.trainOne();
  if (name === undefined) {
    log.info('no trial waits that can be trained here');
    return onceNoWorkOk ? 0 : ONCE.noWork;
  }
  const state = (await store.getTrial(name))?.state;
  log.info(
    { trial: name, state: state === undefined ? 'gone' : trialStateName(state) },
    'the trial does not train here any more',
  );
  switch (state) {
    case TrialState.PENDING:
    // Another has it already.
    case TrialState.RUNNING:
      return ONCE.handedBack;
    case TrialState.FAILED:
      return ONCE.failed;
    default:
      return 0;
  }
}
