/** What the demo shows in the terminal: a bar for each run while it trains, and a table at the end. */

import type { SentOuterStep } from '@glocal/sdk';
import { type Options as BarOptions, type Params, SingleBar } from 'cli-progress';
import Table from 'cli-table3';
import colours from 'picocolors';
import type { RunKind } from './runs.ts';
import { demoValues, type FinishedRun, type RunListener, validationOf } from './study.ts';

const BAR_WIDTH = 20;
const NAME_WIDTH = 12;
/** The parts of a table's frame, none of which is drawn. */
const BLANK = Object.fromEntries(
  ['top', 'bottom', 'mid', 'left', 'right', 'middle'].flatMap((part) =>
    [part, `${part}-mid`, `${part}-left`, `${part}-right`].map((name) => [name, '']),
  ),
);

/** A run in one line: on a terminal a bar that moves, elsewhere a line for each outer step. */
export interface RunLine extends RunListener {
  /** The last state of the line stays. */
  stop(): void;
}

export function runLine(kind: RunKind, steps: number): RunLine {
  return process.stderr.isTTY ? new Bar(kind, steps) : new Lines(kind, steps);
}

class Bar implements RunLine {
  readonly #kind: RunKind;
  readonly #bar: SingleBar;
  readonly #started = performance.now();
  #stepsDone = 0;

  constructor(kind: RunKind, steps: number) {
    this.#kind = kind;
    const format = (_: BarOptions, { value, total }: Params, { status }: { status: string }) => {
      const done = Math.round((value / total) * BAR_WIDTH);
      const bar = `${colours.cyan('█'.repeat(done))}${colours.dim('░'.repeat(BAR_WIDTH - done))}`;
      const count = `${value}/${total}`.padStart(2 * String(total).length + 1);
      return `${name(kind)}${bar} ${count}   ${status}${this.#time(value, total)}`;
    };
    this.#bar = new SingleBar({ format, hideCursor: true, fps: 8, barsize: BAR_WIDTH, emptyOnZero: true });
    this.#bar.start(steps, 0, { status: '' });
  }

  progress(stepsDone: number): void {
    this.#stepsDone = stepsDone;
    this.#bar.update(stepsDone);
  }

  outerStep(outerStep: SentOuterStep): void {
    this.#stepsDone = outerStep.step;
    this.#bar.update(outerStep.step, { status: `${status(this.#kind, outerStep)}   ` });
  }

  stop(): void {
    this.#bar.update(this.#stepsDone);
    this.#bar.stop();
  }

  /** Time that is left, or that it took. Starting up counts for little after the first steps. */
  #time(value: number, total: number): string {
    const elapsed = (performance.now() - this.#started) / 1_000;
    if (value >= total) return clock(elapsed);
    return value === 0 ? colours.dim('starting') : `${clock((elapsed / value) * (total - value))} left`;
  }
}

class Lines implements RunLine {
  readonly #kind: RunKind;
  readonly #steps: number;

  constructor(kind: RunKind, steps: number) {
    this.#kind = kind;
    this.#steps = steps;
  }

  progress(): void {}

  outerStep(outerStep: SentOuterStep): void {
    const { step } = outerStep;
    process.stderr.write(`${name(this.#kind)}${step}/${this.#steps}   ${status(this.#kind, outerStep)}\n`);
  }

  stop(): void {}
}

/** The runs, one line each. Figures are those at the last weights, where these are trained, and at their average. */
export function comparison(runs: readonly FinishedRun[]): string {
  const table = new Table({
    head: [
      '',
      'test accuracy',
      '(averaged)',
      'validation loss',
      '(averaged)',
      'lr',
      'momentum or β',
      'weight decay',
      'cost in plain runs',
      'time',
      'windows trusted',
    ],
    // Columns set apart by space alone, without colours: it may go to a file.
    chars: BLANK,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 3 },
    colAligns: ['left', ...new Array<'right'>(10).fill('right')],
  });
  for (const { kind, result, outerSteps, seconds } of runs) {
    const { best } = result;
    const { lr, momentum, weightDecay } = demoValues(best?.schedule.points.at(-1)?.values ?? {});
    const last = kind.weights === 'averaged' ? undefined : best;
    const windows = outerSteps.filter(({ window }) => window !== undefined).length;
    table.push([
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
    ]);
  }
  return table.toString();
}

const name = ({ title }: RunKind): string => title.padEnd(NAME_WIDTH);

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
  if (verdict !== undefined) parts.push(coloured(verdict));
  if (update?.rolledBack) parts.push(colours.yellow('rolled back'));
  return parts.join('   ');
}

function coloured(verdict: string): string {
  if (verdict === 'TRUSTED') return colours.green(verdict);
  return verdict === 'DIVERGING' ? colours.red(verdict) : colours.yellow(verdict);
}

const figure = (value: number | undefined): string => value?.toFixed(3) ?? '–';

/** Three digits, without a string of zeros. */
function short(value: number | undefined): string {
  if (value === undefined) return '–';
  return Math.abs(value) >= 1e-3 || value === 0 ? value.toPrecision(3) : value.toExponential(1);
}

/** Minutes and seconds. */
function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
