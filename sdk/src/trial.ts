/** Trials and their outer steps. */

import type * as proto from '@glocal/proto/glocal/v1/study';
import { milliseconds } from './duration.ts';
import {
  type Differentiation,
  differentiationName,
  type Source,
  sourceName,
  type TrialState,
  trialStateName,
  type Verdict,
} from './enums.ts';
import { decodeRows } from './float64.ts';
import { decodeReport, type WindowReport } from './report.ts';
import type { ComponentName, ParameterMap, Values } from './space.ts';

/** Figures over a set of examples. */
export interface Evaluation {
  /** Mean cross-entropy in nats. */
  readonly loss: number;
  /** Share of correct classes, 0 to 1. */
  readonly accuracy: number;
  /** Number of examples. */
  readonly examples: number;
}

/** One training run of a study. */
export interface Trial<P extends ParameterMap = ParameterMap> {
  /** `studies/{study}/trials/{trial}` */
  readonly name: string;
  readonly seed: number;
  readonly state: TrialState;
  /** Why it is in this state, in one sentence. */
  readonly stateReason: string;
  /** Inner steps done. */
  readonly stepsDone: number;
  /** Outer steps stored. */
  readonly outerStepsDone: number;
  /** Windows whose update used the local hypergradient because the DMD service gave no report (`update.fellBack`). */
  readonly fallbackWindows: number;
  /** How many times its training was begun: 1 when nothing has interrupted it. */
  readonly attempts: number;
  /** Deaths of its training process since the last outer step was stored. At the third it is FAILED. */
  readonly crashes: number;
  /** Current values of the hyperparameters. */
  readonly values: Values<P>;
  /** At the last outer-step boundary; undefined before the first. */
  readonly validation: Evaluation | undefined;
  /** The same at the averaged weights. */
  readonly averagedValidation: Evaluation | undefined;
  /** Set when the trial has SUCCEEDED. */
  readonly test: Evaluation | undefined;
  /** The same at the averaged weights. */
  readonly averagedTest: Evaluation | undefined;
  /** What computed it, for instance `native TensorFlow 2.21 (oneDNN)`. */
  readonly backend: string;
  /** SHA-256 of the data set's content when training started, in hexadecimal digits; empty before. */
  readonly datasetSha256: string;
  readonly startTime: Date | undefined;
  readonly endTime: Date | undefined;
}

/** The local hypergradients of an outer step, with respect to the unconstrained coordinates. */
export interface Window<Name extends string = string> {
  /** Names of the components, in the order of all vectors of this outer step. */
  readonly components: readonly Name[];
  /** Inner step after which the first row was taken. */
  readonly firstStep: number;
  readonly rows: number;
  /** Inner steps between two rows. */
  readonly stride: number;
  /** The rows, oldest first; undefined in events, and in lists unless `includeWindows` asks for them. */
  readonly hypergradients: readonly Float64Array[] | undefined;
}

/** How the hyperparameters were updated. */
export interface Update<Name extends string = string> {
  /** The hypergradient that was used, in the order of the window's components. */
  readonly hypergradient: readonly number[];
  /** Where each component of it came from. */
  readonly sources: readonly Source[];
  /** Outer learning rate of this update. */
  readonly rate: number;
  /** Why these sources, in one sentence. */
  readonly reason: string;
  /** Whether the trial went back to the last boundary, because the window was not finite or diverged. */
  readonly rolledBack: boolean;
  /** Hyperparameters that were clipped to a bound. */
  readonly clipped: readonly Name[];
  /** Whether the local hypergradient was used because the DMD service gave no report. */
  readonly fellBack: boolean;
}

/** Wall-clock milliseconds of the parts of an outer step. */
export interface Timing {
  /** Inner steps, with their tangents. */
  readonly training: number;
  /** Validation gradients. */
  readonly hypergradients: number;
  /** Waiting for the DMD service. */
  readonly dmd: number;
  /** Validation figures, the update and the rest. */
  readonly other: number;
  /** Of a driven trial: waiting for the decision. */
  readonly decision: number;
}

