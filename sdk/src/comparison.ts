/** Studies side by side: what each found best, what it cost, and how far they are apart. */

import { type ComparisonTable, tableOf } from './comparison-table.ts';
import type { Estimator, EvaluationPoint, StudyState } from './enums.ts';
import { errorBetween, type Lead, leadAmong } from './lead.ts';
import type { CallOptions } from './options.ts';
import { collect } from './pages.ts';
import { type Readout, readout } from './readout.ts';
import { bestTrial, noVerdicts, type VerdictCounts } from './result.ts';
import type { Study } from './study.ts';
import type { Trial } from './trial.ts';

/** What studies are compared by. Losses in nats, accuracies from 0 to 1, `cost` in plain runs. */
export type FigureName = 'validationLoss' | 'validationAccuracy' | 'testLoss' | 'testAccuracy' | 'cost';

/** A figure over the seeds at a study's best point. */
export interface Figure {
  readonly mean: number;
  /** Sample standard deviation; undefined with one seed. */
  readonly deviation: number | undefined;
  /** How many seeds. */
  readonly count: number;
  /** The mean less that of the first study; undefined of the first, and where the figures cannot be compared. */
  readonly difference: number | undefined;
  /** Standard error of the difference; undefined unless both have several seeds. */
  readonly differenceError: number | undefined;
}

/** A study of a comparison. */
export interface ComparedStudy {
  readonly name: string;
  readonly displayName: string;
  readonly state: StudyState;
  readonly estimator: Estimator;
  /** At which weights its figures are read. */
  readonly evaluation: EvaluationPoint;
  /** How many it has. */
  readonly trials: number;
  /** How many of them have SUCCEEDED. */
  readonly succeeded: number;
  /** The SUCCEEDED trial with the lowest validation loss: its point, its last values, its figures. */
  readonly best: Trial | undefined;
  /** Over the SUCCEEDED trials that differ from the best by their seed alone. */
  readonly figures: Readonly<Partial<Record<FigureName, Figure>>>;
  /** Of the windows of all trials. */
  readonly verdicts: VerdictCounts;
}

/** Something in which studies differ that makes their figures ones of different things. */
export interface Obstacle {
  /** Path in the specification, or `datasetSha256`. */
  readonly field: string;
  /** What each study has there, in their order. */
  readonly values: readonly unknown[];
}

/** What `study.compare()` found: plain data, and a table as text. */
export class Comparison {
  /** The study that was asked first, then the others. */
  readonly studies: readonly ComparedStudy[];
  /** Why the figures cannot be compared; empty when they can. */
  readonly obstacles: readonly Obstacle[];
  /**
   * Undefined where the figures cannot be compared, fewer than two studies have a validation loss, or the two lowest are the same or
   * differ by no more than the standard error of their difference.
   */
  readonly lead: Lead | undefined;

  /** @internal */
  constructor(table: ComparisonTable) {
    this.studies = table.studies;
    this.obstacles = table.obstacles;
    this.lead = table.lead;
  }

  /** A column for each study, then which is better or why that cannot be said. */
  toString(): string {
    return tableOf(this);
  }
}

/** @param studies the first is what the others are compared with */
export async function compareStudies(
  studies: readonly Study[],
  options: CallOptions | undefined,
): Promise<Comparison> {
  const read = await Promise.all(studies.map((study) => readStudy(study, options)));
  const obstacles = obstaclesBetween(studies, read);
  const [first] = read;
  const compared = read.map(({ seeds, ...study }) => ({
    ...study,
    figures: figuresOf(seeds, obstacles.length > 0 || first?.name === study.name ? undefined : first?.seeds),
  }));
  const lead = obstacles.length > 0 ? undefined : leadAmong(compared);
  return new Comparison({ studies: compared, obstacles, lead });
}

interface ReadStudy extends Omit<ComparedStudy, 'figures'> {
  /** Of the trials at the best point. */
  readonly seeds: readonly FiguresOfTrial[];
}

