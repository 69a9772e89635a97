/** A study whose client trains (RunMode.EXTERNAL): any parameters, no problem, and of the method what the service does. */

import {
  Estimator,
  Grouping,
  type Method,
  type Parameter,
  type SearchSpace,
  type Study,
} from '@glocal/proto/glocal/v1/study';
import type { Limits } from '@glocal/proto/glocal/v1/study_service';
import { quote } from '../../resource/quote.ts';
import { spaceAt, withCondition } from '../conditions.ts';
import { type Point, textOf } from '../sampling/axes.ts';
import type { Checker } from './checker.ts';
import { type ChoiceDomain, completeChoice, makesTrials } from './choice.ts';
import { METHOD } from './defaults.ts';
import { completeFixed } from './fixed.ts';
import { completeFloat } from './float.ts';
import { listedParameters } from './listed.ts';
import { completeMethod, type MethodWithoutRate } from './method.ts';
import { withOuterRate } from './outer.ts';
import { completeSampling } from './sampling.ts';
import { checkWindow, MAX_COMPONENTS } from './size.ts';
import { checkWholeWindows, completeTraining } from './training.ts';

const FOR_TRAINED = 'is for studies that the service trains; with EXTERNAL leave it out';
const NAME = /^[A-Za-z0-9_.-]{1,63}$/;

/** Estimators that make something of a window that another has trained. */
const ESTIMATORS: ReadonlySet<Estimator> = new Set([
  Estimator.LOCAL,
  Estimator.MEAN,
  Estimator.MEDIAN,
  Estimator.GLOCAL,
]);

/** What only a trainer has a use for, with the values that say nothing: not set, or the default. */
const FOR_TRAINERS: readonly (readonly [key: keyof Method, field: string, silent: readonly unknown[]])[] = [
  ['evaluation', 'evaluation', [0, METHOD.evaluation]],
  ['averaging', 'averaging', [undefined, METHOD.averaging]],
  ['sensitivityDiscount', 'sensitivity_discount', [METHOD.sensitivityDiscount]],
  ['differentiation', 'differentiation', [0, METHOD.differentiation]],
  ['validationSample', 'validation_sample', [0]],
  ['validationSeed', 'validation_seed', [0]],
  ['tangentExamples', 'tangent_examples', [undefined]],
];

/** What the client makes of a choice is its own business. */
const ANYTHING: ChoiceDomain = { field: undefined, infos: [], fault: () => undefined };

/** Its space, training and method. */
export function completeExternal(
  requested: Study,
  limits: Pick<Limits, 'maxSteps' | 'maxTrials' | 'maxWindowRows' | 'maxComponents'>,
  check: Checker,
): Pick<Study, 'space' | 'problem' | 'training' | 'method' | 'sampling' | 'predictedCost'> {
  check.require(requested.problem === undefined, 'problem', FOR_TRAINED);
  const steps = requested.training?.steps ?? 0;
  const method = completeMethod(requested.method, { steps, limits, isRiseTelling: false }, check);
  checkMethod(requested.method, method, check);
  const training = completeTraining(requested.training, method, limits, check);
  checkWholeWindows(training.steps, method, check);
  const space = completeExternalSpace(requested.space, check);
  const source = { space, seeds: training.seeds.length };
  const { sampling, points } = completeSampling(requested.sampling, source, limits, check);
  const components = Math.max(...points.map((point) => countComponents(spaceAt(space, point))));
  check.require(
    components <= MAX_COMPONENTS,
    'space',
    `has ${components} components; a message has room for the values of ${MAX_COMPONENTS}`,
  );
  checkWindow(components, method, limits, check);
  checkMoves(space, points, check);
  const completed = withOuterRate(method, training, false);
  return { space, problem: undefined, training, sampling, method: completed, predictedCost: 0 };
}