/** How the hypergradients of an outer step were computed, and what the choices would have cost. */
export interface DifferentiationCost {
  readonly used: Differentiation;
  /** Predicted cost of forward mode beyond training, in gradients of the training loss for the window. */
  readonly forwardGradients: number;
  /** Predicted cost of reverse mode. */
  readonly reverseGradients: number;
}

/** One update of the hyperparameters, with everything that led to it. */
export interface OuterStep<P extends ParameterMap = ParameterMap> {
  /** `studies/{study}/trials/{trial}/outerSteps/{index}` */
  readonly name: string;
  /** `studies/{study}/trials/{trial}` */
  readonly trial: string;
  /** 1 for the first. */
  readonly index: number;
  /** Inner steps done at its end. */
  readonly step: number;
  /** Values during this outer step. */
  readonly values: Values<P>;
  /** Values that the update moved them to. */
  readonly nextValues: Values<P>;
  /** Mean over the inner steps, in nats; NaN when one of them was not finite. */
  readonly trainLoss: number;
  /** At its end. */
  readonly validation: Evaluation;
  /** At its end, at the averaged weights. */
  readonly averagedValidation: Evaluation;
  /** The verdict of `report`; undefined without one. */
  readonly verdict: Verdict | undefined;
  /** Undefined for the estimator `fixed`. */
  readonly window: Window<ComponentName<P>> | undefined;
  /** Only for `glocal`; undefined when the DMD service could not be reached. */
  readonly report: WindowReport | undefined;
  /** Undefined for `fixed`. */
  readonly update: Update<ComponentName<P>> | undefined;
  readonly timing: Timing;
  /** Undefined for `fixed`. */
  readonly differentiation: DifferentiationCost | undefined;
}

export function decodeTrial<P extends ParameterMap>(trial: proto.Trial): Trial<P> {
  return { ...trial, state: trialStateName(trial.state), values: decodeValues(trial.values) };
}

/** @throws GlocalError DATA_LOSS when a vector has a wrong length. */
export function decodeOuterStep<P extends ParameterMap>(step: proto.OuterStep): OuterStep<P> {
  const report = step.report && decodeReport(step.report);
  return {
    name: step.name,
    trial: step.name.slice(0, step.name.indexOf('/outerSteps/')),
    index: step.index,
    step: step.step,
    values: decodeValues(step.values),
    nextValues: decodeValues(step.nextValues),
    trainLoss: step.trainLoss,
    validation: step.validation ?? NOTHING,
    averagedValidation: step.averagedValidation ?? NOTHING,
    verdict: report?.verdict,
    window: step.window && decodeWindow(step.window),
    report,
    update: step.update && decodeUpdate(step.update),
    timing: {
      training: milliseconds(step.timing?.training),
      hypergradients: milliseconds(step.timing?.hypergradients),
      dmd: milliseconds(step.timing?.dmd),
      other: milliseconds(step.timing?.other),
      decision: milliseconds(step.timing?.decision),
    },
    differentiation: step.differentiation && {
      ...step.differentiation,
      used: differentiationName(step.differentiation.used),
    },
  };
}

const NOTHING: Evaluation = { loss: Number.NaN, accuracy: Number.NaN, examples: 0 };

function decodeWindow<Name extends string>(window: proto.Window): Window<Name> {
  const { components, firstStep, rows, stride, hypergradients } = window;
  return {
    components: components as Name[],
    firstStep,
    rows,
    stride,
    hypergradients:
      hypergradients.length > 0 ? decodeRows(hypergradients, rows, components.length) : undefined,
  };
}

function decodeUpdate<Name extends string>(update: proto.Update): Update<Name> {
  const { hypergradient, sources, rate, reason, rolledBack, clipped, fellBack } = update;
  return {
    hypergradient,
    sources: sources.map(sourceName),
    rate,
    reason,
    rolledBack,
    clipped: clipped as Name[],
    fellBack,
  };
}

/** The server states a value for every hyperparameter of the study's space. */
function decodeValues<P extends ParameterMap>(values: readonly proto.ParameterValue[]): Values<P> {
  return Object.fromEntries(
    values.map(({ name, value, values: vector }) => [name, vector.length > 0 ? vector : value]),
  ) as Values<P>;
}
