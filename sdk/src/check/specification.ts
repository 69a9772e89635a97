/** What a study's specification may contain: the wire's types, not what makes sense, which the server knows. */

import * as dmd from '@glocal/proto/glocal/v1/dmd';
import * as proto from '@glocal/proto/glocal/v1/study';
import { choices } from '../enums.ts';
import { sdkName } from '../problem-names.ts';
import type { StudySnapshot } from '../snapshot.ts';
import type {
  BoolParameter,
  CategoricalParameter,
  CooldownSchedule,
  CosineSchedule,
  DiscreteParameter,
  FixedParameter,
  FloatParameter,
  IntParameter,
  NetworkParameter,
  Parameter,
  PointsSchedule,
  ReplaySchedule,
  ScheduleKnot,
} from '../space.ts';
import type {
  Augmentation,
  DmdOptions,
  ExternalStudySpec,
  Method,
  OuterOptimizer,
  Problem,
  Sampling,
  StudySpec,
  Training,
} from '../spec.ts';
import {
  entries,
  finite,
  flag,
  INT32_MAX,
  int32,
  isObject,
  list,
  notZero,
  object,
  oneOf,
  optional,
  type Rule,
  record,
  rule,
  text,
  uint32,
  whole,
} from './rule.ts';

const kind: Rule = () => {};

const initials = list(finite);
const initial = rule(Number.isFinite, 'a finite number, or an array of them');
/** An array with nothing in it would be sent as 0. */
const notEmpty: Rule = (value, field, violations) => {
  if (Array.isArray(value) && value.length === 0) violations.push({ field, description: 'has no value' });
};
/** One value, or several. */
const init: Rule = (value, field, violations) => {
  notEmpty(value, field, violations);
  (Array.isArray(value) ? initials : initial)(value, field, violations);
};
const bounds = { kind, min: finite, max: finite, init, scale: optional(oneOf(choices(proto.Scale))) };
/** The contract's words for what the SDK calls otherwise. */
const SYNONYMS = { initial: 'init', initials: 'init' } as const;

const FLOAT = object<FloatParameter>(bounds, [], SYNONYMS);
const GROUPED = object<Record<keyof FloatParameter | 'per', unknown>>(
  { ...bounds, per: oneOf(['layer', 'class']) },
  [],
  { ...SYNONYMS, grouping: 'per' },
);
const SIZED = object<Record<keyof FloatParameter | 'size', unknown>>(
  { ...bounds, size: whole(1, INT32_MAX) },
  [],
  SYNONYMS,
);
const vector: Rule = (value, field, violations) =>
  (isObject(value) && value.size !== undefined ? SIZED : GROUPED)(value, field, violations);

/** What values of a vector are for. */
const per = optional(oneOf(['layer', 'class']));

/** One value, or those of a vector. */
const fixed = object<FixedParameter>(
  {
    kind,
    value: init,
    per,
  },
  [],
  { values: 'value', grouping: 'per' },
);

/** Points say beside them what their values are for. */
const through = object<{ kind: unknown } & PointsSchedule>(
  { kind, points: list(object<ScheduleKnot>({ step: int32, value: init }, [], { values: 'value' })), per },
  [],
  { grouping: 'per' },
);

const SHAPES: Readonly<Record<string, Rule>> = {
  cosine: object<CosineSchedule>({ peak: finite, final: optional(finite), warmupSteps: optional(int32) }),
  // 0 of a cooldown would be its default.
  cooldown: object<CooldownSchedule>({
    value: finite,
    cooldownSteps: optional(notZero(int32)),
    warmupSteps: optional(int32),
  }),
  replay: object<ReplaySchedule>({ trial: text, parameter: optional(text) }),
};

