import * as dmd from '@glocal/proto/glocal/v1/dmd';
import * as study from '@glocal/proto/glocal/v1/study';
import { describe, expect, it } from 'vitest';
import {
  choices,
  type Estimator,
  estimatorName,
  type Scale,
  type Scaling,
  type Source,
  type StudyState,
  sourceName,
  studyStateName,
  type TrialState,
  type Verdict,
  verdictName,
} from './enums.ts';

/** Every name of a union; the compiler refuses the list when one is missing. */
const all = <Name extends string>(names: Record<Name, true>) => Object.keys(names).sort();

describe('string unions', () => {
  it.each([
    [
      'Estimator',
      study.Estimator,
      all<Estimator>({ fixed: true, local: true, mean: true, median: true, glocal: true }),
    ],
    ['Scale', study.Scale, all<Scale>({ logit: true, log: true, linear: true })],
    ['Scaling', dmd.Scaling, all<Scaling>({ component: true, global: true, none: true })],
    [
      'Source',
      study.Source,
      all<Exclude<Source, 'unknown'>>({ glocal: true, local: true, mean: true, median: true, held: true }),
    ],
    [
      'StudyState',
      study.StudyState,
      all<Exclude<StudyState, 'UNKNOWN'>>({ ACTIVE: true, COMPLETED: true, CANCELLED: true, FAILED: true }),
    ],
    [
      'TrialState',
      study.TrialState,
      all<Exclude<TrialState, 'UNKNOWN'>>({
        PENDING: true,
        RUNNING: true,
        SUCCEEDED: true,
        FAILED: true,
        INFEASIBLE: true,
        CANCELLED: true,
      }),
    ],
    [
      'Verdict',
      dmd.Verdict,
      all<Exclude<Verdict, 'UNKNOWN'>>({
        TRUSTED: true,
        UNCERTAIN: true,
        NO_STEADY_MODE: true,
        OSCILLATING: true,
        DIVERGING: true,
        DEGENERATE: true,
      }),
    ],
  ])('%s has the names of the contract', (_name, values, names) => {
    expect(names.map((name) => name.toLowerCase())).toEqual(choices(values).sort());
  });

  it('translate what a server sends', () => {
    expect(estimatorName(study.Estimator.GLOCAL)).toBe('glocal');
    expect(verdictName(dmd.Verdict.NO_STEADY_MODE)).toBe('NO_STEADY_MODE');
  });

  it('say when a newer server sends something else', () => {
    expect(studyStateName(99)).toBe('UNKNOWN');
    expect(verdictName(dmd.Verdict.UNSPECIFIED)).toBe('UNKNOWN');
    expect(sourceName(99)).toBe('unknown');
  });
});
