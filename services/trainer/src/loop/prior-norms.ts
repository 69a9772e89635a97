/** The norms that a stored window was analyzed with, from the windows stored before it. */

import { outerStepName, parseTrialName } from '../resource/names.ts';
import { decodeRow, rowsOf } from '../resource/rows.ts';
import type { Store } from '../store/store.ts';
import { norm } from './window.ts';

/** Bytes of rows that are read for it: windows further back are left aside. */
const MAX_BYTES = 256 * 2 ** 20;

/**
 * Euclidean norms of the hypergradients before an outer step, oldest first: those of the last windows that were not taken
 * back, as the loop had them.
 * @param most of them.
 */
export async function priorNormsOf(
  store: Pick<Store, 'getOuterStep'>,
  trial: string,
  index: number,
  most: number,
): Promise<number[]> {
  const { study, trial: number } = parseTrialName(trial, 'trial');
  const windows: number[][] = [];
  let count = 0;
  let bytes = 0;
  for (let before = index - 1; before >= 1 && count < most && bytes < MAX_BYTES; before--) {
    const { window, update } = (await store.getOuterStep(outerStepName(study, number, before))) ?? {};
    if (window === undefined || update?.rolledBack) continue;
    bytes += window.hypergradients.length;
    const norms = rowsOf(decodeRow(window.hypergradients), window.rows).map(norm);
    count += norms.length;
    windows.push(norms);
  }
  return windows.reverse().flat().slice(-most);
}