/** One of the schedules, under its name. */
const scheduled: Rule = (value, field, violations) => {
  const given = isObject(value) ? value : {};
  const keys = Object.keys(given).filter((key) => key !== 'kind' && given[key] !== undefined);
  const hasShape = keys.some((key) => Object.hasOwn(SHAPES, key));
  if (keys.includes('points') && !hasShape) return through(value, field, violations);
  const [schedule = '', ...others] = keys;
  const rule = others.length === 0 && hasShape ? SHAPES[schedule] : undefined;
  if (rule !== undefined) return rule(given[schedule], `${field}.${schedule}`, violations);
  const known = ['points', ...Object.keys(SHAPES)];
  const several = keys.filter((key) => known.includes(key));
  const has = several.length > 1 ? `has several schedules, ${several.join(' and ')}` : 'has no schedule';
  const description = `${has}; give one of ${known.join(', ')}`;
  violations.push({ field, description });
};

const categoricalKeys = object<CategoricalParameter>({ kind, values: list(text), children: () => {} });
/** Children are named by the value that they exist with, as the server names them. */
const categorical: Rule = (value, field, violations) => {
  categoricalKeys(value, field, violations);
  const children = isObject(value) ? value.children : undefined;
  if (children !== undefined) record(parameters)(children, field, violations);
};

const PARAMETERS: ReadonlyMap<unknown, Rule> = new Map<Parameter['kind'], Rule>([
  ['float', FLOAT],
  ['vector', vector],
  [
    'network',
    object<NetworkParameter>({ kind, hiddenUnits: optional(notZero(int32)), detached: optional(flag) }),
  ],
  ['fixed', fixed],
  ['scheduled', scheduled],
  ['int', object<IntParameter>({ kind, min: int32, max: int32, step: optional(notZero(int32)) })],
  ['bool', object<BoolParameter>({ kind })],
  ['categorical', categorical],
  ['discrete', object<DiscreteParameter>({ kind, values: list(finite) })],
]);
const kindOf = oneOf([...PARAMETERS.keys()] as string[]);
const MAKES_TRIALS: ReadonlySet<unknown> = new Set(['int', 'bool', 'categorical', 'discrete']);

const parameter =
  (name: string): Rule =>
  (value, field, violations) => {
    const rule = isObject(value) ? PARAMETERS.get(value.kind) : undefined;
    if (rule === undefined) {
      if (isObject(value) && typeof value.kind === 'string')
        return kindOf(value.kind, `${field}.kind`, violations);
      // A number that is none is one that was meant to be fixed.
      if (typeof value === 'number' && !Number.isFinite(value)) return finite(value, field, violations);
      const kinds = [...PARAMETERS.keys()].join(', ');
      violations.push({ field, description: `is not a hyperparameter; the kinds are ${kinds}` });
      return;
    }
    if (isObject(value) && MAKES_TRIALS.has(value.kind) && sdkName(name) !== name) {
      violations.push({ field, description: `is called ${sdkName(name)} here` });
    }
    rule(value, field, violations);
  };

const parameters: Rule = (value, field, violations) => entries(parameter)(value, field, violations);

/** A search space. Its parameters are named without `parameters` in between, as the server names them. */
export const space: Rule = (value, field, violations) => {
  if (isObject(value) && isObject(value.parameters) && Object.keys(value).length === 1) {
    return parameters(value.parameters, field, violations);
  }
  // In a file it is an object whatever is in it.
  const how = isObject(value) ? 'make it with space({ … })' : 'it has hyperparameters by name';
  const description = `is not a search space; ${how}`;
  violations.push({ field, description });
};

/** Of a module's options; the module knows. */
const anything: Rule = () => {};

/** @param unset what of it is said elsewhere, or not at all, and then comes back as "not set" */
const problem = (unset: (field: string) => boolean) => {
  const id = (field: string): Rule => (unset(field) ? optional(text) : text);
  const count = (field: string, number: Rule): Rule => optional(unset(field) ? number : notZero(number));
  return object<Problem>({
    dataset: id('dataset'),
    model: id('model'),
    optimizer: id('optimizer'),
    batchSize: count('batchSize', int32),
    validationExamples: count('validationExamples', int32),
    standardize: optional(flag),
    imbalanceFactor: count('imbalanceFactor', finite),
    labelNoise: optional(finite),
    augmentation: optional(
      object<Augmentation>({ cropPadding: optional(int32), horizontalFlip: optional(flag) }),
    ),
    module: optional(text),
    options: optional(record(anything)),
  });
};

const training = object<Training>({ steps: int32, seeds: optional(list(uint32)) });

