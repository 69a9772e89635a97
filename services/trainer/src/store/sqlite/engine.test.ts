import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Study, StudyState, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StateError } from '../../resource/errors.ts';
import { StoreUnavailableError } from '../errors.ts';
import type { EncodedNewStudy } from '../sql/creations.ts';
import { answerAll, type Call, takeTurn } from './calls.ts';
import { SqliteEngine } from './engine.ts';

let folder: string;
let engine: SqliteEngine;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'glocal-engine-'));
  engine = new SqliteEngine(join(folder, 'studies.db'));
});
afterEach(() => {
  engine.close();
  rmSync(folder, { recursive: true });
});

const TRIAL = 'studies/a/trials/0';
const create = (id: string, owner = '', limits: Partial<EncodedNewStudy> = {}) => {
  const study = Study.fromPartial({ name: `studies/${id}`, owner, state: StudyState.ACTIVE });
  const trial = Trial.fromPartial({ name: `studies/${id}/trials/0`, state: TrialState.PENDING });
  return () =>
    engine.call('createStudy', {
      name: study.name,
      study: Study.encode(study).finish(),
      trials: [{ name: trial.name, trial: Trial.encode(trial).finish() }],
      requestId: '',
      fingerprint: Buffer.of(1),
      maxActiveStudies: 100,
      ...limits,
    });
};
/** As `node:sqlite` tells that the disk is full, also with an extended code. */
const full = (errcode: number) => () => {
  throw Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR', errcode });
};

describe('writes that are made durable together', () => {
  it('each have their own outcome: one that is refused leaves no trace and the others as they are', () => {
    const outcomes = engine.commit([
      create('a'),
      () => {
        engine.call('startTrial', TRIAL);
        engine.call('startTrial', TRIAL);
      },
      create('b'),
    ]);
    expect(outcomes).toEqual([{ value: undefined }, { error: expect.any(StateError) }, { value: undefined }]);
    expect(Trial.decode(engine.call('getTrial', TRIAL) as Uint8Array).state).toBe(TrialState.PENDING);
    expect(engine.call('listStudies', { limit: 9 }).records).toHaveLength(2);
  });

  it.each([13, 10 + (3 << 8)])(
    'are tried one by one when the disk refuses (code %i), which is what its own is told',
    (code) => {
      const outcomes = engine.commit([create('a'), full(code), create('b')]);
      expect(outcomes.map((outcome) => 'value' in outcome)).toEqual([true, false, true]);
      const error = (outcomes[1] as { readonly error: Error }).error;
      expect(error).toBeInstanceOf(StoreUnavailableError);
      expect(error.message).toMatch(/^the store cannot write: [^()]+$/);
      expect(error.cause).toMatchObject({ errcode: code });
      expect(engine.call('listStudies', { limit: 9 }).records).toHaveLength(2);
    },
  );
});

describe('calls that came together', () => {
  it('are answered with what is read first, and a few writes at a time', () => {
    const write = (id: number): Call => ({ id, method: 'cancelStudy', args: ['studies/none'] });
    const waiting = [...Array.from({ length: 40 }, (_, id) => write(id))];
    waiting.push({ id: 40, method: 'getTrial', args: [TRIAL] });
    const turn = takeTurn(waiting);
    expect(waiting.map(({ id }) => id)).toEqual([32, 33, 34, 35, 36, 37, 38, 39]);
    const [reads, writes] = answerAll(engine, turn);
    expect(reads).toEqual([{ id: 40, value: undefined }]);
    expect(writes?.map(({ id }) => id)).toEqual(Array.from({ length: 32 }, (_, id) => id));
  });
});

describe('the limits of ACTIVE studies', () => {
  /** That so many are active is what a refusal says. */
  const expectActive = (all: number, ofAnn: number) => {
    expect(create('x', 'ann', { maxActiveStudies: all })).toThrow(`${all} studies are active`);
    expect(create('x', 'ann', { maxOwnerActiveStudies: ofAnn })).toThrow(`${ofAnn} of your studies`);
    expect(create('x', 'eve', { maxOwnerActiveStudies: 0 })).toThrow('0 of your studies');
  };

  it('count what is ACTIVE, of all and of an owner, whatever has become of the others', () => {
    create('a', 'ann')();
    create('b', 'ann')();
    create('c', 'bob')();
    expectActive(3, 2);
    engine.call('pauseStudy', 'studies/a');
    expectActive(2, 1);
    engine.call('resumeStudy', { name: 'studies/a', points: [], maxActiveStudies: 3 });
    expectActive(3, 2);
    engine.call('cancelStudy', 'studies/b');
    engine.call('deleteStudy', 'studies/b');
    expectActive(2, 1);
    engine.commit([
      () => {
        create('d', 'ann')();
        engine.call('startTrial', 'studies/none');
      },
    ]);
    expectActive(2, 1);
  });
});
