import * as dmd from '@glocal/proto/glocal/v1/dmd';
import * as study from '@glocal/proto/glocal/v1/study';
import * as service from '@glocal/proto/glocal/v1/study_service';
import { describe, expect, it } from 'vitest';
import {
  type ArtifactKind,
  asCallersWrite,
  choices,
  type DatasetFilesState,
  type Differentiation,
  type DmdAbsence,
  type Estimator,
  type EvaluationPoint,
  estimatorName,
  type Grouping,
  type OuterSchedule,
  type Role,
  type RunMode,
  type SamplingMethod,
  type Scale,
  type Scaling,
  type Source,
  type StudyState,
  sourceName,
  studyStateName,
  type TrialState,
  type Variant,
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
      all<Estimator>({ fixed: true, local: true, mean: true, median: true, glocal: true, global: true }),
    ],
    ['EvaluationPoint', study.EvaluationPoint, all<EvaluationPoint>({ last_iterate: true, averaged: true })],
    [
      'Differentiation',
      study.Differentiation,
      all<Differentiation>({ auto: true, forward: true, reverse: true }),
    ],
    ['Grouping', study.Grouping, all<Grouping>({ none: true, layer: true, class: true })],
    [
      'Variant',
      dmd.Variant,
      all<Variant>({
        hankel: true,
        affine: true,
        forward_backward: true,
        optimized: true,
        mean: true,
        median: true,
        last: true,
      }),
    ],
    ['Scale', study.Scale, all<Scale>({ logit: true, log: true, linear: true })],
    ['Scaling', dmd.Scaling, all<Scaling>({ component: true, global: true, none: true })],
    [
      'Source',
      study.Source,
      all<Exclude<Source, 'unknown'>>({
        glocal: true,
        local: true,
        mean: true,
        median: true,
        held: true,
        driver: true,
        lowered: true,
      }),
    ],
    ['RunMode', study.RunMode, all<RunMode>({ managed: true, driven: true, external: true })],
    ['SamplingMethod', study.SamplingMethod, all<SamplingMethod>({ grid: true, random: true, sobol: true })],
    ['OuterSchedule', study.OuterSchedule, all<OuterSchedule>({ constant: true, cosine: true })],
    ['DmdAbsence', study.DmdAbsence, all<DmdAbsence>({ fall_back: true, pause: true })],
    ['ArtifactKind', service.ArtifactKind, all<ArtifactKind>({ model: true, dataset: true })],
    [
      'DatasetFilesState',
      service.DatasetFilesState,
      all<Exclude<DatasetFilesState, 'UNKNOWN'>>({ PRESENT: true, DOWNLOADABLE: true, MISSING: true }),
    ],
    ['Role', service.Role, all<Exclude<Role, 'UNKNOWN'>>({ READ: true, WRITE: true, ADMIN: true })],
    [
      'StudyState',
      study.StudyState,
      all<Exclude<StudyState, 'UNKNOWN'>>({
        ACTIVE: true,
        PAUSED: true,
        COMPLETED: true,
        CANCELLED: true,
        FAILED: true,
      }),
    ],
    [
      'TrialState',
      study.TrialState,
      all<Exclude<TrialState, 'UNKNOWN'>>({
        PENDING: true,
        PAUSED: true,
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

  it('are told in lower case where callers choose them, and left as they are elsewhere', () => {
    expect(asCallersWrite('goes with FIXED only, not while the trial is RUNNING')).toBe(
      "goes with 'fixed' only, not while the trial is RUNNING",
    );
    expect(asCallersWrite('LAST_ITERATE, or TRUSTED by the DMD service')).toBe(
      "'last_iterate', or TRUSTED by the DMD service",
    );
  });
});
