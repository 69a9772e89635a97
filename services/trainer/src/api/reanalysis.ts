/** ReanalyzeWindow: what other options would have made of a stored window. Nothing is trained, and nothing is stored. */

import type { DmdOptions, WindowReport } from '@glocal/proto/glocal/v1/dmd';
import { Estimator, type OuterStep, RunMode, Source, type Study } from '@glocal/proto/glocal/v1/study';
import type { ReanalyzeWindowResponse, StudyServiceService } from '@glocal/proto/glocal/v1/study_service';
import { type ServiceError, status } from '@grpc/grpc-js';
import type { DmdClient } from '../dmd/client.ts';
import { DmdError } from '../dmd/errors.ts';
import { scalesOf, usesScales } from '../external/scales.ts';
import { MAX_PRIOR_NORMS as MAX_EXTERNAL_NORMS } from '../external/trial.ts';
import { suggest } from '../loop/policy.ts';
import { priorNormsOf } from '../loop/prior-norms.ts';
import { MAX_PRIOR_NORMS } from '../loop/state.ts';
import { isFiniteRow, type Rows } from '../loop/window.ts';
import { unlessAborted } from '../resource/abort.ts';
import type { CompleteDmdOptions, CompleteMethod } from '../resource/complete-study.ts';
import { FieldError, NotFoundError, StateError } from '../resource/errors.ts';
import { outerStepName, parseOuterStepName, studyName, trialName } from '../resource/names.ts';
import { decodeRow, rowsOf } from '../resource/rows.ts';
import type { Store } from '../store/store.ts';
import { Checker } from '../study/specification/checker.ts';
import { completeDmd } from '../study/specification/dmd.ts';
import { ApiError } from './errors.ts';
import type { Methods } from './handlers.ts';

/** Nobody who asks waits for long, and may ask again. */
const RETRY_BUDGET_MS = 5_000;

export interface ReanalysisParts {
  readonly store: Pick<Store, 'getStudy' | 'getOuterStep'>;
  readonly dmd: Pick<DmdClient, 'analyze'>;
}

/** The method behind ReanalyzeWindow. */
export function reanalysis({
  store,
  dmd,
}: ReanalysisParts): Pick<Methods<typeof StudyServiceService>, 'reanalyzeWindow'> {
  return {
    reanalyzeWindow: async ({ name, sigma, dmd: requested }, { signal, span }) => {
      const { study: id, trial, index } = parseOuterStepName(name, 'name');
      const study = await store.getStudy(studyName(id));
      const outerStep = await store.getOuterStep(name);
      if (study === undefined || outerStep === undefined) throw new NotFoundError(name);
      const all = rowsToAnalyze(outerStep);
      // Completion has filled it in before the study was stored.
      const method = study.method as CompleteMethod;
      const options = optionsOf(requested, method, { sigma, rows: all.length });
      const rows = all.slice(sigma === 0 ? 0 : -sigma);
      const shape = {
        rows: rows.length,
        components: rows[0]?.length ?? 0,
        options,
        priorNorms: await priorNormsOf(store, trialName(id, trial), index, mostNorms(study)),
        trace: span?.context,
        scales: await scalesBefore(study, { ...method, dmd: options }, outerStepName(id, trial, index - 1)),
      };
      const report = await unlessAborted(dmd.analyze(shape, rows, RETRY_BUDGET_MS), signal).catch(refuse);
      return { report, ...whatGlocalUses(rows, report) };
    },
  };

  /** An external trial's windows of many components were analyzed by the sizes of the window before. */
  async function scalesBefore({ mode }: Study, method: CompleteMethod, before: string) {
    const window = mode === RunMode.EXTERNAL ? (await store.getOuterStep(before))?.window : undefined;
    if (window === undefined || !usesScales(method, window.components.length)) return undefined;
    return scalesOf(rowsOf(decodeRow(window.hypergradients), window.rows));
  }
}

