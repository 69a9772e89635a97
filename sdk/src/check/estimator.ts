/** What a `GlocalEstimator` takes. */

import { EstimatedWindow } from '../estimator/estimated-window.ts';
import type { EstimatorOptions, WindowOptions } from '../estimator/estimator.ts';
import type { AnalyzeOptions } from '../estimator/window-spec.ts';
import type { CallOptions } from '../options.ts';
import { call, client, reconnecting } from './calls.ts';
import { INT32_MAX, list, object, optional, type Rules, rule, whole } from './rule.ts';
import { dmdOptions } from './specification.ts';

const { reconnectTimeout, onDisconnect } = reconnecting;

const norm = rule((value) => Number.isFinite(value) && (value as number) >= 0, 'a number from 0 on');
const analysis: Rules<AnalyzeOptions> = {
  dmd: optional(dmdOptions),
  stride: optional(whole(1, INT32_MAX)),
  priorNorms: optional(list(norm)),
  scales: optional(rule((value) => value instanceof Float64Array, 'a Float64Array')),
};

export const estimatorOptions = object<EstimatorOptions>({ ...client, reconnectTimeout, onDisconnect });
export const analyzeOptions = object<AnalyzeOptions & CallOptions>({ ...call, ...analysis });
export const windowOptions = object<WindowOptions>({
  ...analysis,
  rows: whole(1, INT32_MAX),
  components: whole(1, INT32_MAX),
  follows: optional(rule((value) => value instanceof EstimatedWindow, 'a window that was opened before')),
});
