/** Trials in words: how one is doing, and a table of several. */

import type { EvaluationPoint, ParameterMap, SentOuterStep, Space, Trial, VerdictCounts } from '@glocal/sdk';
import { clock, coloured, figure, short, sparkline, table, verdictText } from '../terminal.ts';

/** So many hyperparameters fit into a line. */
const SHOWN = 3;

/** The first hyperparameters that move and have one value each. */
export const shownParameters = ({ parameters }: Space<ParameterMap>): string[] =>
  Object.entries(parameters)
    .filter(([, { kind }]) => kind === 'float')
    .map(([name]) => name)
    .slice(0, SHOWN);

/** Figures at the weights that the study's hypergradients are taken at, which are those that are tuned. */
export const tuned = <Figures>(
  { validation, averagedValidation }: { readonly validation: Figures; readonly averagedValidation: Figures },
  evaluation: EvaluationPoint,
): Figures => (evaluation === 'averaged' ? (averagedValidation ?? validation) : validation);

/** What a trial has been through, as far as lines show it. */
export class TrialCourse {
  readonly #names: readonly string[];
  readonly #evaluation: EvaluationPoint;
  readonly #live: boolean;
  readonly #courses = new Map<string, number[]>();

  /**
   * @param names hyperparameters to show.
   * @param evaluation at which weights the study's hypergradients are taken.
   * @param live whether to draw curves.
   */
  constructor(names: readonly string[], evaluation: EvaluationPoint, live: boolean) {
    this.#names = names;
    this.#evaluation = evaluation;
    this.#live = live;
  }

  /** An outer step in one line. */
  words(outerStep: SentOuterStep): string {
    const { nextValues, report, verdict, update } = outerStep;
    const values = nextValues as Readonly<Record<string, number | undefined>>;
    const parts = this.#names.map((name) => this.#curve(name, values[name], true));
    parts.push(this.#curve('val', tuned(outerStep, this.#evaluation).loss, false));
    if (report !== undefined) parts.push(`ρ ${report.spectrum.spectralRadius.toFixed(2)}`);
    if (verdict !== undefined) parts.push(verdictText(verdict));
    if (update?.rolledBack) parts.push(coloured('yellow', 'rolled back'));
    return parts.join('   ');
  }

  #curve(name: string, value: number | undefined, log: boolean): string {
    const text = `${name} ${log ? short(value) : figure(value)}`;
    if (!this.#live || value === undefined) return text;
    const course = this.#courses.get(name) ?? [];
    course.push(value);
    this.#courses.set(name, course);
    return `${text} ${coloured('dim', sparkline(course, { width: 8, log }))}`;
  }
}

/** How a trial ended, or where it is, in one line. */
export function trialWords(trial: Trial, evaluation: EvaluationPoint): string {
  const { state, stateReason } = trial;
  const validation = tuned(trial, evaluation);
  return [state, ...(validation === undefined ? [] : [`val ${figure(validation.loss)}`]), stateReason]
    .filter((part) => part !== '')
    .join('   ');
}

/** The point of the search space that a trial has, in words; empty where trials differ by their seeds alone. */
export const choiceWords = ({ choices }: Pick<Trial, 'choices'>): string =>
  Object.entries(choices as Readonly<Record<string, unknown>>)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

/** Trials, one line each. @param verdicts by the trial's name, where they were counted. */
export function trialTable(
  trials: readonly Trial[],
  verdicts?: ReadonlyMap<string, Partial<VerdictCounts>>,
): string {
  const head = ['trial', 'state', 'steps', 'validation loss', '(averaged)', 'test accuracy', '(averaged)'];
  const more = ['cost in plain runs', 'time', ...(verdicts === undefined ? [] : ['windows trusted'])];
  const rows = trials.map((trial, i) => [
    [String(i), choiceWords(trial), `seed ${trial.seed}`].filter(Boolean).join(' '),
    trial.state,
    String(trial.stepsDone),
    figure(trial.validation?.loss),
    figure(trial.averagedValidation?.loss),
    figure(trial.test?.accuracy),
    figure(trial.averagedTest?.accuracy),
    trial.cost?.toFixed(2) ?? '–',
    duration(trial),
    ...(verdicts === undefined ? [] : [trustedOf(verdicts.get(trial.name))]),
  ]);
  return table([...head, ...more], rows, { left: 2 });
}

/** So many trials are named that have a reason in common. */
const NAMED = 8;

/** Why trials have not succeeded, one line for each reason; empty where there is none. */
export function reasonWords(trials: readonly Pick<Trial, 'state' | 'stateReason'>[]): string {
  const positions = new Map<string, number[]>();
  for (const [position, { state, stateReason }] of trials.entries()) {
    if (stateReason === '' || state === 'SUCCEEDED') continue;
    const words = `${state}: ${stateReason}`;
    positions.set(words, [...(positions.get(words) ?? []), position]);
  }
  return [...positions].map(([words, those]) => `${trialsWords(those)} ${words}`).join('\n');
}

function trialsWords(positions: readonly number[]): string {
  const more = positions.length - NAMED;
  const named = positions.slice(0, NAMED).join(', ');
  return `trial${positions.length === 1 ? '' : 's'} ${named}${more > 0 ? ` and ${more} more` : ''}`;
}

function duration({ startTime, endTime }: Trial): string {
  if (startTime === undefined) return '–';
  return clock(((endTime ?? new Date()).getTime() - startTime.getTime()) / 1_000);
}

function trustedOf(counts: Partial<VerdictCounts> = {}): string {
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return all === 0 ? '–' : `${counts.TRUSTED ?? 0} of ${all}`;
}