const mostNorms = ({ mode }: Study): number =>
  mode === RunMode.EXTERNAL ? MAX_EXTERNAL_NORMS : MAX_PRIOR_NORMS;

/** @throws StateError when there is nothing to decompose. */
function rowsToAnalyze({ name, window }: OuterStep): Float64Array[] {
  const rows = window === undefined ? [] : rowsOf(decodeRow(window.hypergradients), window.rows);
  if (rows.length < 2) {
    throw new StateError(`${name} has ${rows.length} hypergradients; a decomposition takes 2 at least`);
  }
  if (!rows.every(isFiniteRow)) throw new StateError(`a hypergradient of ${name} is not finite`);
  return rows;
}

/** The study's options, but for those that were asked for. @throws FieldError */
function optionsOf(
  requested: DmdOptions | undefined,
  { dmd, stride }: CompleteMethod,
  { sigma, rows }: { readonly sigma: number; readonly rows: number },
): CompleteDmdOptions {
  const check = new Checker();
  const options = completeDmd(
    {
      variant: requested?.variant || dmd.variant,
      delays: requested?.delays ?? dmd.delays,
      svdRank: requested?.svdRank ?? dmd.svdRank,
      tolerance: requested?.tolerance ?? dmd.tolerance,
      clip: requested?.clip ?? dmd.clip,
      ridge: requested?.ridge ?? dmd.ridge,
      lastShare: requested?.lastShare ?? dmd.lastShare,
      scaling: requested?.scaling || dmd.scaling,
      selection: requested?.selection || dmd.selection,
      anchor: requested?.anchor || dmd.anchor,
      includeContributions: requested?.includeContributions || dmd.includeContributions,
      stride: requested?.stride,
    },
    stride,
    check,
    'dmd',
  );
  const isWindow = check.require(
    sigma >= 0 && sigma <= rows,
    'sigma',
    `${sigma} is not a number of rows from 1 to ${rows}, which the window has; 0 for all`,
  );
  if (isWindow && options.delays >= 1) {
    const given = sigma || rows;
    const field = sigma > 0 && given < rows ? 'sigma' : 'dmd.delays';
    check.require(
      given > options.delays,
      field,
      `${given} rows are too few for delays = ${options.delays}; at least ${options.delays + 1}`,
    );
  }
  if (check.violations.length > 0) throw new FieldError('REANALYSIS', check.violations);
  return options;
}

/**
 * What the policy makes of such a report. A roll-back uses none, a hold holds all components. What the losses decide besides, as whether a
 * window that diverges is taken back or pushes the rates down, is not told here.
 */
function whatGlocalUses(rows: Rows, report: WindowReport): Omit<ReanalyzeWindowResponse, 'report'> {
  const suggestion = suggest(Estimator.GLOCAL, rows, report);
  const { reason } = suggestion;
  switch (suggestion.action) {
    case 'move':
      return { hypergradient: [...suggestion.hypergradient], sources: [...suggestion.sources], reason };
    case 'hold':
      return { hypergradient: [], sources: Array.from(rows[0] ?? [], () => Source.HELD), reason };
    case 'rollBack':
      return { hypergradient: [], sources: [], reason };
  }
}

/** @throws what the caller is told. */
function refuse(error: unknown): never {
  if (!(error instanceof DmdError)) throw error;
  if (error.kind !== 'refused') {
    const options = { retryAfterMs: RETRY_BUDGET_MS, cause: error };
    throw new ApiError(status.UNAVAILABLE, 'DMD_UNAVAILABLE', error.message, options);
  }
  const { code } = (error.cause ?? {}) as Partial<ServiceError>;
  if (code === status.RESOURCE_EXHAUSTED) {
    throw new ApiError(status.RESOURCE_EXHAUSTED, 'DMD_LIMITS', error.message, { cause: error });
  }
  throw FieldError.of('REANALYSIS', 'dmd', error.message);
}
