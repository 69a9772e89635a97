/** A trial as other pages know runs: parameters that do not change, and figures over inner steps. */

import { type Study, type StudySpec, specToJson, type Trial } from '@glocal/sdk';
import { isVector, meanOf, spanOf } from '../words.ts';

/** A figure at an inner step. */
export interface Point {
  /** Inner steps done. */
  readonly step: number;
  readonly value: number;
  /** When it was known, in milliseconds since 1970, as far as that can be told. */
  readonly time: number;
}

/** What is exported of a trial. */
export interface Run {
  /** Its study's display name, or that study's id, and its position where there are several. */
  readonly name: string;
  /** `studies/{study}/trials/{trial}` */
  readonly trial: string;
  readonly state: Trial['state'];
  /** What the specification says, leaf by leaf, with the trial's seed and choices. */
  readonly parameters: Readonly<Record<string, string>>;
  /** By name, in the order of the steps: `validation/loss`, `hyperparameter/lr`, … */
  readonly figures: ReadonlyMap<string, readonly Point[]>;
  readonly startTime: number;
  readonly endTime: number | undefined;
}

/** The trials of a study, one after the other. */
export async function* runsOf(study: Study): AsyncGenerator<Run, void, undefined> {
  const trials: Trial[] = [];
  for await (const trial of study.trials()) trials.push(trial);
  const called = study.displayName || study.name.slice('studies/'.length);
  const parameters = Object.fromEntries(leaves(specToJson(study as StudySpec)));
  for (const [position, trial] of trials.entries()) {
    const choices = Object.entries(trial.choices).map(([name, value]) => [`choice.${name}`, String(value)]);
    const startTime = (trial.startTime ?? study.createTime).getTime();
    yield {
      name: trials.length > 1 ? `${called}, trial ${position}` : called,
      trial: trial.name,
      state: trial.state,
      parameters: { ...parameters, ...Object.fromEntries(choices), seed: String(trial.seed) },
      figures: await figuresOf(study, trial, startTime),
      startTime,
      endTime: trial.endTime?.getTime(),
    };
  }
}

async function figuresOf(study: Study, trial: Trial, startTime: number): Promise<Map<string, Point[]>> {
  const figures = new Map<string, Point[]>();
  // An outer step says how long it took, not when it ended.
  let time = startTime;
  for await (const step of study.outerSteps({ trial: trial.name })) {
    const { training, hypergradients, dmd, other, decision, checkpoint } = step.timing;
    time += training + hypergradients + dmd + other + decision + checkpoint;
    const at = step.step;
    const add = (name: string, value: number | undefined): void => {
      if (value === undefined) return;
      const points = figures.get(name) ?? [];
      points.push({ step: at, value, time: Math.round(time) });
      figures.set(name, points);
    };
    add('train/loss', step.trainLoss);
    add('validation/loss', step.validation.loss);
    add('validation/accuracy', step.validation.accuracy);
    add('validation/averaged_loss', step.averagedValidation.loss);
    add('validation/averaged_accuracy', step.averagedValidation.accuracy);
    for (const [name, value] of Object.entries(step.values))
      for (const [key, number] of numbersOf(name, value)) add(key, number);
    add('dmd/spectral_radius', step.report?.spectrum.spectralRadius);
    add('dmd/trusted_share', shareOf(step.report?.componentTrusted));
    add('outer/rate', step.update?.rate);
  }
  const last = trial.stepsDone;
  const after = (name: string, value: number | undefined): void => {
    if (value !== undefined)
      figures.set(name, [{ step: last, value, time: trial.endTime?.getTime() ?? Math.round(time) }]);
  };
  after('test/loss', trial.test?.loss);
  after('test/accuracy', trial.test?.accuracy);
  after('test/averaged_accuracy', trial.averagedTest?.accuracy);
  after('cost/plain_runs', trial.cost);
  return figures;
}

/** A number as it is; of a vector its mean and what it spans, which is what pages of others have room for. */
function numbersOf(name: string, value: unknown): [string, number][] {
  if (typeof value === 'number') return [[`hyperparameter/${name}`, value]];
  if (!isVector(value)) return [];
  const { smallest, largest } = spanOf(value);
  return [
    [`hyperparameter/${name}/mean`, meanOf(value)],
    [`hyperparameter/${name}/min`, smallest],
    [`hyperparameter/${name}/max`, largest],
  ];
}

const shareOf = (trusted: readonly boolean[] | undefined): number | undefined =>
  trusted === undefined || trusted.length === 0
    ? undefined
    : trusted.filter((is) => is).length / trusted.length;

/** Leaves of plain data with the keys that lead there. */
function leaves(data: unknown, path = ''): [string, string][] {
  if (Array.isArray(data)) return [[path, data.join(' ')]];
  if (typeof data !== 'object' || data === null) return [[path, String(data)]];
  return Object.entries(data).flatMap(([key, value]) => leaves(value, path === '' ? key : `${path}.${key}`));
}
