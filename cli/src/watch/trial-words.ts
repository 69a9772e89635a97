/** Trials in words: how one is doing, and a table of several. */

import type {
  EvaluationPoint,
  Parameter,
  ParameterMap,
  SentOuterStep,
  Space,
  Trial,
  VerdictCounts,
} from '@glocal/sdk';
import { parametersOf } from '../parameters.ts';
import { clock, coloured, figure, short, sparkline, table, verdictText } from '../terminal.ts';
import { isVector, meanOf, valueWords } from '../words.ts';

/** So many hyperparameters fit into a line. */
const SHOWN = 3;

const MOVES: ReadonlySet<Parameter['kind']> = new Set(['float', 'vector', 'network']);

/** The first hyperparameters that move in a trial, also those that it has by its choice of another. */
export const shownParameters = (
  { parameters }: Space<ParameterMap>,
  { choices }: Pick<Trial, 'choices'>,
): string[] =>
  parametersOf(parameters, choices)
    .filter(([, { kind }]) => MOVES.has(kind))
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
    const values = nextValues as Readonly<Record<string, number | readonly number[] | undefined>>;
    const parts = this.#names.map((name) => {
      const value = values[name];
      const text = typeof value === 'number' ? short(value) : valueWords(value);
      return this.#curve(name, text, isVector(value) ? meanOf(value) : value, true);
    });
    const { loss } = tuned(outerStep, this.#evaluation);
    parts.push(this.#curve('val', figure(loss), loss, false));
    if (report !== undefined) parts.push(`ρ ${report.spectrum.spectralRadius.toFixed(2)}`);
    if (verdict !== undefined) parts.push(verdictText(verdict));
    if (update?.rolledBack) parts.push(coloured('yellow', 'rolled back'));
    return parts.join('   ');
  }

  /** @param value what the curve goes through. */
  #curve(name: string, words: string, value: number | undefined, log: boolean): string {
    const text = `${name} ${words}`;
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
