/** What came out of a study. */

import type { EvaluationPoint, StudyState, Verdict } from './enums.ts';
import { readout } from './readout.ts';
import type { ReconnectOptions } from './reconnect.ts';
import type { Schedule } from './schedule.ts';
import type { ParameterMap } from './space.ts';
import type { Trial } from './trial.ts';

/** Options of `study.result()`. */
export interface ResultOptions extends ReconnectOptions {
  /**
   * Whether trials come with their schedules. With vectors and many outer steps these are the larger part of a result;
   * `study.schedule()` reads one of them. @default true
   */
  readonly schedules?: boolean | undefined;
}

/** How often each verdict came. */
export type VerdictCounts = Readonly<Record<Verdict, number>>;

/** What came out of one trial: its final state and figures, and how its hyperparameters got there. */
export interface TrialResult<P extends ParameterMap = ParameterMap> extends Trial<P> {
  readonly schedule: Schedule<P>;
  /** Of its windows; all 0 unless the estimator is `glocal`. */
  readonly verdicts: VerdictCounts;
}

/** What came out of a study; its trials are without schedules where `schedules: false` asked for that. */
export interface StudyResult<
  P extends ParameterMap = ParameterMap,
  Result extends Trial<P> = TrialResult<P>,
> {
  /** COMPLETED, CANCELLED or FAILED. */
  readonly state: StudyState;
  /** Why, in one sentence. */
  readonly stateReason: string;
  /** In the order of the points, and of the seeds at each point. */
  readonly trials: readonly Result[];
  /**
   * The SUCCEEDED trial with the lowest validation loss at the weights of `method.evaluation`; undefined when none succeeded.
   */
  readonly best: Result | undefined;
}

/** Counts verdicts while events go by. */
export class VerdictCounter {
  readonly #byTrial = new Map<string, Record<Verdict, number>>();

  add(trial: string, verdict: Verdict): void {
    const counts = this.#byTrial.get(trial) ?? noVerdicts();
    counts[verdict] += 1;
    this.#byTrial.set(trial, counts);
  }

  of(trial: string): VerdictCounts {
    return this.#byTrial.get(trial) ?? noVerdicts();
  }
}

export function noVerdicts(): Record<Verdict, number> {
  return {
    TRUSTED: 0,
    UNCERTAIN: 0,
    NO_STEADY_MODE: 0,
    OSCILLATING: 0,
    DIVERGING: 0,
    DEGENERATE: 0,
    UNKNOWN: 0,
  };
}

/**
 * The SUCCEEDED trial with the lowest validation loss; one without a finite loss comes last.
 * @param evaluation at which weights the loss is read
 */
export function bestTrial<Result extends Trial>(
  trials: readonly Result[],
  evaluation: EvaluationPoint,
): Result | undefined {
  const loss = (trial: Result): number => {
    const { validation } = readout(trial, evaluation);
    return Number.isFinite(validation?.loss) ? (validation?.loss as number) : Number.POSITIVE_INFINITY;
  };
  const [best] = trials
    .filter(({ state }) => state === 'SUCCEEDED')
    .sort((a, b) => (loss(a) < loss(b) ? -1 : 1));
  return best;
}
