/** Runs the arms of an experiment; what has been run with the same settings is taken as it is. */

import { createHash } from 'node:crypto';
import type { GlocalClient, ParameterMap, Study, StudySpec, Trial } from '@glocal/sdk';
import type { Arm } from './experiment.ts';

/** What came out of one trial. */
export interface Outcome {
  /** Where the rate started, or the peak of its schedule. */
  readonly start: number | undefined;
  readonly seed: number;
  readonly state: Trial['state'];
  readonly reason: string;
  /** Share of the test set, 0 to 1, at the arm's weights. */
  readonly accuracy: number | undefined;
  /** Validation loss in nats, at the arm's weights. */
  readonly loss: number | undefined;
  /** In plain runs, as the trial measured it. */
  readonly cost: number | undefined;
  /** The rate that it ended with. */
  readonly rate: number | undefined;
  readonly seconds: number;
  readonly backend: string;
}

export interface Finished {
  readonly arm: Pick<Arm, 'id' | 'table' | 'title' | 'readout'>;
  readonly study: string;
  /** In plain runs. */
  readonly predictedCost: number;
  readonly trials: readonly Outcome[];
}

/** A study did not come to its end; the message says why. */
export class ArmError extends Error {
  override readonly name = 'ArmError';
}

/**
 * Creates all studies, or finds those of an earlier run, and yields each in turn as it ends.
 * @param seeds of each arm that does not need fewer.
 * @throws ArmError; GlocalError CANCELLED after the signal.
 */
export async function* runArms(
  client: Pick<GlocalClient, 'studies'>,
  arms: readonly Arm[],
  seeds: number,
  signal: AbortSignal,
): AsyncGenerator<Finished> {
  const started: { arm: Arm; study: Study }[] = [];
  for (const arm of arms) started.push({ arm, study: await startOrFind(client, arm, seeds, signal) });
  // An earlier run was asked for more.
  const wanted = new Set(started.map(({ study }) => study.name));
  for await (const other of client.studies.list({ states: ['ACTIVE'] })) {
    if (!wanted.has(other.name)) await other.cancel();
  }
  for (const { arm, study } of started) {
    const { trials } = await study.result({ signal });
    const failed = trials.find((trial) => !isOutcome(trial));
    if (failed !== undefined) throw new ArmError(`${arm.id}: ${failed.stateReason}`);
    const { id, table, title, readout } = arm;
    const outcomes = trials.map((trial) => outcome(arm, trial));
    for (const trial of outcomes) console.error(`${id}  ${line(trial)}`);
    yield {
      arm: { id, table, title, readout },
      study: study.name,
      predictedCost: study.predictedCost,
      trials: outcomes,
    };
  }
}

/** The same settings are the same request, whose study is found again; one that failed or was cancelled is made anew. */
async function startOrFind(
  { studies }: Pick<GlocalClient, 'studies'>,
  arm: Arm,
  seeds: number,
  signal: AbortSignal,
): Promise<Study> {
  const { spec, id } = arm;
  const seedsOfArm = Array.from({ length: Math.min(seeds, arm.seeds ?? seeds) }, (_, seed) => seed);
  const training = { ...spec.training, seeds: seedsOfArm };
  const whole = { ...spec, displayName: id, training } as StudySpec<ParameterMap>;
  const digest = createHash('sha256').update(JSON.stringify(whole)).digest('hex');
  for (let attempt = 1; ; attempt++) {
    const requestId = attempt === 1 ? digest : `${digest}-${attempt}`;
    const study = await studies.create(whole, { requestId, signal });
    if (!study.ended || (await Array.fromAsync(study.trials({ signal }))).every(isOutcome)) return study;
  }
}

/** Whether a trial that has ended says something of its settings. That it diverged does. */
const isOutcome = ({ state }: Trial): boolean => state === 'SUCCEEDED' || state === 'INFEASIBLE';

function outcome({ readout, peak }: Arm, trial: Trial): Outcome {
  const [test, validation] =
    readout === 'last' ? [trial.test, trial.validation] : [trial.averagedTest, trial.averagedValidation];
  const { startTime, endTime } = trial;
  return {
    start: peak ?? rateOf(trial.choices),
    seed: trial.seed,
    state: trial.state,
    reason: trial.stateReason,
    accuracy: test?.accuracy,
    loss: validation?.loss,
    cost: trial.cost,
    rate: rateOf(trial.values),
    seconds: ((endTime?.getTime() ?? 0) - (startTime?.getTime() ?? 0)) / 1_000,
    backend: trial.backend,
  };
}

const rateOf = ({ lr }: Readonly<Record<string, unknown>>): number | undefined =>
  typeof lr === 'number' ? lr : undefined;

function line({ start, seed, accuracy, cost, rate, seconds, reason }: Outcome): string {
  const figures = `accuracy ${accuracy?.toFixed(4) ?? '–'}   cost ${cost?.toFixed(2) ?? '–'}   ends at ${rate?.toPrecision(3)}`;
  return `from ${start?.toPrecision(3)}, seed ${seed}   ${figures}   ${seconds.toFixed(0)} s   ${reason}`;
}
