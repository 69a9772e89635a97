/** What is known of trials' outer steps: read once, kept up to date by the events, and asked for by charts. */

import type { OuterStep, SentOuterStep, Study } from '@glocal/sdk';
import { type ComponentSeries, type Components, MOST_COMPONENTS, type StepRow } from '../api.ts';
import { figures, finite, stepRow } from './rows.ts';

/** Entries that are kept of all trials, hypergradients included; the trial that was asked for longest ago goes first. */
const MOST_ENTRIES = 20_000_000;
/** Outer steps that are asked for at a time; as many come as a message holds. */
const PAGE = 1_000;
/** So many steps that are missing are read one by one; of more all are read again. */
const FEW = 4;

/** Vectors of an outer step, as long as they are many: what is small is in its row. */
interface StepVectors {
  readonly values: ReadonlyMap<string, Float32Array>;
  readonly local: Float32Array;
  readonly glocal: Float32Array | undefined;
  readonly spread: Float32Array | undefined;
  readonly used: Float32Array;
  readonly trusted: readonly boolean[];
}

/** A trial's outer steps so far. */
class TrialRecord {
  readonly steps: StepRow[] = [];
  readonly #vectors: (StepVectors | undefined)[] = [];
  #names: readonly string[] = [];
  entries = 0;

  /** In order, without gaps: a step that does not come next changes nothing. */
  add(step: OuterStep | SentOuterStep): StepRow {
    const row = stepRow(step);
    if (step.index !== this.steps.length + 1) return row;
    this.steps.push(row);
    this.#vectors.push(this.#vectorsOf(step));
    this.entries += 100;
    return row;
  }

  #vectorsOf({ values, window, report, update }: OuterStep | SentOuterStep): StepVectors | undefined {
    const vectors = Object.entries(values).flatMap(([name, value]): [string, Float32Array][] =>
      Array.isArray(value) ? [[name, Float32Array.from(value)]] : [],
    );
    const many = (window?.components.length ?? 0) > MOST_COMPONENTS;
    if (window !== undefined && window.components.length > 0) this.#names = window.components;
    if (vectors.length === 0 && !many) return undefined;
    const kept = {
      values: new Map(vectors),
      local: Float32Array.from(report?.last ?? []),
      glocal: report?.glocal && Float32Array.from(report.glocal),
      spread: report?.spread && Float32Array.from(report.spread),
      used: Float32Array.from(update?.hypergradient ?? []),
      trusted: report?.componentTrusted ?? [],
    };
    for (const [, vector] of vectors) this.entries += vector.length;
    this.entries += 4 * kept.local.length;
    return kept;
  }

  /** Values of a vector, or what was found of all components, over the outer steps. */
  components(
    of: { readonly parameter: string } | { readonly what: 'local' | 'glocal' | 'used' },
  ): Components {
    const isOf = (name: string) =>
      'what' in of || name === of.parameter || name.startsWith(`${of.parameter}/`);
    const rows = this.#vectors.flatMap((vectors, i) => {
      const vector = 'what' in of ? vectors?.[of.what] : vectors?.values.get(of.parameter);
      return vector === undefined ? [] : [{ step: this.steps[i]?.step ?? 0, vector }];
    });
    const names = this.#names.filter(isOf);
    const width = rows[0]?.vector.length ?? 0;
    return {
      // A vector that does not move has no components of its own.
      names: names.length === width ? names : Array.from({ length: width }, (_, i) => String(i)),
      steps: rows.map(({ step }) => step),
      values: rows.map(({ vector }) => Array.from(vector, short)),
    };
  }

  /** One component of the hypergradient. */
  component(name: string): ComponentSeries | undefined {
    const i = this.#names.indexOf(name);
    if (i < 0) return undefined;
    const at = (pick: (vectors: StepVectors) => Float32Array | undefined) =>
      this.#vectors.map((vectors) => {
        const value = vectors && pick(vectors)?.[i];
        return value === undefined ? null : finite(value);
      });
    return {
      name,
      local: at(({ local }) => local),
      glocal: at(({ glocal }) => glocal),
      spread: at(({ spread }) => spread),
      used: at(({ used }) => used),
      trusted: this.#vectors.map((vectors) => vectors?.trusted[i] ?? false),
    };
  }

  get componentNames(): readonly string[] {
    return this.#names;
  }
}

/** Colours need no more digits. */
const short = (value: number): number | null => finite(Number(value.toPrecision(4)));

/** Records of the trials that were asked for. */
export class TrialRecords {
  readonly #records = new Map<string, { readonly record: TrialRecord; reading: Promise<void> }>();

  /**
   * A trial's record, with every outer step that is stored now.
   * @param trial `studies/{study}/trials/{trial}`
   */
  async of(study: Study, trial: string): Promise<TrialRecord> {
    const kept = this.#records.get(trial) ?? { record: new TrialRecord(), reading: Promise.resolve() };
    this.#records.delete(trial);
    this.#records.set(trial, kept);
    // One reading at a time; whoever comes meanwhile may need more than that one found.
    kept.reading = kept.reading
      .catch(() => undefined)
      .then(() => this.#readMissing(study, trial, kept.record));
    await kept.reading;
    this.#makeRoom(trial);
    return kept.record;
  }

  /** What an event says of a step, which is added to the record where there is one. */
  async heard(study: Study, event: SentOuterStep): Promise<StepRow> {
    const lacksVectors = Object.values(event.values).includes(undefined as never);
    const step = lacksVectors ? await study.outerStep(event.index, { trial: event.trial }) : event;
    const record = this.#records.get(event.trial)?.record;
    return record === undefined ? stepRow(step) : record.add(step);
  }

  /** Forgets the trials of a study. */
  forget(study: string): void {
    for (const name of this.#records.keys())
      if (name.startsWith(`${study}/trials/`)) this.#records.delete(name);
  }

  async #readMissing(study: Study, trial: string, record: TrialRecord): Promise<void> {
    if (record.steps.length > 0) {
      const { outerStepsDone } = await study.trial({ trial });
      if (outerStepsDone - record.steps.length <= FEW) {
        for (let i = record.steps.length + 1; i <= outerStepsDone; i++)
          record.add(await study.outerStep(i, { trial }));
        return;
      }
    }
    for await (const step of study.outerSteps({ trial, pageSize: PAGE })) record.add(step);
  }

  #makeRoom(except: string): void {
    let entries = 0;
    for (const { record } of this.#records.values()) entries += record.entries;
    for (const [name, { record }] of this.#records) {
      if (entries <= MOST_ENTRIES) return;
      if (name === except) continue;
      entries -= record.entries;
      this.#records.delete(name);
    }
  }
}

/** For one window with rows, so many components are shown. */
export const MOST_ROW_COMPONENTS = 400;

/** The rows of a window, of the components that are shown. */
export function windowRows(step: OuterStep): { components: string[]; rows: (number | null)[][] } {
  const { components = [], hypergradients = [] } = step.window ?? {};
  return {
    components: components.slice(0, MOST_ROW_COMPONENTS),
    rows: hypergradients.map((row) => figures(row.subarray(0, MOST_ROW_COMPONENTS))),
  };
}
