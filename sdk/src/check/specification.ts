/** What a study's specification may contain: the wire's types, not what makes sense, which the server knows. */

import * as dmd from '@glocal/proto/glocal/v1/dmd';
import * as proto from '@glocal/proto/glocal/v1/study';
import { choices } from '../enums.ts';
import type { StudySnapshot } from '../snapshot.ts';
import type {
  FixedParameter,
  FloatParameter,
  NetworkParameter,
  Parameter,
  VectorParameter,
} from '../space.ts';
import type {
  Augmentation,
  DmdOptions,
  Method,
  OuterOptimizer,
  Problem,
  StudySpec,
  Training,
} from '../spec.ts';
import {
  finite,
  flag,
  int32,
  isObject,
  list,
  notZero,
  object,
  oneOf,
  optional,
  type Rule,
  record,
  text,
  uint32,
} from './rule.ts';

const kind: Rule = () => {};

const bounds = {
  kind,
  min: finite,
  max: finite,
  init: finite,
  scale: optional(oneOf(choices(proto.Scale))),
};
/** The contract's words for what the SDK calls otherwise. */
const SYNONYMS = { initial: 'init' } as const;

const PARAMETERS: ReadonlyMap<unknown, Rule> = new Map<Parameter['kind'], Rule>([
  ['float', object<FloatParameter>(bounds, [], SYNONYMS)],
  [
    'vector',
    object<VectorParameter>({ ...bounds, per: oneOf(['layer', 'class']) }, [], {
      ...SYNONYMS,
      grouping: 'per',
    }),
  ],
  [
    'network',
    object<NetworkParameter>({ kind, hiddenUnits: optional(notZero(int32)), detached: optional(flag) }),
  ],
  ['fixed', object<FixedParameter>({ kind, value: finite })],
]);

const parameter: Rule = (value, field, violations) => {
  const rule = isObject(value) ? PARAMETERS.get(value.kind) : undefined;
  if (rule !== undefined) return rule(value, field, violations);
  violations.push({
    field,
    description: 'is not a hyperparameter; make it with float(), vector(), network() or fixed()',
  });
};

const parameters = record(parameter);

/** A search space. Its parameters are named without `parameters` in between, as the server names them. */
export const space: Rule = (value, field, violations) => {
  if (isObject(value) && isObject(value.parameters) && Object.keys(value).length === 1) {
    return parameters(value.parameters, field, violations);
  }
  violations.push({ field, description: 'is not a search space; make it with space({ … })' });
};

const problem = object<Problem>({
  dataset: text,
  model: text,
  optimizer: text,
  batchSize: optional(notZero(int32)),
  validationExamples: optional(notZero(int32)),
  standardize: optional(flag),
  imbalanceFactor: optional(notZero(finite)),
  augmentation: optional(
    object<Augmentation>({ cropPadding: optional(int32), horizontalFlip: optional(flag) }),
  ),
});

const training = object<Training>({ steps: int32, seeds: optional(list(uint32)) });

const dmdOptions = object<DmdOptions>({
  variant: optional(oneOf(choices(dmd.Variant))),
  delays: optional(uint32),
  svdRank: optional(finite),
  tolerance: optional(finite),
  clip: optional(finite),
  ridge: optional(finite),
  scaling: optional(oneOf(choices(dmd.Scaling))),
  selection: optional(oneOf(choices(dmd.Selection))),
  anchor: optional(oneOf(choices(dmd.Anchor))),
  includeContributions: optional(flag),
});

const outer = object<OuterOptimizer>(
  { rate: optional(finite), beta1: optional(finite), beta2: optional(finite), epsilon: optional(finite) },
  [],
  { lr: 'rate', learningRate: 'rate' },
);

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
  // 0 in the complete specification of a study that is not `global`.
  trainings: optional(int32),
  dmd: optional(dmdOptions),
  outer: optional(outer),
});

/** What the server sets. It is ignored, so that a study can be given again as it came. */
const SET_BY_SERVER: readonly Exclude<keyof StudySnapshot, keyof StudySpec>[] = [
  'name',
  'state',
  'stateReason',
  'createTime',
  'updateTime',
];

export const specification = object<StudySpec>(
  { displayName: optional(text), space, problem, training, method },
  SET_BY_SERVER,
);
