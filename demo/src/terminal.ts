/** What the demo shows in the terminal: a bar for each run while it trains, and a table at the end. */

import type { OuterStep } from '@glocal/sdk';
import { type Options as BarOptions, type Params, SingleBar } from 'cli-progress';
import Table from 'cli-table3';
import colours from 'picocolors';
import type { RunKind } from './runs.ts';
import type { DemoSpace, FinishedRun, RunListener } from './study.ts';

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
  readonly #bar: SingleBar;
  readonly #started = performance.now();
  #stepsDone = 0;

  constructor(kind: RunKind, steps: number) {
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

  outerStep(outerStep: OuterStep<DemoSpace>): void {
    this.#stepsDone = outerStep.step;
    this.#bar.update(outerStep.step, { status: `${status(outerStep)}   ` });
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

  outerStep(outerStep: OuterStep<DemoSpace>): void {
    process.stderr.write(`${name(this.#kind)}${outerStep.step}/${this.#steps}   ${status(outerStep)}\n`);
  }

  stop(): void {}
}

/** The runs, one line each. Figures are those at the last weights, and at their running average. */
export function comparison(runs: readonly FinishedRun[]): string {
  const table = new Table({
    head: [
      '',
      'test accuracy',
      '(averaged)',
      'validation loss',
      '(averaged)',
      'lr',
      'momentum',
      'weight decay',
      'time',
      'windows trusted',
    ],
    // Columns set apart by space alone, without colours: it may go to a file.
    chars: BLANK,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 3 },
    colAligns: ['left', ...new Array<'right'>(9).fill('right')],
  });
  for (const { kind, result, outerSteps, seconds } of runs) {
    const { best } = result;
    const values = best?.values;
    table.push([
      kind.title,
      best?.test?.accuracy.toFixed(3) ?? '–',
      best?.averagedTest?.accuracy.toFixed(3) ?? '–',
      best?.validation?.loss.toFixed(3) ?? '–',
      best?.averagedValidation?.loss.toFixed(3) ?? '–',
      short(values?.lr),
      short(values?.momentum),
      short(values?.weightDecay),
      clock(seconds),
      kind.method.estimator === 'glocal' ? `${best?.verdicts.TRUSTED ?? 0} of ${outerSteps.length}` : '–',
    ]);
  }
  return table.toString();
}

const name = ({ title }: RunKind): string => title.padEnd(NAME_WIDTH);

function status({ nextValues, validation, report, verdict, update }: OuterStep<DemoSpace>): string {
  const { lr, momentum, weightDecay } = nextValues;
  const parts = [
    `lr ${short(lr)}`,
    `mom ${short(momentum)}`,
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
