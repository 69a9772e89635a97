/** Studies, trials and outer steps as the page gets them. */

import type {
  DrivenWindow,
  Evaluation,
  OuterStep,
  ParameterMap,
  SentOuterStep,
  Spectrum,
  StudySnapshot,
  Trial,
  Update,
  WindowReport,
} from '@glocal/sdk';
import {
  type EvaluationRow,
  type Figure,
  type HypergradientRow,
  MOST_COMPONENTS,
  type ParameterRow,
  type ProposalRow,
  type SpectrumRow,
  type StepRow,
  type StudyRow,
  type TrialRow,
  type UpdateRow,
  type ValueRow,
} from '../api.ts';

/** JSON has no number for what is not finite. */
export const finite = (value: number): Figure => (Number.isFinite(value) ? value : null);
export const figures = (values: ArrayLike<number>): Figure[] => Array.from(values, finite);

export function studyRow(study: StudySnapshot): StudyRow {
  const { name, displayName, state, stateReason, labels, owner, method, mode, problem, training } = study;
  return {
    ...{ name, displayName, state, stateReason, labels, owner, mode },
    estimator: method.estimator,
    problem: problemText(problem, mode),
    steps: training.steps,
    createTime: study.createTime.getTime(),
    updateTime: study.updateTime.getTime(),
  };
}

function problemText({ dataset, model, module, optimizer }: StudySnapshot['problem'], mode: string): string {
  if (mode === 'external') return 'trained by a client';
  const what = module === '' || module === undefined ? [dataset, model] : [module];
  return [...what, optimizer].filter((part) => part !== '' && part !== undefined).join(' · ');
}

/** Also those that only some trials have. */
export function parameterRows(parameters: ParameterMap): ParameterRow[] {
  const rows = new Map<string, ParameterRow>();
  for (const [name, parameter] of Object.entries(parameters)) {
    const { kind, scale, min, max, children } = parameter as {
      readonly kind: string;
      readonly scale?: string;
      readonly min?: number;
      readonly max?: number;
      readonly children?: Readonly<Record<string, ParameterMap>>;
    };
    rows.set(name, { name, kind, scale, min, max });
    for (const child of Object.values(children ?? {}).flatMap(parameterRows)) rows.set(child.name, child);
  }
  return [...rows.values()];
}

export function trialRow(trial: Trial, position: number): TrialRow {
  const { name, seed, state, stateReason, stepsDone, outerStepsDone, attempts, fallbackWindows } = trial;
  return {
    ...{ name, position, seed, state, stateReason, stepsDone, outerStepsDone, attempts, fallbackWindows },
    choices: trial.choices as TrialRow['choices'],
    validation: evaluationRow(trial.validation),
    averagedValidation: evaluationRow(trial.averagedValidation),
    test: evaluationRow(trial.test),
    averagedTest: evaluationRow(trial.averagedTest),
    backend: trial.backend,
    cost: trial.cost,
    timing: trial.timing,
    startTime: trial.startTime?.getTime(),
    endTime: trial.endTime?.getTime(),
  };
}

const evaluationRow = (evaluation: Evaluation | undefined): EvaluationRow | undefined =>
  evaluation && {
    loss: finite(evaluation.loss),
    accuracy: finite(evaluation.accuracy),
    examples: evaluation.examples,
  };

/** An outer step as charts need it. */
export function stepRow(step: OuterStep | SentOuterStep): StepRow {
  const { index, verdict, report, window, update, timing } = step;
  return {
    ...{ index, step: step.step, verdict, timing },
    trainLoss: finite(step.trainLoss),
    loss: finite(step.validation.loss),
    accuracy: finite(step.validation.accuracy),
    averagedLoss: finite(step.averagedValidation.loss),
    averagedAccuracy: finite(step.averagedValidation.accuracy),
    verdictReason: report?.verdictReason,
    values: valueRows(step.values),
    next: valueRows(step.nextValues),
    update: update && updateRow(update),
    window: window && {
      rows: window.rows,
      stride: window.stride,
      firstStep: window.firstStep,
      size: window.components.length,
    },
    hypergradients: window && hypergradientRow(window.components, report, update),
    spectrum: report && spectrumRow(report.spectrum),
  };
}

export function valueRows(values: Readonly<Record<string, unknown>>): Record<string, ValueRow> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]): [string, ValueRow][] => {
      if (value === undefined) return [];
      if (typeof value === 'number') return [[name, finite(value)]];
      if (typeof value === 'string' || typeof value === 'boolean') return [[name, value]];
      return [[name, summaryOf(value as ArrayLike<number>)]];
    }),
  );
}

function summaryOf(vector: ArrayLike<number>): ValueRow {
  let [sum, min, max] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < vector.length; i++) {
    const value = vector[i] ?? Number.NaN;
    sum += value;
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  return { mean: finite(sum / vector.length), min: finite(min), max: finite(max), size: vector.length };
}

function updateRow({ rate, reason, rolledBack, fellBack, clipped, decision, sources }: Update): UpdateRow {
  const counts: Record<string, number> = {};
  for (const source of sources) counts[source] = (counts[source] ?? 0) + 1;
  return { rate, reason, rolledBack, fellBack, clipped, decision: decision?.action, sources: counts };
}

function hypergradientRow(
  names: readonly string[],
  report: WindowReport | undefined,
  update: Update | undefined,
): HypergradientRow {
  const local = report?.last ?? [];
  const trusted = report?.componentTrusted;
  return {
    localNorm: finite(norm(local)),
    glocalNorm: report?.glocal && finite(norm(report.glocal)),
    trustedShare:
      trusted && trusted.length > 0 ? trusted.filter((is) => is).length / trusted.length : undefined,
    ...(names.length <= MOST_COMPONENTS && {
      names,
      local: figures(local),
      mean: report && figures(report.mean),
      glocal: report?.glocal && figures(report.glocal),
      spread: report?.spread && figures(report.spread),
      used: update && figures(update.hypergradient),
      trusted,
    }),
  };
}

function norm(vector: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += (vector[i] ?? 0) ** 2;
  return Math.sqrt(sum);
}

/** So many modes are shown; they come nearest to eigenvalue 1 first. */
const MOST_MODES = 40;

export function spectrumRow(spectrum: Spectrum): SpectrumRow {
  return {
    modes: spectrum.modes.slice(0, MOST_MODES).map((mode) => ({
      re: finite(mode.eigenvalue.re),
      im: finite(mode.eigenvalue.im),
      share: finite(mode.energyShare),
      norm: finite(mode.contributionNorm),
      steady: mode.steady,
    })),
    rank: spectrum.rank,
    radius: finite(spectrum.spectralRadius),
    pairResidual: finite(spectrum.pairResidual),
    reconstructionError: finite(spectrum.reconstructionError),
  };
}

export function proposalRow(window: DrivenWindow): ProposalRow {
  const { index, stepsDone, verdict, report, update, deadline, givesUp } = window;
  return {
    ...{ index, stepsDone, verdict, givesUp },
    verdictReason: report?.verdictReason,
    values: valueRows(window.values),
    next: valueRows(window.nextValues),
    reason: update?.reason,
    rate: update?.rate,
    loss: finite(window.validation.loss),
    averagedLoss: finite(window.averagedValidation.loss),
    deadline: deadline?.getTime(),
    spectrum: report && spectrumRow(report.spectrum),
  };
}
