/** Trials and their outer steps. */

import type * as proto from '@glocal/proto/glocal/v1/study';
import { type Decision, decodeDecision } from './decision.ts';
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
import { plainNumbers } from './plain-numbers.ts';
import { sdkName } from './problem-names.ts';
import { decodeReport, type WindowReport } from './report.ts';
import type { ParameterMap, Space } from './space.ts';
import type { Choices, ComponentName, SentValues, Values } from './space-values.ts';
import { isChoice, parametersAt } from './trial-space.ts';

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
  /** Its point of the search space: a value for each parameter that makes trials. */
  readonly choices: Choices<P>;
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
  /** Whole workers that died while they trained it since the last outer step was stored, where workers share a store. */
  readonly workerDeaths: number;
  /** Current values of the hyperparameters; of a vector undefined until training has started. */
  readonly values: SentValues<P>;
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
  /** Outer steps from whose end `study.resume()` can go on, oldest first. Only `study.trial()` fills it in. */
  readonly checkpoints: readonly number[];
  /** Bytes that they take on the server's disk. Only `study.trial()` fills it in. */
  readonly checkpointBytes: number;
  /** What it cost so far in plain runs; undefined where it timed no plain step. */
  readonly cost: number | undefined;
  /** Where its time went, over all outer steps. */
  readonly timing: Timing;
  readonly startTime: Date | undefined;
  readonly endTime: Date | undefined;
}

/** A trial among those of all studies: without what its study's space tells of it, and without values, which may be large. */
export type ListedTrial = Omit<Trial, 'values'>;

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
  /** What the client decided that drives the trial; undefined where none does. */
  readonly decision: Decision | undefined;
}

/** Wall-clock milliseconds of the parts of an outer step, or of all of a trial's. */
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
  /** Writing the checkpoint of its end, which comes after the rest. */
  readonly checkpoint: number;
  /** Plain inner steps, without tangents: part of `training`, or of `other` where they were only made to be timed. */
  readonly plain: number;
  /** How many plain inner steps these are. */
  readonly plainSteps: number;
}

/** How the hypergradients of an outer step were computed, and what the choices would have cost. */
export interface DifferentiationCost {
  readonly used: Differentiation;
  /** Predicted cost of forward mode beyond training, in gradients of the training loss for the window. */
  readonly forwardGradients: number;
  /** Predicted cost of reverse mode. */
  readonly reverseGradients: number;
}

/** What an outer step has beside the values. */
interface OuterStepFields<P extends ParameterMap> {
  /** `studies/{study}/trials/{trial}/outerSteps/{index}` */
  readonly name: string;
  /** `studies/{study}/trials/{trial}` */
  readonly trial: string;
  /** 1 for the first. */
  readonly index: number;
  /** Inner steps done at its end. */
  readonly step: number;
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
  /** Undefined for `fixed`, unless a driver decided. */
  readonly update: Update<ComponentName<P>> | undefined;
  readonly timing: Timing;
  /** Undefined for `fixed`. */
  readonly differentiation: DifferentiationCost | undefined;
}

/** One update of the hyperparameters, with everything that led to it. */
export interface OuterStep<P extends ParameterMap = ParameterMap> extends OuterStepFields<P> {
  /** Values during this outer step. */
  readonly values: Values<P>;
  /** Values that the update moved them to. */
  readonly nextValues: Values<P>;
}

/**
 * An outer step as it comes in events and as a proposal: where it would be too large for a message, all that has an entry
 * for each component is left out. Vectors are undefined then, and names, rows and figures of components empty;
 * `study.outerStep(index)` reads the whole of one that is stored.
 */
export interface SentOuterStep<P extends ParameterMap = ParameterMap> extends OuterStepFields<P> {
  /** Values during this outer step. */
  readonly values: SentValues<P>;
  /** Values that the update moved them to, or would. */
  readonly nextValues: SentValues<P>;
}

export function decodeTrial<P extends ParameterMap>(trial: proto.Trial, space: Space): Trial<P> {
  const { choices, ...listed } = decodeListedTrial(trial);
  const values = decodeValues<SentValues<P>>(trial.values, { space, choices });
  return { ...listed, choices: choices as Choices<P>, values };
}

export function decodeListedTrial({ values: _, ...trial }: proto.Trial): ListedTrial {
  return {
    ...plainNumbers(trial),
    state: trialStateName(trial.state),
    choices: Object.fromEntries(trial.choices.map(({ name, value }) => [sdkName(name), value?.value])),
    cost: trial.cost === 0 ? undefined : trial.cost,
    timing: decodeTiming(trial.timing),
  };
}

