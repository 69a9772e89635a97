/** The window that a client reports: its rows, checked, taken to phi, and put together from whatever parts they come in. */

import type { Evaluation } from '@glocal/proto/glocal/v1/study';
import type { Report } from '@glocal/proto/glocal/v1/study_service';
import { FieldError } from '../resource/errors.ts';
import { encodeRow, viewRow } from '../resource/rows.ts';

const VALUE_BYTES = Float64Array.BYTES_PER_ELEMENT;

/** A value was reported before, and is another one now. */
export class ReportedOtherwiseError extends Error {
  override readonly name = 'ReportedOtherwiseError';
}

/** What a window may be made with. */
export interface WindowParts {
  /** What takes the value of each component to the coordinate phi; 1 without. */
  readonly derivatives?: Float64Array;
  /** Of a window before, whose rows nobody needs any more. */
  readonly storage?: Float64Array;
}

export class ReportedWindow {
  /** Index of its outer step. */
  readonly #outerStep: number;
  /** Rows of a whole window. */
  readonly #size: number;
  /** Names of the components. */
  readonly #components: readonly string[];
  readonly #derivatives: Float64Array | undefined;
  /** All rows one after another with respect to phi, as far as they have come. */
  readonly #values: Float64Array;
  #filled = 0;
  #trainLoss: number | undefined;
  #validation: Evaluation | undefined;

  constructor(
    outerStep: number,
    size: number,
    components: readonly string[],
    { derivatives, storage }: WindowParts = {},
  ) {
    this.#outerStep = outerStep;
    this.#derivatives = derivatives;
    this.#size = size;
    this.#components = components;
    this.#values = storage ?? storageFor(size * components.length);
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

  /** One that has come, with respect to phi; not to be changed. */
  row(position: number): Float64Array {
    const q = this.#components.length;
    return this.#values.subarray(position * q, (position + 1) * q);
  }

  /** The values of whole rows that have come, from a position on; not to be changed. */
  rowsFrom(position: number): Float64Array {
    return this.#values.subarray(position, this.rows * this.#components.length);
  }

  /** For a window after this one, when nobody needs the rows of this any more. */
  get storage(): Float64Array {
    return this.#values;
  }

  /**
   * Takes what is new in a report about this window.
   * @returns a report of nothing but that, to be kept, with respect to phi; undefined when nothing is new. Its rows are those of
   *   this window.
   * @throws FieldError naming the field; ReportedOtherwiseError. The window has not changed then.
   */
  take(report: Report): Report | undefined {
    checkFigures(report);
    const values = this.#decode(report);
    const start = this.#start(report, values.length);
    const known = Math.min(this.#filled - start, values.length);
    this.#expectEqual(values.subarray(0, known), start);
    const added = values.subarray(known);
    const { trainLoss, validation } = report;
    if (added.length === 0 && trainLoss === undefined && validation === undefined) return undefined;
    const first = this.#filled;
    this.#append(added);
    this.#trainLoss = trainLoss ?? this.#trainLoss;
    this.#validation = validation ?? this.#validation;
    const hypergradients = encodeRow(this.#values.subarray(first, this.#filled));
    return { ...report, hypergradients, firstComponent: undefined };
  }

  /**
   * Takes again what {@link take} gave to be kept, in the same order.
   * @param natural whether its rows are with respect to the values.
   */
  restore({ hypergradients, trainLoss, validation }: Report, natural = false): void {
    const values = viewRow(hypergradients);
    if (natural) this.#append(values);
    else {
      this.#values.set(values, this.#filled);
      this.#filled += values.length;
    }
    this.#trainLoss = trainLoss ?? this.#trainLoss;
    this.#validation = validation ?? this.#validation;
  }

  /** @throws FieldError for a value that is not finite, before the window has changed. */
  #append(values: Float64Array): void {
    const [all, start, derivatives] = [this.#values, this.#filled, this.#derivatives];
    let component = this.partial;
    for (let i = 0; i < values.length; i++) {
      const value =
        (values[i] as number) * (derivatives === undefined ? 1 : (derivatives[component] as number));
      if (!Number.isFinite(value)) throw this.#notFinite(values, i);
      all[start + i] = value;
      component += 1;
      if (component === this.#components.length) component = 0;
    }
    this.#filled += values.length;
  }

  #decode({ hypergradients, firstComponent }: Report): Float64Array {
    const q = this.#components.length;
    const { length } = hypergradients;
    const fits = firstComponent === undefined ? length % (VALUE_BYTES * q) === 0 : length % VALUE_BYTES === 0;
    if (fits) return viewRow(hypergradients);
    const unit = firstComponent === undefined ? `rows of ${q} values` : 'values';
    throw wrong(
      'hypergradients',
      `has ${length} bytes, which are no whole ${unit} of ${VALUE_BYTES} bytes each`,
    );
  }

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

  /** @param values that were reported for what has come from `start` on. */
  #expectEqual(values: Float64Array, start: number): void {
    const q = this.#components.length;
    const derivatives = this.#derivatives;
    for (let i = 0; i < values.length; i++) {
      const value = (values[i] as number) * (derivatives?.[(start + i) % q] ?? 1);
      if (Object.is(value, this.#values[start + i])) continue;
      throw new ReportedOtherwiseError(
        `${this.#where(start + i)} of outer step ${this.#outerStep} was reported with another value before`,
      );
    }
  }

  /** @param position of the first of the values that is not finite, or not with respect to phi. */
  #notFinite(values: Float64Array, position: number): FieldError {
    const value = values[position] as number;
    const what = Number.isFinite(value)
      ? `${value}, which is not finite with respect to the unconstrained coordinate`
      : value;
    return wrong(
      'hypergradients',
      `${this.#where(this.#filled + position)} is ${what}; when training has diverged, report a train_loss or validation.loss that is not finite`,
    );
  }

  #where(position: number): string {
    const q = this.#components.length;
    return `row ${Math.floor(position / q)}, component ${position % q} (${this.#components[position % q]})`;
  }
}

/** Memory that the store's thread reads, too, so that rows get there without being copied. */
const storageFor = (values: number): Float64Array =>
  new Float64Array(new SharedArrayBuffer(VALUE_BYTES * values));

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