export const dmdOptions = object<DmdOptions>({
  variant: optional(oneOf(choices(dmd.Variant))),
  delays: optional(uint32),
  svdRank: optional(finite),
  tolerance: optional(finite),
  clip: optional(finite),
  ridge: optional(finite),
  lastShare: optional(finite),
  scaling: optional(oneOf(choices(dmd.Scaling))),
  selection: optional(oneOf(choices(dmd.Selection))),
  anchor: optional(oneOf(choices(dmd.Anchor))),
  includeContributions: optional(flag),
});

const outer = object<OuterOptimizer>(
  {
    rate: optional(finite),
    beta1: optional(finite),
    beta2: optional(finite),
    epsilon: optional(finite),
    schedule: optional(oneOf(choices(proto.OuterSchedule))),
    maxLossRise: optional(finite),
    normalize: optional(flag),
  },
  [],
  { lr: 'rate', learningRate: 'rate' },
);

const overhead = rule((value) => value === 'exact' || Number.isFinite(value), "a finite number, or 'exact'");

const method = object<Method>({
  estimator: oneOf(choices(proto.Estimator)),
  window: optional(notZero(int32)),
  sigma: optional(notZero(int32)),
  stride: optional(notZero(int32)),
  evaluation: optional(oneOf(choices(proto.EvaluationPoint))),
  averaging: optional(finite),
  sensitivityDiscount: optional(finite),
  differentiation: optional(oneOf(choices(proto.Differentiation))),
  reverseSteps: optional(notZero(int32)),
  validationSample: optional(int32),
  validationSeed: optional(uint32),
  tangentExamples: optional(int32),
  // 0 in the complete specification of a study that is not `global`.
  trainings: optional(int32),
  overhead: optional(overhead),
  dmdAbsence: optional(oneOf(choices(proto.DmdAbsence))),
  interval: optional(notZero(int32)),
  warmupWindows: optional(notZero(int32)),
  warmupWindowSteps: optional(notZero(int32)),
  dmd: optional(dmdOptions),
  outer: optional(outer),
});

/** What the server sets. It is ignored, so that a study can be given again as it came. */
const SET_BY_SERVER: readonly Exclude<keyof StudySnapshot, keyof StudySpec>[] = [
  'name',
  'state',
  'stateReason',
  'predictedCost',
  'owner',
  'createTime',
  'updateTime',
];

const samplingWith = (points: Rule) =>
  object<Sampling>({
    method: optional(oneOf(choices(proto.SamplingMethod))),
    points: optional(points),
    seed: optional(uint32),
    maxRunningTrials: optional(int32),
  });
const drawn = samplingWith(notZero(int32));
const grid = samplingWith(int32);
/** 0 points are in the complete specification of a study whose points are a grid. */
const sampling: Rule = (value, field, violations) => {
  const { method = 'grid' } = isObject(value) ? value : {};
  (method === 'grid' ? grid : drawn)(value, field, violations);
};

const specificationWith = (problem: Rule, decisionTimeout: Rule) =>
  object<StudySpec | ExternalStudySpec>(
    {
      displayName: optional(text),
      labels: optional(record(text)),
      priority: optional(int32),
      space,
      problem,
      training,
      method,
      sampling: optional(sampling),
      mode: optional(oneOf(choices(proto.RunMode))),
      decisionTimeout: optional(decisionTimeout),
    },
    SET_BY_SERVER,
  );

/** A study's specification. What trials choose need not be in the problem, nor data set and model with a module; an external study has none. */
export const specification: Rule = (value, field, violations) => {
  const { mode, space, problem: given } = isObject(value) ? value : {};
  const hasModule = isObject(given) && typeof given.module === 'string' && given.module !== '';
  const parameters = isObject(space) && isObject(space.parameters) ? space.parameters : {};
  const isExternal = mode === 'external';
  const rules = problem(
    (name) =>
      isExternal || Object.hasOwn(parameters, name) || (hasModule && ['dataset', 'model'].includes(name)),
  );
  const timeout = mode === 'driven' ? notZero(finite) : finite;
  specificationWith(isExternal ? optional(rules) : rules, timeout)(value, field, violations);
};