/** What names and values of a trial are read with: its choices are told once, with the trial. */
export interface TrialSpace {
  /** Of the study. */
  readonly space: Space;
  readonly choices: Choices;
}

/** Whether a step came without its vectors, as one that is too large for a message does. */
export function lacksVectors(step: proto.OuterStep, trial: TrialSpace): boolean {
  const isVector = vectorsOf(trial);
  return step.values.some(({ name, values }) => values.length === 0 && isVector(name));
}

/**
 * A step that has its vectors.
 * @throws GlocalError DATA_LOSS when a vector has a wrong length.
 */
export const decodeOuterStep = <P extends ParameterMap>(
  step: proto.OuterStep,
  trial: TrialSpace,
): OuterStep<P> => ({
  ...decodeFields<P>(step),
  values: decodeValues<Values<P>>(step.values, trial),
  nextValues: decodeValues<Values<P>>(step.nextValues, trial),
});

/**
 * A step that may lack its vectors.
 * @throws GlocalError DATA_LOSS when a vector has a wrong length.
 */
export const decodeSentOuterStep = <P extends ParameterMap>(
  step: proto.OuterStep,
  trial: TrialSpace,
): SentOuterStep<P> => ({
  ...decodeFields<P>(step),
  values: decodeValues<SentValues<P>>(step.values, trial),
  nextValues: decodeValues<SentValues<P>>(step.nextValues, trial),
});

/** The name of the trial that a step is of. */
export const trialOf = ({ name }: proto.OuterStep): string => name.slice(0, name.indexOf('/outerSteps/'));

function decodeFields<P extends ParameterMap>(step: proto.OuterStep): OuterStepFields<P> {
  const report = step.report && decodeReport(step.report);
  return {
    name: step.name,
    trial: trialOf(step),
    index: step.index,
    step: step.step,
    trainLoss: step.trainLoss,
    validation: step.validation ?? NOTHING,
    averagedValidation: step.averagedValidation ?? NOTHING,
    verdict: report?.verdict,
    window: step.window && decodeWindow(step.window),
    report,
    update: step.update && decodeUpdate(step.update),
    timing: decodeTiming(step.timing),
    differentiation: step.differentiation && {
      ...step.differentiation,
      used: differentiationName(step.differentiation.used),
    },
  };
}

const decodeTiming = (timing: proto.Timing | undefined): Timing => ({
  training: milliseconds(timing?.training),
  hypergradients: milliseconds(timing?.hypergradients),
  dmd: milliseconds(timing?.dmd),
  other: milliseconds(timing?.other),
  decision: milliseconds(timing?.decision),
  checkpoint: milliseconds(timing?.checkpoint),
  plain: milliseconds(timing?.plain),
  plainSteps: timing?.plainSteps ?? 0,
});

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
  const { hypergradient, sources, rate, reason, rolledBack, clipped, fellBack, decision } = update;
  return {
    hypergradient,
    sources: sources.map(sourceName),
    rate,
    reason,
    rolledBack,
    clipped: clipped as Name[],
    fellBack,
    decision: decision && decodeDecision(decision),
  };
}

/**
 * What a trial has chosen, and the value of every hyperparameter of its space, as the server states them; of a vector at least
 * the mean.
 */
export function decodeValues<V>(values: readonly proto.ParameterValue[], trial: TrialSpace): V {
  const isVector = vectorsOf(trial);
  return Object.fromEntries([
    ...chosen(trial),
    ...values.map(({ name, value, values: vector }) => {
      if (vector.length > 0) return [name, vector];
      return [name, isVector(name) ? undefined : value];
    }),
  ]) as V;
}

/** Choices that are no initial values, which say only where a value was at first. */
export function chosen({ space, choices }: TrialSpace): [name: string, value: string | number | boolean][] {
  const parameters = parametersAt(space, choices);
  return Object.entries(choices).flatMap(([name, value]): [string, string | number | boolean][] =>
    value === undefined || !isChoice(parameters.get(name)) ? [] : [[name, value]],
  );
}

function vectorsOf({ space, choices }: TrialSpace): (name: string) => boolean {
  const parameters = parametersAt(space, choices);
  return (name) => ['vector', 'network'].includes(parameters.get(name)?.kind ?? '');
}
