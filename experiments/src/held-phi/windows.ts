/** Windows whose hyperparameters were held, and where their hypergradient went afterwards. */

import type { GlocalClient, OuterStep } from '@glocal/sdk';
import type { Finished } from '../outcome.ts';
import type { HeldRows } from './pooled.ts';

/** Inner steps of a long window. It begins without sensitivity, as every window of a tuned training does. */
export const LENGTH = 250;
/** Inner steps after which an estimate is asked for, as the product's windows have them. */
export const ESTIMATED_AT = 50;
/** Hypergradients that the estimate is made from, one a step: the last of those steps. */
export const ROWS = 20;
/** Hypergradients of a long window: from the first that an estimate sees to the last step. */
export const RECORDED = LENGTH - ESTIMATED_AT + ROWS;
/** What is predicted is the mean from here on, in inner steps after the estimate: until then a window's memory fades. */
const LATER = 50;

/** A window, of which the first rows are seen, and what became of its hypergradient. */
export interface HeldWindow extends HeldRows {
  /** Which of the experiment's tables it counts in. */
  readonly group: string;
  /** The training that it is of: its windows are not independent of each other. */
  readonly run: string;
  /** β of the running average that the hypergradients are taken at, where they are taken at one. */
  readonly averaging: number | undefined;
  /** Windows of the same training before it, oldest first. */
  readonly before: readonly HeldRows[];
  /** Mean of the later rows, `[q]`. */
  readonly truth: readonly number[];
  /** Whether it is larger than the later rows' standard deviation, `[q]`: signs are counted where it is. */
  readonly clear: readonly boolean[];
}

/** Undefined where a row is not finite or missing, or nothing moved at all. */
export function heldWindow(
  origin: Pick<HeldWindow, 'group' | 'run' | 'averaging' | 'input' | 'before'>,
  rows: readonly (readonly number[])[],
): HeldWindow | undefined {
  if (rows.length !== RECORDED || !rows.every((row) => row.every(Number.isFinite))) return undefined;
  const later = rows.slice(ROWS + LATER);
  const columns = (rows[0] ?? []).map((_, k) => later.map((row) => row[k] ?? Number.NaN));
  const truth = columns.map((values) => values.reduce((sum, value) => sum + value, 0) / values.length);
  if (truth.every((value) => value === 0)) return undefined;
  const deviations = columns.map((values, k) =>
    Math.sqrt(values.reduce((sum, value) => sum + (value - (truth[k] ?? 0)) ** 2, 0) / (values.length - 1)),
  );
  const clear = truth.map((value, k) => Math.abs(value) > (deviations[k] ?? 0));
  return { ...origin, rows: rows.slice(0, ROWS), truth, clear };
}

/** All of an arm's, and how many of its outer steps gave none. */
export async function windowsOf(
  client: Pick<GlocalClient, 'studies'>,
  { arm, study: name, trials }: Pick<Finished, 'arm' | 'study' | 'trials'>,
  averaging: number | undefined,
  signal: AbortSignal,
): Promise<{ readonly windows: HeldWindow[]; readonly unusable: number }> {
  const study = await client.studies.get(name, { signal });
  const windows: HeldWindow[] = [];
  let unusable = 0;
  for (const { trial } of trials) {
    const before: HeldRows[] = [];
    for await (const step of study.outerSteps({ trial, includeWindows: true, signal })) {
      const input = inputOf(step);
      const origin = { group: arm.table, run: trial, averaging, input, before: [...before] };
      const window = heldWindow(origin, rowsOf(step));
      if (window === undefined) unusable += 1;
      else {
        windows.push(window);
        before.push({ rows: window.rows, input });
      }
    }
  }
  return { windows, unusable };
}

/** The values that were held, of each component of the hypergradient: a rate on a log scale, shares as logits. */
function inputOf({ values, window }: Pick<OuterStep, 'values' | 'window'>): number[] {
  const held = values as Readonly<Record<string, number>>;
  return (window?.components ?? []).map((name) => {
    const value = held[name] ?? Number.NaN;
    return name === 'lr' ? Math.log(value) : Math.log(value / (1 - value));
  });
}

const rowsOf = ({ window }: Pick<OuterStep, 'window'>): number[][] =>
  (window?.hypergradients ?? []).map((row) => Array.from(row));
