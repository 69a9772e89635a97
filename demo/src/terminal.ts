/** What the demo shows in the terminal: a line for each run while it trains, and a table at the end. */

import { clock, coloured, figure, progressBoard, short, table, verdictText } from '@glocal/cli/terminal';
import type { SentOuterStep } from '@glocal/sdk';
import type { RunKind } from './runs.ts';
import { demoValues, type FinishedRun, type RunListener, validationOf } from './study.ts';

/** A run in one line: on a terminal a bar that moves, elsewhere a line for each outer step. */
export interface RunLine extends RunListener {
  /** The last state of the line stays. */
  stop(): void;
}

export function runLine(kind: RunKind, steps: number): RunLine {
  const board = progressBoard();
  const line = board.line(kind.title, steps);
  return {
    progress: (stepsDone) => line.progress(stepsDone),
    outerStep: (outerStep) => line.status(outerStep.step, status(kind, outerStep)),
    stop: () => board.stop(),
  };
}

/** The runs, one line each. Figures are those at the last weights, where these are trained, and at their average. */
export function comparison(runs: readonly FinishedRun[]): string {
  const head = [
    ...[
      '',
      'test accuracy',
      '(averaged)',
      'validation loss',
      '(averaged)',
      'lr',
      'momentum or β',
      'weight decay',
    ],
    ...['cost in plain runs', 'time', 'windows trusted'],
  ];
  const rows = runs.map(({ kind, result, outerSteps, seconds }) => {
    const { best } = result;
    const { lr, momentum, weightDecay } = demoValues(best?.schedule.points.at(-1)?.values ?? {});
    const last = kind.weights === 'averaged' ? undefined : best;
    const windows = outerSteps.filter(({ window }) => window !== undefined).length;
    return [
      kind.title,
      figure(last?.test?.accuracy),
      figure(best?.averagedTest?.accuracy),
      figure(last?.validation?.loss),
      figure(best?.averagedValidation?.loss),
      short(lr),
      short(momentum),
      short(weightDecay),
      best?.cost?.toFixed(2) ?? '–',
      clock(seconds),
      kind.method.estimator === 'glocal' ? `${best?.verdicts.TRUSTED ?? 0} of ${windows}` : '–',
    ];
  });
  return table(head, rows);
}

function status(kind: RunKind, outerStep: SentOuterStep): string {
  const { nextValues, report, verdict, update } = outerStep;
  const { lr, momentum, weightDecay } = demoValues(nextValues);
  const validation = validationOf(kind, outerStep);
  const parts = [
    `lr ${short(lr)}`,
    `${kind.optimizer === 'sgd' ? 'mom' : 'β'} ${short(momentum)}`,
    `wd ${short(weightDecay)}`,
    `val ${validation.loss.toFixed(3)}`,
  ];
  if (report !== undefined) parts.push(`ρ ${report.spectrum.spectralRadius.toFixed(2)}`);
  if (verdict !== undefined) parts.push(verdictText(verdict));
  if (update?.rolledBack) parts.push(coloured('yellow', 'rolled back'));
  return parts.join('   ');
}
