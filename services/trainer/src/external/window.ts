/** The window that a client reports: its rows, checked and put together from whatever parts they come in. */

import type { Evaluation } from '@glocal/proto/glocal/v1/study';
import type { Report } from '@glocal/proto/glocal/v1/study_service';
import { FieldError } from '../resource/errors.ts';
import { decodeRow, encodeRow } from '../resource/rows.ts';

const VALUE_BYTES = Float64Array.BYTES_PER_ELEMENT;

/** A value was reported before, and is another one now. */
export class ReportedOtherwiseError extends Error {
  override readonly name = 'ReportedOtherwiseError';
}

/** Of each component. */
export interface ComponentScales {
  /** What reported values are multiplied by first; 1 without. */
  readonly factors?: Float64Array;
  /** What takes values to the coordinate phi, in which they must be finite, too; 1 without. */
  readonly derivatives?: Float64Array;
}

export class ReportedWindow {
  /** Index of its outer step. */
  readonly #outerStep: number;
  /** Rows of a whole window. */
  readonly #size: number;
  /** Names of the components. */
  readonly #components: readonly string[];
  readonly #factors: Float64Array | undefined;
  readonly #derivatives: Float64Array | undefined;
  /** All rows one after another, as far as they have come. */
  readonly #values: Float64Array;
  #filled = 0;
  #trainLoss: number | undefined;
  #validation: Evaluation | undefined;

  constructor(
    outerStep: number,
    size: number,
    components: readonly string[],
    { factors, derivatives }: ComponentScales = {},
  ) {
    this.#outerStep = outerStep;
    this.#factors = factors;
    this.#derivatives = derivatives;
    this.#size = size;
    this.#components = components;
    this.#values = new Float64Array(size * components.length);
  }

  /** Whole rows that have come. */
  get rows(): number {
    return Math.floor(this.#filled / this.#components.length);
  }

  /** Components of the next row that have come. */
  get partial(): number {
    return this.#filled % this.#components.length;
  }

  /** In nats or whatever the client minimises. */
  get trainLoss(): number | undefined {
    return this.#trainLoss;
  }

  get validation(): Evaluation | undefined {
    return this.#validation;
  }

  /** Whether the client says that a loss is not finite. */
  get diverged(): boolean {
    return [this.#trainLoss, this.#validation?.loss].some(
      (loss) => loss !== undefined && !Number.isFinite(loss),
    );
  }

  /** Whether there is nothing more to wait for. */
  get isOver(): boolean {
    return this.#filled === this.#values.length || this.diverged;
  }

  /** Whether a report about this window has the last of its values. */
  reachesEnd({ firstRow, firstComponent = 0, hypergradients }: Report): boolean {
    const start = firstRow * this.#components.length + firstComponent;
    return start + hypergradients.length / VALUE_BYTES >= this.#filled;
  }

  /** One that has come, with respect to the values; not to be changed. */
  row(position: number): Float64Array {
    const q = this.#components.length;
    return this.#values.subarray(position * q, (position + 1) * q);
  }

  /**
   * Takes what is new in a report about this window.
   * @returns a report of nothing but that, to be kept; undefined when nothing is new.
   * @throws FieldError naming the field; ReportedOtherwiseError. The window has not changed then.
   */
  take(report: Report): Report | undefined {
    checkFigures(report);
    const values = this.#decode(report);
    const start = this.#start(report, values.length);
    const known = Math.min(this.#filled - start, values.length);
    this.#expectEqual(values.subarray(0, known), start);
    const added = values.subarray(known);
    this.#checkFinite(added);
    const { trainLoss, validation } = report;
    if (added.length === 0 && trainLoss === undefined && validation === undefined) return undefined;
    this.#append(added);
    this.#trainLoss = trainLoss ?? this.#trainLoss;
    this.#validation = validation ?? this.#validation;
    return { ...report, hypergradients: encodeRow(added.slice()), firstComponent: undefined };
  }

  /** Takes again what {@link take} gave to be kept, in the same order. */
  restore({ hypergradients, trainLoss, validation }: Report): void {
    this.#append(decodeRow(hypergradients));
    this.#trainLoss = trainLoss ?? this.#trainLoss;
    this.#validation = validation ?? this.#validation;
  }

  #append(values: Float64Array): void {
    this.#values.set(values, this.#filled);
    this.#filled += values.length;
  }

  #decode({ hypergradients, firstComponent }: Report): Float64Array {
    const q = this.#components.length;
    const { length } = hypergradients;
    const fits = firstComponent === undefined ? length % (VALUE_BYTES * q) === 0 : length % VALUE_BYTES === 0;
    if (!fits) {
      const unit = firstComponent === undefined ? `rows of ${q} values` : 'values';
      throw wrong(
        'hypergradients',
        `has ${length} bytes, which are no whole ${unit} of ${VALUE_BYTES} bytes each`,
      );
    }
    const factors = this.#factors;
    const values = decodeRow(hypergradients);
    return factors ? values.map((h, i) => h * (factors[((firstComponent ?? 0) + i) % q] as number)) : values;
  }