function checkMethod(
  requested: Method | undefined,
  { estimator, window }: MethodWithoutRate,
  check: Checker,
): void {
  if (estimator !== Estimator.UNSPECIFIED) {
    check.require(
      ESTIMATORS.has(estimator) || !Object.values(Estimator).includes(estimator),
      'method.estimator',
      'a client that trains can be helped by LOCAL, MEAN, MEDIAN or GLOCAL',
    );
  }
  check.require(requested?.cost === undefined, `method.${requested?.cost?.$case}`, FOR_TRAINED);
  for (const [key, field, silent] of FOR_TRAINERS) {
    const isSilent = requested === undefined || silent.includes(requested[key]);
    check.require(isSilent, `method.${field}`, FOR_TRAINED);
  }
  const { reverseSteps = 0, interval = 0, warmupWindows = 0, warmupWindowSteps = 0 } = requested ?? {};
  check.require(!reverseSteps || reverseSteps === window, 'method.reverse_steps', FOR_TRAINED);
  check.require(interval <= window, 'method.interval', FOR_TRAINED);
  check.require(warmupWindows <= 1, 'method.warmup_windows', FOR_TRAINED);
  const isWindow = !warmupWindowSteps || warmupWindowSteps === window;
  check.require(isWindow, 'method.warmup_window_steps', FOR_TRAINED);
}

const nameFault = (name: string): string | undefined =>
  NAME.test(name)
    ? undefined
    : `has the name ${quote(name)}; one has 1 to 63 ASCII letters, digits, "-", "_" and "."`;

function completeExternalSpace(requested: SearchSpace | undefined, check: Checker): SearchSpace {
  const parameters = Array.from(listedParameters(requested, nameFault, check), ({ parameter, path }) =>
    withCondition(completeParameter(parameter, path, check), parameter),
  );
  return { parameters };
}

/** Checks that hypergradients can move something in every trial. */
function checkMoves(space: SearchSpace, points: readonly Point[], check: Checker): void {
  const isMoved = (choices: Point) =>
    spaceAt(space, choices).parameters.some(({ kind }) => kind?.$case === 'float');
  const still = points.find((choices) => !isMoved(choices));
  const trials = still?.length ? `; in trials with ${still.map(textOf).join(', ')}` : '';
  check.require(
    still === undefined,
    'space',
    `has nothing that hypergradients could move; make at least one parameter a float${trials}`,
  );
}

function completeParameter(parameter: Parameter, path: string, check: Checker): Parameter {
  const { name, kind } = parameter;
  if (kind !== undefined && makesTrials(kind)) {
    return { name, kind: completeChoice(kind, path, ANYTHING, check) };
  }
  switch (kind?.$case) {
    case 'float': {
      const { grouping, size } = kind.value;
      check.require(
        grouping === Grouping.UNSPECIFIED || grouping === Grouping.NONE,
        `${path}.grouping`,
        'is for studies that the service trains; say how many components there are by size',
      );
      const value = completeFloat({ ...kind.value, grouping: Grouping.NONE, size: 0 }, path, [], check);
      const fits = check.whole(size, [0, MAX_COMPONENTS], `${path}.size`, 'components');
      return { name, kind: { $case: 'float', value: { ...value, size: fits ? size : 0 } } };
    }
    case 'fixed': {
      const { grouping, values } = kind.value;
      const isOne = grouping === Grouping.UNSPECIFIED || grouping === Grouping.NONE;
      const forTrained = 'is for studies that the service trains; with EXTERNAL a fixed value is one';
      check.require(isOne, `${path}.grouping`, forTrained);
      check.require(values.length === 0, `${path}.values`, forTrained);
      const one = { ...kind.value, grouping: Grouping.NONE, values: [] };
      return { name, kind: { $case: 'fixed', value: completeFixed(one, path, [], check) } };
    }
    default:
      check.require(
        false,
        path,
        'must be a float, which hypergradients move, fixed, or something that makes trials, with EXTERNAL',
      );
      return parameter;
  }
}

/** q of the space of a study whose client trains. */
export const countComponents = ({ parameters }: SearchSpace): number =>
  parameters.reduce((sum, { kind }) => sum + (kind?.$case === 'float' ? kind.value.size || 1 : 0), 0);
