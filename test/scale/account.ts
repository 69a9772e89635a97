/** What of a fleet's work was lost, doubled or came out otherwise, compared with what nobody disturbed. */

import { isDeepStrictEqual } from 'node:util';
import { doubled, type Finding, lost } from '../faults/finding.ts';

/** A trial at its end. */
export interface EndedTrial {
  readonly name: string;
  readonly seed: number;
  readonly state: string;
  readonly stateReason: string;
  /** All that is to be the same whenever the trial is trained, in the order of the outer steps. */
  readonly steps: readonly { readonly index: number }[];
  /** The same of its result. */
  readonly result: unknown;
}

/** What a watcher was told of a study from its beginning to its end. */
export interface Told {
  /** Of each stored event. */
  readonly cursors: readonly number[];
  /** Names of the outer steps. */
  readonly outerSteps: readonly string[];
}

/**
 * @param asked trials that the study was made with.
 * @param expected trials that nobody disturbed, by seed.
 */
export function accountFor(
  study: string,
  asked: number,
  trials: readonly EndedTrial[],
  told: Told,
  expected: ReadonlyMap<number, EndedTrial>,
): Finding[] {
  const findings: Finding[] = [];
  const seeds = new Set(trials.map(({ seed }) => seed));
  if (seeds.size < asked) findings.push(lost(`${asked - seeds.size} trials of ${study}`));
  if (trials.length > seeds.size) findings.push(doubled(`${trials.length - seeds.size} trials of ${study}`));
  const inOrder = told.cursors.every((cursor, i) => cursor === i + 1);
  if (!inOrder) findings.push(lost(`the order of the events of ${study}: ${told.cursors}`));
  return [...findings, ...trials.flatMap((trial) => accountForTrial(trial, told, expected.get(trial.seed)))];
}

function accountForTrial(trial: EndedTrial, told: Told, expected: EndedTrial | undefined): Finding[] {
  const { name, state, stateReason, steps } = trial;
  const findings: Finding[] = [];
  if (state !== 'SUCCEEDED') findings.push(lost(`${name}, which is ${state}: ${stateReason}`));
  const indices = steps.map(({ index }) => index);
  const different = new Set(indices).size;
  if (different < indices.length) findings.push(doubled(`outer steps of ${name}: ${indices}`));
  const wanted = expected?.steps.length ?? 0;
  if (different < wanted) findings.push(lost(`${wanted - different} outer steps of ${name}`));
  const ofTrial = told.outerSteps.filter((step) => step.startsWith(`${name}/`));
  if (new Set(ofTrial).size < different) {
    findings.push(
      lost(`what a watcher is to be told of ${name}, who heard of ${ofTrial.length} outer steps`),
    );
  }
  if (ofTrial.length > new Set(ofTrial).size) {
    findings.push(doubled(`what a watcher is to be told of ${name} once`));
  }
  const same = isDeepStrictEqual([steps, trial.result], [expected?.steps, expected?.result]);
  if (!same) {
    const at = steps.findIndex((step, i) => !isDeepStrictEqual(step, expected?.steps[i]));
    findings.push({
      kind: 'diverged',
      text: `${name} (seed ${trial.seed}) ${at < 0 ? 'in its result' : `at outer step ${at + 1}`}`,
    });
  }
  return findings;
}

/** The last line of a report. */
export function verdictOf(findings: readonly Finding[]): string {
  const count = (kind: Finding['kind']) => findings.filter((finding) => finding.kind === kind).length;
  return `lost ${count('lost')}, doubled ${count('doubled')}, diverged ${count('diverged')}`;
}
