/** A schedule as code of a framework: which settings of an optimizer it has there, and with which values. */

import { type FieldViolation, GlocalError } from './error.ts';
import { kerasCode, optaxCode, pytorchCode, type Settings, tfjsCode } from './schedule-modules.ts';
import { type Change, changesOf, isOfVector, type ScheduleRows } from './schedule-rows.ts';

/** What code is written for: Keras 3, tfjs, PyTorch, or optax with JAX. */
export type Framework = 'keras' | 'tfjs' | 'pytorch' | 'optax';

/** Options of `schedule.toCode()`. */
export interface CodeOptions {
  /** Which hyperparameters the code is about. @default all of them */
  readonly parameters?: readonly string[] | undefined;
}

interface Target {
  /** How it calls what Glocal calls so. */
  readonly settings: Readonly<Record<string, string>>;
  readonly write: (settings: Settings) => string;
}

const TARGETS: Readonly<Record<Framework, Target>> = {
  keras: {
    settings: {
      lr: 'learning_rate',
      momentum: 'momentum',
      weightDecay: 'weight_decay',
      beta1: 'beta_1',
      beta2: 'beta_2',
      rho: 'rho',
      epsilon: 'epsilon',
    },
    write: kerasCode,
  },
  tfjs: { settings: { lr: 'learningRate', momentum: 'momentum' }, write: tfjsCode },
  pytorch: {
    settings: {
      lr: 'lr',
      momentum: 'momentum',
      weightDecay: 'weight_decay',
      beta1: 'beta1',
      beta2: 'beta2',
      rho: 'alpha',
      epsilon: 'eps',
    },
    write: pytorchCode,
  },
  optax: {
    settings: {
      lr: 'learning_rate',
      momentum: 'momentum',
      weightDecay: 'weight_decay',
      beta1: 'b1',
      beta2: 'b2',
      rho: 'decay',
      epsilon: 'eps',
    },
    write: optaxCode,
  },
};

/** @throws GlocalError INVALID_ARGUMENT, reason NOT_ENCODABLE, naming the columns that there is no setting for. */
export function scheduleCode(
  schedule: ScheduleRows,
  framework: Framework,
  { parameters }: CodeOptions = {},
): string {
  if (!Object.hasOwn(TARGETS, framework)) {
    throw refusal([{ field: 'framework', description: `is not one of ${Object.keys(TARGETS).join(', ')}` }]);
  }
  const { settings: known, write } = TARGETS[framework];
  const columns = schedule.columns.filter((column) => parameters?.includes(nameOf(column)) ?? true);
  const missing = parameters?.filter((name) => !columns.some((column) => nameOf(column) === name)) ?? [];
  const violations: FieldViolation[] = missing.map((name) => ({
    field: 'parameters',
    description: `the schedule has no ${name}`,
  }));
  const settings = new Map<string, readonly Change[]>();
  for (const column of columns) {
    const setting = settingOf(column, known);
    if (setting === undefined) violations.push({ field: column, description: whyNot(column, framework) });
    else settings.set(setting, changesOf(schedule, schedule.columns.indexOf(column)));
  }
  if (violations.length > 0) throw refusal(violations);
  return write(settings);
}

/** The hyperparameter that a column is of. */
const nameOf = (column: string): string => column.split('/')[0] as string;

/** Undefined where there is none. Clients that train themselves may write names as Python does. */
function settingOf(column: string, settings: Target['settings']): string | undefined {
  const name = column.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  return Object.hasOwn(settings, name) ? settings[name] : undefined;
}

function whyNot(column: string, framework: Framework): string {
  const why = isOfVector(column)
    ? 'is of a vector, and an optimizer has one value'
    : `is no setting that code for ${framework} knows (${Object.keys(TARGETS[framework].settings).join(', ')})`;
  return `${why}; \`parameters\` says which hyperparameters the code is about`;
}

const refusal = (violations: readonly FieldViolation[]): GlocalError =>
  GlocalError.invalid('NOT_ENCODABLE', violations);
