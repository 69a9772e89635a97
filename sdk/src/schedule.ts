/** The trajectory of a trial's hyperparameters, and what it can be written as. */

import type * as proto from '@glocal/proto/glocal/v1/study_service';
import { check, text } from './check/rule.ts';
import { codeOptions, scheduledOptions } from './check/schedules.ts';
import { collect, pages } from './pages.ts';
import { type CodeOptions, type Framework, scheduleCode } from './schedule-code.ts';
import type { ScheduleRows } from './schedule-rows.ts';
import { readCsv, readJson, type ScheduleJson, writeCsv } from './schedule-text.ts';
import { givenParameters } from './scheduled-space.ts';
import type {
  ChoiceParameter,
  FixedParameter,
  Parameter,
  ParameterMap,
  PointsSchedule,
  ScheduledParameter,
  VectorParameter,
} from './space.ts';
import type { Choices, Values } from './space-values.ts';
import { chosen, type TrialSpace } from './trial.ts';
import { parametersAt } from './trial-space.ts';

/** Values that hold from an inner step on. */
export interface SchedulePoint<P extends ParameterMap = ParameterMap> {
  /** Number of inner steps done when the values took effect. */
  readonly step: number;
  readonly values: Values<P>;
}

/** What {@link Schedule.toScheduled} makes: nothing in it moves by hypergradients. */
export type ScheduledValues<P extends ParameterMap = ParameterMap> = {
  readonly [Name in keyof P & string as P[Name] extends ChoiceParameter
    ? never
    : Name]: Parameter extends P[Name]
    ? FixedParameter | ScheduledParameter
    : P[Name] extends VectorParameter | FixedParameter<readonly number[]>
      ? FixedParameter<readonly number[]> | ScheduledVector
      : FixedParameter<number> | ScheduledNumber;
};

type ScheduledNumber = { readonly kind: 'scheduled' } & PointsSchedule<number>;
type ScheduledVector = { readonly kind: 'scheduled' } & PointsSchedule<readonly number[]>;

/** The values of a trial's hyperparameters, from its start to now. */
export class Schedule<P extends ParameterMap = ParameterMap> {
  /** Columns of {@link toCsv}: the hyperparameters, with `/` and the layer, class or weight where one has several values. */
  readonly columns: readonly string[];
  /** In the order of training; the first has step 0. */
  readonly points: readonly SchedulePoint<P>[];
  readonly #rows: ScheduleRows['rows'];
  readonly #parameters: ReadonlyMap<string, Parameter> | undefined;

  /**
   * @param choices of the trial, which its values have at every point
   * @param parameters that the trial had
   * @internal
   */
  constructor(
    columns: readonly string[],
    rows: ScheduleRows['rows'],
    choices: Choices = {},
    parameters?: ReadonlyMap<string, Parameter>,
  ) {
    this.columns = columns;
    this.#rows = rows;
    this.#parameters = parameters;
    this.points = rows.map(({ step, values }) => ({
      step,
      values: { ...choices, ...byName(columns, values) } as Values<P>,
    }));
  }

  /**
   * Reads what {@link toCsv} wrote.
   * @throws GlocalError INVALID_ARGUMENT, reason NOT_READABLE, naming lines that are not of a schedule
   */
  static fromCsv<P extends ParameterMap = ParameterMap>(csv: string): Schedule<P> {
    check([text, csv, 'csv']);
    const { columns, rows } = readCsv(csv);
    return new Schedule<P>(columns, rows);
  }

  /**
   * Reads what {@link toJson} gave, or JSON text of it.
   * @throws GlocalError INVALID_ARGUMENT, reason NOT_READABLE, naming what is not of a schedule
   */
  static fromJson<P extends ParameterMap = ParameterMap>(json: unknown): Schedule<P> {
    const { columns, rows } = readJson(json);
    return new Schedule<P>(columns, rows);
  }

  /** A header line `step,…` and a line for each point, each ending in a line feed. Numbers keep every digit. */
  toCsv(): string {
    return writeCsv({ columns: this.columns, rows: this.#rows });
  }

  /** As plain data, which `JSON.stringify` writes with every digit. */
  toJson(): ScheduleJson {
    return { columns: this.columns, points: this.#rows };
  }

  /**
   * A module, Python's or for tfjs JavaScript's, that makes an optimizer of the framework follow the schedule. What it does to
   * the optimizer is in its head; it needs nothing but the framework. Of a vector, PyTorch's parameter groups and optax's
   * partitions get the value of their layer.
   * @throws GlocalError INVALID_ARGUMENT, reason NOT_ENCODABLE, naming hyperparameters that an optimizer of the framework has no
   *   setting for: those of the loss, and vectors for Keras and tfjs. `parameters` of the options leaves them out.
   */
  toCode(framework: Framework, options?: CodeOptions): string {
    check([codeOptions, options, 'options']);
    return scheduleCode({ columns: this.columns, rows: this.#rows }, framework, options);
  }

  /**
   * The same values at every inner step as parameters of a space, for a study that repeats the training with the estimator
   * `fixed`: what never moved is fixed, the rest follows its points, vectors as a whole.
   * @param options.steps Inner steps of that study. @default the step of the last point, where a trial that is done ended
   * @throws GlocalError INVALID_ARGUMENT, reason NOT_ENCODABLE, naming networks, whose weights cannot be given
   */
  toScheduled(options: { readonly steps?: number | undefined } = {}): ScheduledValues<P> {
    check([scheduledOptions, options, 'options']);
    const rows = { columns: this.columns, rows: this.#rows };
    return givenParameters(rows, options.steps, this.#parameters) as ScheduledValues<P>;
  }
}

/** All pages of a schedule as one, in their order. */
export async function joinSchedule<P extends ParameterMap>(
  fetch: (pageToken: string) => Promise<proto.Schedule>,
  trial: TrialSpace,
): Promise<Schedule<P>> {
  let columns: readonly string[] = [];
  const points = pages(async (pageToken) => {
    const page = await fetch(pageToken);
    columns = page.parameters;
    return { items: page.points, nextPageToken: page.nextPageToken };
  });
  const rows = await collect(points);
  const parameters = new Map(parametersAt(trial.space, trial.choices));
  return new Schedule<P>(columns, rows, Object.fromEntries(chosen(trial)), parameters);
}

/** Columns of one hyperparameter together, in their order. */
function byName(columns: readonly string[], values: readonly number[]): Record<string, number | number[]> {
  const named = new Map<string, number | number[]>();
  columns.forEach((column, i) => {
    const [name = '', ...of] = column.split('/');
    const value = values[i] ?? Number.NaN;
    const before = named.get(name);
    if (Array.isArray(before)) before.push(value);
    else named.set(name, of.length > 0 ? [value] : value);
  });
  return Object.fromEntries(named);
}