async function readStudy(study: Study, options: CallOptions | undefined): Promise<ReadStudy> {
  await study.refresh(options);
  const { name, displayName, state, method } = study;
  const trials = await collect(study.trials(options));
  const { estimator, evaluation } = method;
  const best = bestTrial(trials, evaluation);
  const isAtBest = ({ state, choices }: Trial): boolean =>
    state === 'SUCCEEDED' && JSON.stringify(choices) === JSON.stringify(best?.choices);
  const verdicts = noVerdicts();
  if (estimator === 'glocal') {
    for (const trial of trials) {
      const counts = await study.verdicts({ trial: trial.name, ...options });
      for (const verdict of Object.keys(verdicts) as (keyof VerdictCounts)[])
        verdicts[verdict] += counts[verdict];
    }
  }
  return {
    ...{ name, displayName, state, estimator, evaluation, best, verdicts },
    trials: trials.length,
    succeeded: trials.filter(({ state }) => state === 'SUCCEEDED').length,
    seeds: trials.filter(isAtBest).map((trial) => ({ ...readout(trial, evaluation), cost: trial.cost })),
  };
}

/** Where these differ, a loss is one of something else, or of a longer training. */
function obstaclesBetween(studies: readonly Study[], read: readonly ReadStudy[]): Obstacle[] {
  const rows: Record<string, readonly unknown[]> = {
    mode: studies.map(({ mode }) => (mode === 'external' ? 'external' : 'managed')),
    'problem.dataset': studies.map(({ problem }) => problem.dataset),
    'problem.module': studies.map(({ problem }) => problem.module),
    'problem.options': studies.map(({ problem }) => problem.options),
    'problem.imbalanceFactor': studies.map(({ problem }) => problem.imbalanceFactor),
    'problem.labelNoise': studies.map(({ problem }) => problem.labelNoise),
    'problem.validationExamples': studies.map(({ problem }) => problem.validationExamples),
    'training.steps': studies.map(({ training }) => training.steps),
  };
  const found = Object.entries(rows).map(([field, values]) => ({ field, values }));
  // Of a trial that has not begun it is not known yet.
  const digests = read.map(({ best }) => best?.datasetSha256);
  if (digests.every((digest) => digest)) found.push({ field: 'datasetSha256', values: digests });
  return found.filter(({ values }) => new Set(values.map((value) => JSON.stringify(value))).size > 1);
}

type FiguresOfTrial = Readout & Pick<Trial, 'cost'>;

const READERS: Readonly<Record<FigureName, (figures: FiguresOfTrial) => number | undefined>> = {
  validationLoss: ({ validation }) => validation?.loss,
  validationAccuracy: ({ validation }) => validation?.accuracy,
  testLoss: ({ test }) => test?.loss,
  testAccuracy: ({ test }) => test?.accuracy,
  cost: ({ cost }) => cost,
};

/** @param others of the study to compare with; undefined for none */
function figuresOf(
  seeds: readonly FiguresOfTrial[],
  others: readonly FiguresOfTrial[] | undefined,
): ComparedStudy['figures'] {
  const figures: Partial<Record<FigureName, Figure>> = {};
  for (const name of Object.keys(READERS) as FigureName[]) {
    const own = spreadOf(seeds, READERS[name]);
    if (own === undefined) continue;
    const other = others && spreadOf(others, READERS[name]);
    figures[name] = {
      ...own,
      difference: other && own.mean - other.mean,
      differenceError: other && errorBetween(own, other),
    };
  }
  return figures;
}

type Spread = Pick<Figure, 'mean' | 'deviation' | 'count'>;

/** Undefined where no trial has the figure. */
function spreadOf(
  trials: readonly FiguresOfTrial[],
  read: (figures: FiguresOfTrial) => number | undefined,
): Spread | undefined {
  const values = trials.flatMap((trial) => read(trial) ?? []);
  const count = values.length;
  if (count === 0) return undefined;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: count > 1 ? Math.sqrt(squares / (count - 1)) : undefined, count };
}
