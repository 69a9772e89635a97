/** The fields of a problem that may differ between the trials of a study. */

import type { Choice, Problem } from '@glocal/proto/glocal/v1/study';

type Value = NonNullable<Choice['value']>;

export interface ProblemField {
  /** What a choice of it is. */
  readonly takes: Value['$case'];
  /** Of a number: its least value, and whether it is a whole one. */
  readonly range?: { readonly least: number; readonly whole: boolean };
  /** Undefined where the problem does not set it. */
  get(problem: Problem): Value['value'] | undefined;
  /** The problem with another value, or with none. */
  set(problem: Problem, value: Value['value'] | undefined): Problem;
}

const name = (key: 'dataset' | 'model' | 'optimizer'): ProblemField => ({
  takes: 'category',
  get: (problem) => problem[key] || undefined,
  set: (problem, value = '') => ({ ...problem, [key]: String(value) }),
});

const number = (
  key: 'batchSize' | 'validationExamples' | 'imbalanceFactor',
  whole: boolean,
): ProblemField => ({
  takes: 'number',
  range: { least: 1, whole },
  get: (problem) => problem[key] || undefined,
  set: (problem, value = 0) => ({ ...problem, [key]: Number(value) }),
});

const NO_AUGMENTATION = { cropPadding: 0, horizontalFlip: false };

/** By the name that a parameter of the space has. */
export const PROBLEM_FIELDS: Readonly<Record<string, ProblemField>> = {
  dataset: name('dataset'),
  model: name('model'),
  optimizer: name('optimizer'),
  batch_size: number('batchSize', true),
  validation_examples: number('validationExamples', true),
  imbalance_factor: number('imbalanceFactor', false),
  label_noise: {
    takes: 'number',
    range: { least: 0, whole: false },
    get: ({ labelNoise }) => labelNoise || undefined,
    set: (problem, value = 0) => ({ ...problem, labelNoise: Number(value) }),
  },
  standardize: {
    takes: 'flag',
    get: ({ standardize }) => standardize,
    set: (problem, value) => ({ ...problem, standardize: value === undefined ? value : Boolean(value) }),
  },
  'augmentation.crop_padding': {
    takes: 'number',
    range: { least: 0, whole: true },
    get: ({ augmentation }) => augmentation?.cropPadding || undefined,
    set: ({ augmentation = NO_AUGMENTATION, ...problem }, value = 0) => ({
      ...problem,
      augmentation: { ...augmentation, cropPadding: Number(value) },
    }),
  },
  'augmentation.horizontal_flip': {
    takes: 'flag',
    get: ({ augmentation }) => augmentation?.horizontalFlip || undefined,
    set: ({ augmentation = NO_AUGMENTATION, ...problem }, value = false) => ({
      ...problem,
      augmentation: { ...augmentation, horizontalFlip: Boolean(value) },
    }),
  },
};

/** The field that a parameter of this name chooses; undefined for a hyperparameter. */
export const problemField = (parameter: string): ProblemField | undefined =>
  Object.hasOwn(PROBLEM_FIELDS, parameter) ? PROBLEM_FIELDS[parameter] : undefined;

/** The problem with those fields set that the choices are about. */
export const withChoices = (problem: Problem, choices: readonly Choice[]): Problem =>
  choices.reduce(
    (chosen, { name, value }) => problemField(name)?.set(chosen, value?.value) ?? chosen,
    problem,
  );
