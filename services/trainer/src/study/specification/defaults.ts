/**
 * Every default of a study, and nowhere else: completion takes them from here. The contract, the SDK and the documents state
 * them for people; `test/conformance/defaults.test.ts` compares all of them with what completion gives.
 */

import { Anchor, Scaling, Selection, Variant } from '@glocal/proto/glocal/v1/dmd';
import {
  Differentiation,
  DmdAbsence,
  EvaluationPoint,
  OuterSchedule,
  SamplingMethod,
  Scale,
} from '@glocal/proto/glocal/v1/study';

export const SPACE = { scale: Scale.LOGIT, hiddenUnits: 128, step: 1 } as const;

export const SAMPLING = { method: SamplingMethod.GRID } as const;

/** Inner steps of the fall of a schedule that cools down. */
export const cooldownSteps = (steps: number): number => Math.max(1, Math.round(steps / 5));

/** Points of RANDOM and SOBOL. */
export const POINTS = 10;

export const PROBLEM = { batchSize: 128, imbalanceFactor: 1 } as const;

/** One tenth of the training part, but at least one. */
export const validationExamples = (trainExamples: number): number =>
  Math.max(1, Math.round(trainExamples / 10));

/** How long a DRIVEN trial waits for a decision. */
export const DECISION_TIMEOUT = { seconds: 600n, nanos: 0 } as const;

export const SEEDS: readonly number[] = [0];

export const METHOD = {
  window: 50,
  warmupWindows: 1,
  stride: 1,
  evaluation: EvaluationPoint.AVERAGED,
  averaging: 0.98,
  sensitivityDiscount: 0,
  differentiation: Differentiation.AUTO,
  dmdAbsence: DmdAbsence.FALL_BACK,
} as const;

/** Inner steps that the hypergradients of a window span (docs/method.md, section 11). */
const SPAN = 20;

export const sigma = (stride: number): number => Math.floor((SPAN - 1) / stride) + 1;

/** Trainings of GLOBAL. */
export const TRAININGS = 10;

/** Cost in plain runs of a trial whose study says nothing of it, nor of its windows (docs/method.md, section 12.4). */
export const OVERHEAD = 1.35;

/** What a wished cost chooses of what is not set (docs/method.md, section 12.4). */
export const WISHED = {
  /** Decay of the running average of the weights. */
  averaging: 0.95,
  /** The same with an optimizer that divides its steps by the root mean square of gradients. */
  averagingOfAdaptive: 0.9,
  /** Inner steps between two hypergradients. */
  stride: 3,
  /** At most so many examples for a validation gradient. */
  validationSample: 500,
  /** Second derivatives on the batch over one of these: as much of it as leaves windows in a row, or the cheapest. */
  partsOfBatch: [1, 2, 4, 8],
  /** At most so many windows in a row at first, where windows are sparse. */
  warmupWindows: 12,
  /** These, of all windows. */
  warmupShare: 0.6,
  /** Without a wish of its own a training has no fewer, or as many as there is room for. */
  fewestWindows: 12,
} as const;

/** Defaults of the outer optimizer (docs/method.md, section 7). */
export interface OuterDefaults {
  /** At up to 40 updates; with more it falls with the square root of their number. */
  readonly rate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly schedule: OuterSchedule;
  /** Of a loss in nats; that of a module or of a client has a unit of its own, and no default. */
  readonly maxLossRise: number;
  readonly normalize: boolean;
}

export const OUTER: OuterDefaults = {
  rate: 0.6,
  beta1: 0.7,
  beta2: 0.9,
  schedule: OuterSchedule.COSINE,
  maxLossRise: 0.3,
  normalize: true,
};

/** Largest default rate where weights of classes or examples are moved: they start near where they belong. */
export const RATE_OF_WEIGHTS = 0.3;

/** With `exact`: Adam as it is published, for the paper's way. */
export const EXACT_OUTER: OuterDefaults = {
  rate: 0.3,
  beta1: 0.9,
  beta2: 0.999,
  schedule: OuterSchedule.CONSTANT,
  maxLossRise: 0,
  normalize: false,
};

/** Of hypergradients by their size a hundredth of the largest component; of others as Adam is published. */
export const outerEpsilon = (normalize: boolean): number => (normalize ? 0.01 : 1e-8);

/**
 * Options of the decomposition, as the DMD service has them, too (docs/method.md, section 5). Only its default variant is
 * another one: HANKEL, the paper's.
 */
export const DMD = {
  variant: Variant.AFFINE,
  tolerance: 0.1,
  clip: 0.9,
  lastShare: 0,
  scaling: Scaling.COMPONENT,
  selection: Selection.STEADY,
  anchor: Anchor.FIRST,
  includeContributions: false,
} as const;

/** Those that depend on the variant and the inner steps between two rows. */
export function dmdOf(variant: Variant, stride: number): { delays: number; svdRank: number; ridge: number } {
  const isAffine = variant === Variant.AFFINE;
  const isStrided = stride > 1;
  return {
    delays: isStrided ? 2 : isAffine ? 3 : 10,
    svdRank: isAffine ? 3 : -1,
    ridge: isStrided ? 0.001 : 0.01,
  };
}
