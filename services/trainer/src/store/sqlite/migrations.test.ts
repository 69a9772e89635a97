import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { OuterStep, RunMode, Study, StudyState, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { Artifact, Report, StudyEvent } from '@glocal/proto/glocal/v1/study_service';
import { afterAll, describe, expect, it } from 'vitest';
import { withoutLargeParts } from '../../resource/outer-step.ts';
import { ActiveStudiesError, StudiesError } from '../errors.ts';
import { SCHEMA_VERSION } from './migrations.ts';
import { SqliteStore } from './store.ts';

/** As the first release made its files. */
const FIRST_SCHEMA = `
  CREATE TABLE studies (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    request_id TEXT UNIQUE,
    specification BLOB NOT NULL,
    active INTEGER NOT NULL,
    record BLOB NOT NULL
  ) STRICT;
  CREATE TABLE trials (
    name TEXT PRIMARY KEY,
    study TEXT NOT NULL REFERENCES studies (name) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    finished INTEGER NOT NULL,
    record BLOB NOT NULL,
    UNIQUE (study, number)
  ) STRICT;
  CREATE TABLE outer_steps (
    trial TEXT NOT NULL REFERENCES trials (name) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    record BLOB NOT NULL,
    hypergradients BLOB NOT NULL,
    PRIMARY KEY (trial, number)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE events (
    study TEXT NOT NULL REFERENCES studies (name) ON DELETE CASCADE,
    sequence INTEGER NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (study, sequence)
  ) STRICT, WITHOUT ROWID;
  PRAGMA user_version = 1;
`;

const folder = mkdtempSync(join(tmpdir(), 'glocal-migrations-'));
afterAll(() => rmSync(folder, { recursive: true }));

const trialName = (id: string, number: number) => `studies/${id}/trials/${number}`;
const outerStep = (id: string, index: number) =>
  OuterStep.fromPartial({
    name: `${trialName(id, 0)}/outerSteps/${index}`,
    index,
    step: index * 50,
    window: { components: ['lr'], rows: 2, hypergradients: Buffer.from([index, 2, 3]) },
    report: { spectrum: { modes: [{ contribution: Buffer.of(index) }] } },
  });

/** A file of the first schema, with a study whose trials are in these states; the first has two outer steps. */
class FirstRelease {
  readonly path: string;
  readonly #db: DatabaseSync;

  constructor(name: string) {
    this.path = join(folder, `${name}.db`);
    this.#db = new DatabaseSync(this.path);
    this.#db.exec(`${FIRST_SCHEMA} PRAGMA synchronous = OFF`);
  }

  add(id: string, state: StudyState, trials: readonly TrialState[]): void {
    const study = Study.fromPartial({ name: `studies/${id}`, displayName: id, state });
    this.#db
      .prepare('INSERT INTO studies (name, request_id, specification, active, record) VALUES (?, ?, ?, ?, ?)')
      .run(
        study.name,
        `request ${id}`,
        Buffer.of(7),
        Number(state === StudyState.ACTIVE),
        Study.encode(study).finish(),
      );
    const told: StudyEvent['event'][] = [{ $case: 'study', value: study }];
    for (const [number, trialState] of trials.entries()) {
      const ended = trialState !== TrialState.PENDING && trialState !== TrialState.RUNNING;
      const trial = Trial.fromPartial({
        name: trialName(id, number),
        seed: number,
        state: trialState,
        outerStepsDone: 2,
      });
      this.#db
        .prepare('INSERT INTO trials VALUES (?, ?, ?, ?, ?)')
        .run(trial.name, study.name, number, Number(ended), Trial.encode(trial).finish());
      told.push({ $case: 'trial', value: trial });
    }
    for (const step of [outerStep(id, 1), outerStep(id, 2)]) {
      // It kept the contributions of modes with the rest, and all but the rows in the event again.
      const record = { ...step, window: step.window && { ...step.window, hypergradients: Buffer.alloc(0) } };
      this.#db
        .prepare('INSERT INTO outer_steps VALUES (?, ?, ?, ?)')
        .run(
          trialName(id, 0),
          step.index,
          OuterStep.encode(record).finish(),
          step.window?.hypergradients as Buffer,
        );
      told.push({ $case: 'outerStep', value: record });
    }
    for (const [i, event] of told.entries()) {
      const record = StudyEvent.encode({ cursor: String(i + 1), time: new Date(i * 1000), event }).finish();
      this.#db.prepare('INSERT INTO events VALUES (?, ?, ?)').run(study.name, i + 1, record);
    }
  }

  close(): void {
    this.#db.close();
  }

  /** The same file in the current schema. */
  upgrade(): Promise<SqliteStore> {
    this.close();
    return SqliteStore.open(this.path);
  }
}

/** Opens a file in a process that is killed so many milliseconds after it has begun to. */
async function openUntilKilled(path: string, milliseconds: number): Promise<void> {
  const program = `
    const { SqliteEngine } = await import(${JSON.stringify(new URL('./engine.ts', import.meta.url).href)});
    process.stdout.write('opening');
    new SqliteEngine(${JSON.stringify(path)});
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(child.stdout, 'data');
  await sleep(milliseconds);
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

const versionOf = (path: string) => {
  const db = new DatabaseSync(path);
  const version = db.prepare('PRAGMA user_version').get()?.user_version;
  db.close();
  return version;
};

const { PENDING, RUNNING, SUCCEEDED, FAILED, CANCELLED, PAUSED } = TrialState;

async function states(store: SqliteStore, id: string) {
  const study = await store.getStudy(`studies/${id}`);
  const { records } = await store.listTrials(`studies/${id}`);
  return { study: study?.state, trials: records.map(({ state }) => state) };
}

describe('a file of the first schema', () => {
  it('has all its studies, trials, outer steps and events in the current one', async () => {
    const old = new FirstRelease('all');
    for (const id of ['b', 'a']) old.add(id, StudyState.ACTIVE, [RUNNING, PENDING]);
    const store = await old.upgrade();
    const { records: studies } = await store.listStudies({ limit: 9 });
    expect(studies.map(({ name }) => name)).toEqual(['studies/a', 'studies/b']);
    expect(await states(store, 'a')).toEqual({ study: StudyState.ACTIVE, trials: [RUNNING, PENDING] });
    const steps = [outerStep('a', 1), outerStep('a', 2)];
    const page = { limit: 9, windows: true };
    expect((await store.listOuterSteps(trialName('a', 0), page)).records).toEqual(steps);
    expect(await store.getOuterStep(`${trialName('a', 0)}/outerSteps/2`)).toEqual(steps[1]);
    const { records: events } = await store.listEvents('studies/a', { limit: 9 });
    expect(events.map(({ event }) => [event.cursor, event.event?.$case])).toEqual([
      ['1', 'study'],
      ['2', 'trial'],
      ['3', 'trial'],
      ['4', 'outerStep'],
      ['5', 'outerStep'],
    ]);
    expect(events[3]?.event).toMatchObject({
      time: new Date(3000),
      event: { value: withoutLargeParts(outerStep('a', 1)) },
    });
    await store.close();
    const db = new DatabaseSync(old.path);
    expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: SCHEMA_VERSION });
    expect(db.prepare('PRAGMA foreign_key_check').all()).toEqual([]);
    db.close();
  });

  it('is whole when the server that upgrades it is killed, and is upgraded by the next one', async () => {
    const old = new FirstRelease('killed');
    const ids = Array.from({ length: 150 }, (_, i) => `s${i}`);
    for (const id of ids) old.add(id, StudyState.COMPLETED, [SUCCEEDED, FAILED]);
    old.close();
    for (const milliseconds of [1, 20, 60]) {
      await openUntilKilled(old.path, milliseconds);
      expect([1, SCHEMA_VERSION]).toContain(versionOf(old.path));
    }
    const store = await SqliteStore.open(old.path);
    const { records } = await store.listStudies({ limit: 1_000 });
    expect(records.map(({ displayName }) => displayName)).toEqual(ids.toReversed());
    const page = { limit: 9, windows: true };
    for (const id of [ids[0] ?? '', ids.at(-1) ?? '']) {
      expect((await store.listOuterSteps(trialName(id, 0), page)).records).toEqual([
        outerStep(id, 1),
        outerStep(id, 2),
      ]);
      expect((await store.listEvents(`studies/${id}`, { limit: 9 })).records).toHaveLength(5);
    }
    await store.close();
  });

  it('can be written to: trials end by the claims that it has, and requests are known', async () => {
    const old = new FirstRelease('write');
    old.add('a', StudyState.ACTIVE, [RUNNING, PENDING]);
    const store = await old.upgrade();
    await store.endTrial({ trial: trialName('a', 0), epoch: 0 }, { state: FAILED, reason: 'stopped' });
    await store.claimTrial({ worker: 'w', leaseMs: 60_000, holding: [], except: [] });
    expect(await states(store, 'a')).toEqual({ study: StudyState.ACTIVE, trials: [FAILED, RUNNING] });
    expect((await store.listEvents('studies/a', { limit: 9 })).records).toHaveLength(7);
    const repeated = await store.createStudy({
      study: Study.fromPartial({ name: 'studies/again', state: StudyState.ACTIVE }),
      trials: [],
      requestId: 'request a',
      fingerprint: Buffer.of(7),
      maxActiveStudies: 9,
    });
    expect(repeated).toMatchObject({ created: false, study: { name: 'studies/a' } });
    const artifact = Artifact.fromPartial({ name: 'artifacts/a', size: 3n });
    const uploaded = { artifact, digest: Buffer.of(1), description: '' };
    expect(await store.createArtifact(uploaded)).toEqual({ artifact, created: true });
    await store.close();
  });

  it('ends what a server of then left in between', async () => {
    const old = new FirstRelease('between');
    old.add('cancelled', StudyState.CANCELLED, [SUCCEEDED, RUNNING, PENDING]);
    old.add('completed', StudyState.ACTIVE, [SUCCEEDED, FAILED]);
    const store = await old.upgrade();
    expect(await states(store, 'cancelled')).toEqual({
      study: StudyState.CANCELLED,
      trials: [SUCCEEDED, CANCELLED, CANCELLED],
    });
    expect(await states(store, 'completed')).toEqual({
      study: StudyState.COMPLETED,
      trials: [SUCCEEDED, FAILED],
    });
    const kinds = async (id: string) =>
      (await store.listEvents(`studies/${id}`, { after: 5, limit: 9 })).records.map(
        ({ event }) => event.event?.$case,
      );
    expect(await kinds('cancelled')).toEqual(['outerStep', 'trial', 'trial']);
    expect(await kinds('completed')).toEqual(['study']);
    await store.close();
  });

  it('is found by its states, and is counted, paused, resumed and deleted as one of today', async () => {
    const old = new FirstRelease('lifecycle');
    old.add('ended', StudyState.COMPLETED, [SUCCEEDED]);
    old.add('a', StudyState.ACTIVE, [RUNNING, PENDING]);
    const store = await old.upgrade();
    const named = async (state: StudyState) =>
      (await store.listStudies({ limit: 9, states: [state] })).records.map(({ name }) => name);
    expect(await named(StudyState.COMPLETED)).toEqual(['studies/ended']);
    expect(await named(StudyState.ACTIVE)).toEqual(['studies/a']);
    expect(await store.listExpired({ keep: 0, limit: 9 })).toEqual(['studies/ended']);
    const another = {
      study: Study.fromPartial({ name: 'studies/b', state: StudyState.ACTIVE }),
      trials: [],
      requestId: '',
      fingerprint: Buffer.of(1),
      maxActiveStudies: 9,
      maxStudies: 2,
    };
    await expect(store.createStudy(another)).rejects.toThrow(StudiesError);
    const oneActive = { ...another, maxStudies: 9, maxActiveStudies: 1 };
    await expect(store.createStudy(oneActive)).rejects.toThrow(ActiveStudiesError);
    await store.deleteStudy('studies/ended');
    await store.createStudy(another);
    await store.pauseStudy('studies/a');
    expect(await states(store, 'a')).toEqual({ study: StudyState.PAUSED, trials: [RUNNING, PAUSED] });
    await store.resumeStudy({ name: 'studies/a', points: [], maxActiveStudies: 9 });
    expect(await states(store, 'a')).toEqual({ study: StudyState.ACTIVE, trials: [RUNNING, PENDING] });
    expect((await store.expireLeases({ everyone: true })).map(({ name }) => name)).toEqual([
      'studies/a/trials/0',
    ]);
    const claim = async (holding: readonly string[]) =>
      (await store.claimTrial({ worker: 'w', leaseMs: 60_000, holding, except: [] }))?.claim.trial;
    const [first, second] = ['studies/a/trials/0', 'studies/a/trials/1'];
    expect(await claim([])).toBe(first);
    expect(await claim([first])).toBe(second);
    expect(await claim([first, second])).toBeUndefined();
    await store.close();
    const db = new DatabaseSync(old.path);
    expect(db.prepare('PRAGMA foreign_key_check').all()).toEqual([]);
    expect(
      db.prepare('SELECT count(*) AS n FROM events WHERE study NOT IN (SELECT id FROM studies)').get(),
    ).toEqual({ n: 0 });
    db.close();
  });
});

describe('a store of version 8', () => {
  it('has what was reported of open windows, with respect to the values', async () => {
    const path = join(folder, 'reports.db');
    const study = Study.fromPartial({ name: 'studies/e', mode: RunMode.EXTERNAL, state: StudyState.ACTIVE });
    const trial = Trial.fromPartial({ name: trialName('e', 0), state: TrialState.PENDING });
    const store = await SqliteStore.open(path);
    const fingerprint = Buffer.of(1);
    await store.createStudy({ study, trials: [trial], requestId: '', fingerprint, maxActiveStudies: 9 });
    await store.close();
    const reports = [0, 1].map((firstRow) =>
      Report.fromPartial({ outerStep: 1, firstRow, hypergradients: Buffer.alloc(8, firstRow), trainLoss: 2 }),
    );
    const db = new DatabaseSync(path);
    db.exec(`
      ALTER TABLE outer_steps DROP COLUMN epoch;
      DROP TABLE drives;
      DROP TABLE claims;
      DROP TABLE workers;
      DROP TABLE queued_owners;
      DROP TABLE queued_studies;
      DROP INDEX waiting_trials;
      DROP TABLE reports;
      CREATE TABLE reports (
        trial INTEGER NOT NULL REFERENCES trials (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        record BLOB NOT NULL,
        PRIMARY KEY (trial, number)
      ) STRICT;
      PRAGMA user_version = 8;
    `);
    const add = db.prepare('INSERT INTO reports SELECT id, ?, ? FROM trials');
    for (const [i, report] of reports.entries()) add.run(i + 1, Report.encode(report).finish());
    db.close();
    const upgraded = await SqliteStore.open(path);
    const { claim, reports: kept } = await upgraded.startReporting(trial.name);
    expect(kept).toEqual(reports.map((report) => ({ report, natural: true })));
    await upgraded.addReports(claim, reports, 2);
    expect((await upgraded.startReporting(trial.name)).reports.map(({ natural }) => natural)).toEqual([
      ...[true, true],
      ...[false, false],
    ]);
    await upgraded.close();
  });
});
