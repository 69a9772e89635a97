/** What a window is to the DMD service: its shape, how it is analyzed, and what came before it. */

import type { WindowSpec } from '@glocal/proto/glocal/v1/dmd';
import { withFields } from '../error.ts';
import { encodeVector } from '../float64.ts';
import type { DmdOptions } from '../spec.ts';
import { encodeDmdOptions } from '../spec-codec.ts';

/** How a window is analyzed. */
export interface AnalyzeOptions {
  /**
   * Options of the decomposition. What is left out is as the service has it, which is not as a study has it: the variant `hankel`
   * with 10 delays (docs/dmd.md).
   */
  readonly dmd?: DmdOptions | undefined;
  /** Inner steps between two rows. @default 1 */
  readonly stride?: number | undefined;
  /**
   * Euclidean norms of the hypergradients before this window, oldest first, at most 10,000. With 20 or more a spike in the window
   * is recognised as DIVERGING. @default none
   */
  readonly priorNorms?: readonly number[] | undefined;
  /**
   * The size of each component, above 0, in place of `dmd.scaling`, say the largest absolute values of the window before: the
   * service then works on rows as they come. @default none
   */
  readonly scales?: Float64Array | undefined;
}

/** With fewer components a whole window takes a millisecond or two: it is analyzed by its own sizes. */
const WORTH_SCALES = 1_000;

/** Whether windows are analyzed by the sizes of the window before, as their rows come. */
export const usesScales = ({ dmd }: AnalyzeOptions, components: number): boolean =>
  (dmd?.scaling ?? 'component') === 'component' && components >= WORTH_SCALES;

export const encodeWindowSpec = (
  rows: number,
  components: number,
  { dmd = {}, stride, priorNorms = [], scales }: AnalyzeOptions,
): WindowSpec => ({
  rows,
  components,
  options: { ...encodeDmdOptions(dmd), ...(stride !== undefined && { stride }) },
  priorNorms: [...priorNorms],
  scales: scales && encodeVector([scales]),
});

/** What the service has against a window, with the fields as they are called in the options. */
export const asOptions = (error: unknown): unknown => withFields(error, optionOf);

function optionOf(field: string): string {
  const own = field.replace(/^(?:spec|open)\./, '');
  if (own === 'options.stride') return 'stride';
  return own.replace(/^options\./, 'dmd.').replace(/^hypergradients\b/, 'rows');
}

/** Rows that a window needs at least: one more than are stacked in an observable. */
export const leastRows = ({ dmd, stride = 1 }: AnalyzeOptions): number =>
  (dmd?.delays ?? (stride > 1 ? 2 : dmd?.variant === 'affine' ? 3 : 10)) + 1;
