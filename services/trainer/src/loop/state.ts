/** The outer loop at an outer-step boundary, as plain data: what pausing keeps, and resuming starts from. */

import { LoopState as Record } from '@glocal/proto/glocal/v1/loop_state';
import { decodeRow, encodeRow } from '../resource/rows.ts';
import { type AdamState, initialAdam } from './adam.ts';
import type { OuterMove, OuterOptimizerState } from './outer-optimizer.ts';
import { norm, type Rows } from './window.ts';

export interface LoopState {
  /** Outer steps done, those that were taken back included. */
  readonly outerStepsDone: number;
  /** Inner steps done. */
  readonly stepsDone: number;
  /** At this boundary, in nats. */
  readonly validationLoss: number;
  /** The same at the averaged weights. */
  readonly averagedValidationLoss: number;
  /** The lowest at a boundary so far, at the weights that hypergradients are taken at, since rates were last lowered for it. */
  readonly lowestLoss: number;
  readonly optimizer: OuterOptimizerState;
  /** Euclidean norms of the hypergradients so far, oldest first; the last {@link MAX_PRIOR_NORMS}. */
  readonly priorNorms: readonly number[];
  /** Windows whose update used the local hypergradient because the DMD service gave no report. */
  readonly fallbackWindows: number;
}

/** As many as the DMD service takes (`WindowSpec.prior_norms`). */
export const MAX_PRIOR_NORMS = 10_000;

/**
 * Before the first window.
 * @param point phi of the initial values.
 * @param rate the outer learning rate.
 * @param validationLoss of the weights that training starts from, which are their own average.
 */
export const initialState = (point: Float64Array, rate: number, validationLoss: number): LoopState => ({
  outerStepsDone: 0,
  stepsDone: 0,
  validationLoss,
  averagedValidationLoss: validationLoss,
  lowestLoss: validationLoss,
  optimizer: { point, adam: initialAdam(point.length), rate, last: undefined, clipped: [] },
  priorNorms: [],
  fallbackWindows: 0,
});

/** The norms with those of a window's rows; the last ones. */
export const withNorms = (
  priorNorms: readonly number[],
  rows: Rows,
  most = MAX_PRIOR_NORMS,
): readonly number[] => [...priorNorms, ...rows.map(norm)].slice(-most);

/** As it is kept: an encoded `glocal.v1.LoopState`. */
export const encodeState = (state: LoopState): Uint8Array => Record.encode(stateRecord(state)).finish();

/**
 * The same state again, bit for bit.
 * @throws TypeError when the bytes are not of a whole state.
 */
export const decodeState = (bytes: Uint8Array): LoopState => stateOf(Record.decode(bytes));

/** As a part of another record. */
export const stateRecord = ({ optimizer, priorNorms, ...figures }: LoopState): Record => ({
  ...figures,
  priorNorms: [...priorNorms],
  optimizer: {
    point: encodeRow(optimizer.point),
    moments: momentsOf(optimizer.adam),
    rate: optimizer.rate,
    lastMove: optimizer.last && {
      point: encodeRow(optimizer.last.point),
      moments: momentsOf(optimizer.last.adam),
      gradient: encodeRow(optimizer.last.gradient),
      rateShare: optimizer.last.rateShare,
      retried: optimizer.last.retried,
    },
    clipped: [...optimizer.clipped],
  },
});

/** @throws TypeError when it is not of a whole state. */
export function stateOf({ optimizer, ...figures }: Record): LoopState {
  if (optimizer === undefined) throw new TypeError('the state of the outer loop has no optimizer');
  const { lastMove } = optimizer;
  return {
    ...figures,
    // Not kept before it was asked for: what follows is compared with what follows.
    lowestLoss: figures.lowestLoss ?? Number.POSITIVE_INFINITY,
    optimizer: {
      point: decodeRow(optimizer.point),
      adam: adamOf(optimizer.moments),
      rate: optimizer.rate,
      last: lastMove && moveOf(lastMove),
      clipped: optimizer.clipped,
    },
  };
}

type MomentsRecord = NonNullable<NonNullable<Record['optimizer']>['moments']>;
type MoveRecord = NonNullable<NonNullable<Record['optimizer']>['lastMove']>;

const momentsOf = ({ count, mean, square }: AdamState): MomentsRecord => ({
  count,
  mean: encodeRow(mean),
  square: encodeRow(square),
});

function adamOf(moments: MomentsRecord | undefined): AdamState {
  if (moments === undefined) throw new TypeError('the state of the outer optimizer has no moments');
  return { count: moments.count, mean: decodeRow(moments.mean), square: decodeRow(moments.square) };
}

const moveOf = ({ point, moments, gradient, rateShare, retried }: MoveRecord): OuterMove => ({
  point: decodeRow(point),
  adam: adamOf(moments),
  gradient: decodeRow(gradient),
  // Moves were written without one before there were schedules.
  rateShare: rateShare || 1,
  retried,
});
