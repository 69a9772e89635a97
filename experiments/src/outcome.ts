/** What came out of the trials of an arm. */

import type { ParameterMap, Study, Trial } from '@glocal/sdk';
import type { Arm } from './experiment.ts';

/** What came out of one trial. */
export interface Outcome {
  /** `studies/{study}/trials/{trial}` */
  readonly trial: string;
  /** Where the rate started, or what else tells the columns of the arm's table apart. */
  readonly start: number | undefined;
  readonly seed: number;
  readonly state: Trial['state'];
  readonly reason: string;
  /** Share of the test set, 0 to 1, at the arm's weights. */
  readonly accuracy: number | undefined;
  /** Share of the validation examples, 0 to 1, at the arm's weights. */
  readonly validationAccuracy: number | undefined;
  /** Validation loss in nats, at the arm's weights. */
  readonly loss: number | undefined;
  /** In plain runs, as the trial measured it. */
  readonly cost: number | undefined;
  /** The rate that it ended with. */
  readonly rate: number | undefined;
  /** From its start to its end, with pauses. */
  readonly seconds: number;
  readonly backend: string;
}

export interface Finished {
  readonly arm: Pick<Arm, 'id' | 'table' | 'title' | 'readout' | 'grid'> & {
    /** Whether hyperparameters moved while it trained. */
    readonly tuned: boolean;
  };
  readonly study: string;
  /** In plain runs. */
  readonly predictedCost: number;
  /** Inner steps of each trial. */
  readonly steps: number;
  readonly trials: readonly Outcome[];
}

/** Whether a trial says something of its settings. That it diverged does. */
export const isOutcome = ({ state }: Pick<Outcome, 'state'>): boolean =>
  state === 'SUCCEEDED' || state === 'INFEASIBLE';

export function finish(arm: Arm, study: Study<ParameterMap>, trials: readonly Trial[]): Finished {
  const { id, table, title, readout, grid } = arm;
  const tuned = arm.spec.method?.estimator !== 'fixed';
  return {
    arm: { id, table, title, readout, tuned, ...(grid !== undefined && { grid }) },
    study: study.name,
    predictedCost: study.predictedCost,
    steps: arm.spec.training.steps,
    trials: trials.map((trial) => outcome(arm, trial)),
  };
}

function outcome({ readout, start }: Arm, trial: Trial): Outcome {
  const [test, validation] =
    readout === 'last' ? [trial.test, trial.validation] : [trial.averagedTest, trial.averagedValidation];
  const { startTime, endTime } = trial;
  return {
    trial: trial.name,
    start: start ?? rateOf(trial.choices),
    seed: trial.seed,
    state: trial.state,
    reason: trial.stateReason,
    accuracy: test?.accuracy,
    validationAccuracy: validation?.accuracy,
    loss: validation?.loss,
    cost: trial.cost,
    rate: rateOf(trial.values),
    seconds: ((endTime?.getTime() ?? 0) - (startTime?.getTime() ?? 0)) / 1_000,
    backend: trial.backend,
  };
}

function rateOf({ lr }: Readonly<Record<string, unknown>>): number | undefined {
  if (typeof lr === 'number') return lr;
  // Of one for each layer the mean.
  return Array.isArray(lr) ? lr.reduce((sum: number, rate: number) => sum + rate, 0) / lr.length : undefined;
}

/** In one line. */
export function outcomeLine({ start, seed, accuracy, cost, rate, seconds, reason, state }: Outcome): string {
  const figures = [
    start === undefined ? '' : `from ${start.toPrecision(3)}, `,
    `seed ${seed}   accuracy ${accuracy?.toFixed(4) ?? '–'}   cost ${cost?.toFixed(2) ?? '–'}   `,
    `ends at ${rate?.toPrecision(3) ?? '–'}   ${seconds.toFixed(0)} s`,
  ].join('');
  return state === 'SUCCEEDED' ? figures : `${figures}   ${state}: ${reason}`;
}
