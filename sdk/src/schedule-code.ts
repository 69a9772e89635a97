/** A schedule as code of a framework: which settings of an optimizer it has there, and with which values. */

import { type FieldViolation, GlocalError } from './error.ts';
import {
  kerasCode,
  optaxCode,
  pytorchCode,
  type Setting,
  type Settings,
  tfjsCode,
} from './schedule-modules.ts';
import { changesOf, groupOf, nameOf, type ScheduleRows } from './schedule-rows.ts';

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
  /** Whether its optimizers can have a value for each layer. */
  readonly hasLayers: boolean;
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
    hasLayers: false,
  },
  tfjs: { settings: { lr: 'learningRate', momentum: 'momentum' }, write: tfjsCode, hasLayers: false },
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
    hasLayers: true,
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
    hasLayers: true,
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
  const target = TARGETS[framework];
  const columns = schedule.columns.filter((column) => parameters?.includes(nameOf(column)) ?? true);
  const missing = parameters?.filter((name) => !columns.some((column) => nameOf(column) === name)) ?? [];
  const violations: FieldViolation[] = missing.map((name) => ({
    field: 'parameters',
    description: `the schedule has no ${name}`,
  }));
  const settings = new Map<string, Setting>();
  for (const name of new Set(columns.map(nameOf))) {
    const own = columns.filter((column) => nameOf(column) === name);
    const setting = settingOf(name, target.settings);
    const why = whyNot(own, setting, framework);
    if (setting === undefined || why !== undefined) violations.push({ field: name, description: why ?? '' });
    else settings.set(setting, changesIn(schedule, own));
  }
  if (violations.length > 0) throw refusal(violations);
  return target.write(settings);
}

/** Of one hyperparameter, for each layer where it has several columns. */
function changesIn(schedule: ScheduleRows, columns: readonly string[]): Setting {
  const changes = columns.map(
    (column) => [groupOf(column), changesOf(schedule, schedule.columns.indexOf(column))] as const,
  );
  const [[group, first] = [undefined, []]] = changes;
  return group === undefined ? first : new Map(changes.map(([layer = '', of]) => [layer, of]));
}

/** Undefined where there is none. Clients that train themselves may write names as Python does. */
function settingOf(hyperparameter: string, settings: Target['settings']): string | undefined {
  const name = hyperparameter.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  return Object.hasOwn(settings, name) ? settings[name] : undefined;
}

/** What keeps a hyperparameter with these columns from being a setting. */
function whyNot(
  columns: readonly string[],
  setting: string | undefined,
  framework: Framework,
): string | undefined {
  const { settings, hasLayers } = TARGETS[framework];
  const hint = '; `parameters` says which hyperparameters the code is about';
  if (setting === undefined) {
    return `is no setting that code for ${framework} knows (${Object.keys(settings).join(', ')})${hint}`;
  }
  const isVector = columns.some((column) => groupOf(column) !== undefined);
  return isVector && !hasLayers
    ? `is a vector, and an optimizer of ${framework} has one value for all layers; pytorch and optax have one for each${hint}`
    : undefined;
}

const refusal = (violations: readonly FieldViolation[]): GlocalError =>
  GlocalError.invalid('NOT_ENCODABLE', violations);
