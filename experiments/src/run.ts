/** Runs the arms of an experiment; what has been run with the same settings is taken as it is. */

import { createHash } from 'node:crypto';
import type { GlocalClient, ParameterMap, StudySpec, Trial } from '@glocal/sdk';
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

/** Creates all studies, or finds those of an earlier run, and yields each in turn as it ends. */
export async function* runArms(
  client: GlocalClient,
  arms: readonly Arm[],
  seeds: number,
  signal: AbortSignal,
): AsyncGenerator<Finished> {
  const studies = [];
  for (const arm of arms) {
    const { spec } = arm;
    const whole = {
      ...spec,
      displayName: arm.id.slice(0, 200),
      training: {
        ...spec.training,
        seeds: Array.from({ length: Math.min(seeds, arm.seeds ?? seeds) }, (_, seed) => seed),
      },
    } as StudySpec<ParameterMap>;
    studies.push({ arm, study: await client.studies.create(whole, { requestId: digest(whole), signal }) });
  }
  // An earlier run was asked for more.
  const wanted = new Set(studies.map(({ study }) => study.name));
  for await (const other of client.studies.list({ states: ['ACTIVE'] })) {
    if (!wanted.has(other.name)) await other.cancel();
  }
  for (const { arm, study } of studies) {
    const { trials } = await study.result({ signal });
    const { id, table, title, readout } = arm;
    const finished: Finished = {
      arm: { id, table, title, readout },
      study: study.name,
      predictedCost: study.predictedCost,
      trials: trials.map((trial) => outcome(arm, trial)),
    };
    for (const { start, seed, accuracy, cost, reason, rate, seconds } of finished.trials) {
      const figures = `accuracy ${accuracy?.toFixed(4) ?? '–'}  cost ${cost?.toFixed(2) ?? '–'}  rate ${rate?.toPrecision(3)}`;
      console.error(
        `${id}  from ${start?.toPrecision(3)} seed ${seed}  ${figures}  ${seconds.toFixed(0)} s  ${reason}`,
      );
    }
    yield finished;
  }
}

/** The same settings are the same request, whose study is found again. */
const digest = (spec: object): string => createHash('sha256').update(JSON.stringify(spec)).digest('hex');

const rateOf = ({ lr }: Readonly<Record<string, unknown>>): number | undefined =>
  typeof lr === 'number' ? lr : undefined;

function outcome({ readout, peak }: Arm, trial: Trial): Outcome {
  const [test, validation] =
    readout === 'last' ? [trial.test, trial.validation] : [trial.averagedTest, trial.averagedValidation];
  const { startTime, endTime } = trial;
  return {
    ...{
      start: peak ?? rateOf(trial.choices),
      seed: trial.seed,
      state: trial.state,
      reason: trial.stateReason,
      cost: trial.cost,
    },
    accuracy: test?.accuracy,
    loss: validation?.loss,
    rate: rateOf(trial.values),
    seconds: ((endTime?.getTime() ?? 0) - (startTime?.getTime() ?? 0)) / 1_000,
    backend: trial.backend,
  };
}
