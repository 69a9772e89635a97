/** A stored window, analyzed again with other options. */

import * as dmd from '@glocal/proto/glocal/v1/dmd';
import type * as proto from '@glocal/proto/glocal/v1/study_service';
import { type Source, sourceName } from './enums.ts';
import { decodeReport, type WindowReport } from './report.ts';
import type { DmdOptions } from './spec.ts';
import type { TrialOptions } from './study.ts';

/** Options of `study.reanalyze()`. */
export interface ReanalyzeOptions extends TrialOptions {
  /** How many of the last rows to take. @default all of them */
  readonly sigma?: number | undefined;
  /** Options of the decomposition. @default each as in the study */
  readonly dmd?: DmdOptions | undefined;
}

/** What `glocal` would have made of a window with other options. */
export interface Reanalysis {
  /** What the decomposition found. */
  readonly report: WindowReport;
  /** The hypergradient that would have been used, in the order of the window's components. */
  readonly hypergradient: readonly number[];
  /** Where each component of it would have come from. */
  readonly sources: readonly Source[];
  /** Why, in one sentence. */
  readonly reason: string;
}

/** @throws GlocalError DATA_LOSS */
export const decodeReanalysis = (response: proto.ReanalyzeWindowResponse): Reanalysis => ({
  report: decodeReport(dmd.WindowReport.create(response.report)),
  hypergradient: response.hypergradient,
  sources: response.sources.map(sourceName),
  reason: response.reason,
});