  /** Where in the window the first of these values is. */
  #start({ firstRow, firstComponent: part }: Report, count: number): number {
    const q = this.#components.length;
    const isPart = part !== undefined;
    const firstComponent = part ?? 0;
    if (!(firstRow >= 0 && firstRow < this.#size)) {
      throw wrong(
        'first_row',
        `${firstRow} is not the position of one of the ${this.#size} rows of a window`,
      );
    }
    if (!(firstComponent >= 0 && firstComponent < q)) {
      throw wrong('first_component', `${firstComponent} is not the position of one of ${q} components`);
    }
    const room = isPart ? q - firstComponent : (this.#size - firstRow) * q;
    if (count > room) {
      const what = isPart
        ? `goes beyond the row, which has ${room} components from first_component = ${firstComponent} on`
        : `has ${count / q} rows; from first_row = ${firstRow} on a window of ${this.#size} has ${room / q}`;
      throw wrong('hypergradients', what);
    }
    const start = firstRow * q + firstComponent;
    if (start > this.#filled) {
      const isRow = firstRow > this.rows;
      throw isRow
        ? wrong('first_row', `${firstRow} leaves a gap: row ${this.rows} comes next`)
        : wrong('first_component', `${firstComponent} leaves a gap: component ${this.partial} comes next`);
    }
    return start;
  }

  #expectEqual(values: Float64Array, start: number): void {
    const other = values.findIndex((value, i) => !Object.is(value, this.#values[start + i]));
    if (other < 0) return;
    throw new ReportedOtherwiseError(
      `${this.#where(start + other)} of outer step ${this.#outerStep} was reported with another value before`,
    );
  }

  #checkFinite(values: Float64Array): void {
    const bad = this.#firstInfinite(values);
    if (bad < 0) return;
    const value = values[bad] as number;
    const what = Number.isFinite(value)
      ? `${value}, which is not finite with respect to the unconstrained coordinate`
      : value;
    throw wrong(
      'hypergradients',
      `${this.#where(this.#filled + bad)} is ${what}; when training has diverged, report a train_loss or validation.loss that is not finite`,
    );
  }

  /** Position of the first of these values that is not finite with respect to phi; -1 where all are. */
  #firstInfinite(values: Float64Array): number {
    const derivatives = this.#derivatives;
    let component = this.partial;
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      if (!Number.isFinite(derivatives === undefined ? value : value * (derivatives[component] as number)))
        return i;
      component += 1;
      if (component === this.#components.length) component = 0;
    }
    return -1;
  }

  #where(position: number): string {
    const q = this.#components.length;
    return `row ${Math.floor(position / q)}, component ${position % q} (${this.#components[position % q]})`;
  }
}

/** Losses may be anything: one that is not finite says that training has diverged. */
function checkFigures({ validation }: Report): void {
  if (validation === undefined) return;
  const { accuracy, examples } = validation;
  if (!(accuracy >= 0 && accuracy <= 1)) {
    throw wrong('validation.accuracy', `${accuracy} is not a share from 0 to 1`);
  }
  if (examples < 0) throw wrong('validation.examples', `${examples} is not a number of examples`);
}

const wrong = (field: string, description: string): FieldError =>
  FieldError.of('REPORT', `report.${field}`, description);
