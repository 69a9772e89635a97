/**
 * The SQLite store itself, without waiting and without codec: synchronous, in encoded records. It runs where nobody minds
 * that a commit takes its time (`sqlite-thread.ts`).
 */

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Decision, OuterStep, RunMode, Study, Trial } from '@glocal/proto/glocal/v1/study';
import { awaitDecision, takeDecision } from '../lifecycle/decisions.ts';
import type { Actor } from '../lifecycle/table.ts';
import * as transitions from '../lifecycle/transitions.ts';
import { RequestIdReusedError, StoreError, StoreUnavailableError, StudiesError } from './errors.ts';
import { migrate } from './migrations.ts';
import type { EventRecord, OuterStepRecord, WholeOuterStepRecord } from './records.ts';
import { type ArtifactPage, type EncodedArtifact, SqliteArtifacts } from './sqlite-artifacts.ts';
import { countStates } from './sqlite-counts.ts';
import * as lifecycle from './sqlite-lifecycle.ts';
import { type Bytes, isFinished, type KeptTrial, SqliteRecords, stateColumns } from './sqlite-records.ts';
import { SqliteReports } from './sqlite-reports.ts';
import { listExpired, listStudies } from './sqlite-studies.ts';
import type {
  Claim,
  DeletedStudy,
  Expiry,
  NewStudy,
  Page,
  PageRequest,
  ResumeRequest,
  StateCounts,
  StudyPage,
} from './store.ts';

/** A new study in encoded records. */
export type EncodedNewStudy = Omit<NewStudy, 'study' | 'trials'> & {
  readonly name: string;
  readonly study: Bytes;
  readonly trials: readonly { readonly name: string; readonly trial: Bytes }[];
};

/** A study of one moment in encoded records. */
export interface EncodedSnapshot {
  readonly study: Bytes;
  readonly trials: readonly Bytes[];
  readonly sequence: number;
}

/** What a write came to: its own result or its own error. */
export type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** Primary result codes of SQLite that say that a file could not be written for now. */
const UNAVAILABLE = new Map([
  [3, 'access was denied'],
  [5, 'the database is busy'],
  [8, 'the database is read-only'],
  [10, 'an input or output error'],
  [13, 'the disk is full'],
  [14, 'the file cannot be opened'],
]);

/** Bytes that a probe writes: about what an outer step with its window takes. */
const PROBE_BYTES = 256 * 1024;

export class SqliteEngine {
  readonly #db: DatabaseSync;
  readonly #records: SqliteRecords;
  readonly #reports: SqliteReports;
  readonly #artifacts: SqliteArtifacts;

  /**
   * Opens or makes the file.
   * @param path of the file, or `:memory:`.
   * @throws StoreError when another server has it open, it is not a database, or a newer version wrote it.
   */
  constructor(path: string) {
    try {
      if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
      this.#db = new DatabaseSync(path);
      this.#db.exec(`
        PRAGMA locking_mode = EXCLUSIVE;
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = FULL;
        PRAGMA foreign_keys = ON;
      `);
      migrate(this.#db);
      this.#records = new SqliteRecords(this.#db);
      this.#reports = new SqliteReports(this.#db);
      this.#artifacts = new SqliteArtifacts(this.#db);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const hint = why.includes('locked')
        ? 'another server has it open; stop that one or choose another file'
        : why;
      throw new StoreError(`store ${path}: ${hint}`, { cause: error });
    }
  }

  close(): void {
    this.#db.close();
  }

  /**
   * Makes writes durable together, each with its own outcome: one that is refused leaves the others as they are. When the
   * disk refuses all of them together, each is tried on its own.
   */
  commit(writes: readonly (() => unknown)[]): Outcome[] {
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      const outcomes = writes.map((write) => this.#attempt(write));
      this.#db.exec('COMMIT');
      return outcomes;
    } catch (error) {
      // SQLite may have rolled back already; what it says then must not hide what went wrong.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      if (writes.length > 1) return writes.flatMap((write) => this.commit([write]));
      return [{ error: asStoreError(error) }];
    }
  }

  #attempt(write: () => unknown): Outcome {
    this.#db.exec('SAVEPOINT attempt');
    try {
      const value = write();
      this.#db.exec('RELEASE attempt');
      return { value };
    } catch (error) {
      if (unavailable(error) !== undefined) throw error;
      this.#db.exec('ROLLBACK TO attempt; RELEASE attempt');
      return { error: asStoreError(error) };
    }
  }

  /**
   * Writes as much as an outer step may take, and takes it away again.
   * @throws StoreUnavailableError
   */
  probe(): void {
    try {
      this.#db.exec(`
        CREATE TABLE IF NOT EXISTS probe (filler BLOB);
        INSERT INTO probe VALUES (randomblob(${PROBE_BYTES}));
        DROP TABLE probe;
      `);
    } catch (error) {
      throw asStoreError(error);
    }
  }

  createStudy(request: EncodedNewStudy): { study: Bytes; created: boolean } {
    const { name, study, trials, requestId, fingerprint, artifacts = [] } = request;
    const record = Study.decode(study);
    const { owner } = record;
    const before =
      requestId === ''
        ? undefined
        : this.#records.get(
            'SELECT fingerprint, record FROM studies WHERE owner = ? AND request_id = ?',
            owner,
            requestId,
          );
    if (before !== undefined) {
      if (Buffer.compare(before.fingerprint as Bytes, fingerprint) !== 0) {
        throw new RequestIdReusedError(`request id "${requestId}" was used before for another study`);
      }
      return { study: before.record as Bytes, created: false };
    }
    lifecycle.expectRoomForActive(this.#records, owner, request);
    this.#expectRoom(request.maxStudies);
    const id = this.#records.insert(
      `INSERT INTO studies (name, owner, request_id, fingerprint, state, active, ended, record)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[name, owner, requestId === '' ? null : requestId, fingerprint, ...stateColumns(record), study],
    );
    for (const [key, value] of Object.entries(record.labels)) {
      this.#records.run('INSERT INTO study_labels (study, key, value) VALUES (?, ?, ?)', id, key, value);
    }
    const external = record.mode === RunMode.EXTERNAL ? 1 : 0;
    for (const [number, { name, trial }] of trials.entries()) {
      const decoded = Trial.decode(trial);
      this.#records.insert(
        `INSERT INTO trials (name, study, number, epoch, state, finished, external, record)
         VALUES (?, ?, ?, 0, ?, ?, ?, ?)`,
        ...[name, id, number, decoded.state, isFinished(decoded), external, trial],
      );
    }
    this.#artifacts.use(id, artifacts);
    this.#records.addEvent(id, { $case: 'study', value: record });
    return { study, created: true };
  }

  cancelStudy(name: string): Bytes {
    return lifecycle.cancelStudy(this.#records, name);
  }

  pauseStudy(name: string): Bytes {
    return lifecycle.pauseStudy(this.#records, name);
  }

  resumeStudy(request: ResumeRequest): { study: Bytes; trials: string[] } {
    return lifecycle.resumeStudy(this.#records, request);
  }

  deleteStudy(name: string): void {
    lifecycle.deleteStudy(this.#records, name);
  }

  countStates(): StateCounts {
    return countStates(this.#records);
  }

  getDeleted(name: string): DeletedStudy | undefined {
    return lifecycle.getDeleted(this.#records, name);
  }

  getStudy(name: string): Bytes | undefined {
    return this.#records.get('SELECT record FROM studies WHERE name = ?', name)?.record as Bytes | undefined;
  }

  listStudies(page: StudyPage): Page<Bytes> {
    return listStudies(this.#records, page);
  }

  listExpired(expiry: Expiry): string[] {
    return listExpired(this.#records, expiry);
  }

  getSnapshot(name: string, page: PageRequest<number>): EncodedSnapshot | undefined {
    const study = this.getStudy(name);
    if (study === undefined) return undefined;
    return { study, trials: this.listTrials(name, page).records, sequence: this.lastSequence(name) };
  }

  lastSequence(study: string): number {
    const row = this.#records.get('SELECT id FROM studies WHERE name = ?', study);
    return row === undefined ? 0 : this.#records.lastSequence(Number(row.id));
  }

  startTrial(name: string): { epoch: number; checkpoint: number; study: Bytes; trial: Bytes } {
    const trial = this.#records.trial(name);
    const started = this.#records.putTrial(trial, transitions.startTrial(trial.record, new Date()));
    const { checkpoint } = trial;
    return { epoch: this.#nextEpoch(trial), checkpoint, study: this.#studyOf(trial), trial: started };
  }

  startReporting(name: string): {
    epoch: number;
    study: Bytes;
    trial: Bytes;
    reports: Bytes[];
    state: Bytes | undefined;
  } {
    const trial = this.#records.trial(name);
    const reported = transitions.startReporting(trial.record, new Date());
    return {
      epoch: this.#nextEpoch(trial),
      study: this.#studyOf(trial),
      trial:
        reported === trial.record ? Trial.encode(reported).finish() : this.#records.putTrial(trial, reported),
      ...this.#reports.of(trial.id),
    };
  }

  addReport(claim: Claim, report: Bytes): void {
    const trial = this.#records.claimed(claim);
    transitions.expectRunning(trial.record);
    this.#reports.add(trial.id, report);
  }

  closeWindow(
    claim: Claim,
    outerStep: WholeOuterStepRecord,
    state: Bytes,
    ending: transitions.TrialEnding | undefined,
  ): { study: Bytes; trial: Bytes } | undefined {
    this.addOuterStep(claim, outerStep);
    this.#reports.close(this.#records.claimed(claim).id, state);
    return ending && this.endTrial(claim, ending);
  }

  describeRuntime(claim: Claim, runtime: transitions.Runtime): Bytes {
    const trial = this.#records.claimed(claim);
    return this.#records.putTrial(trial, transitions.describeRuntime(trial.record, runtime));
  }

  awaitDecision(claim: Claim, outerStep: number): Bytes {
    const trial = this.#records.claimed(claim);
    return this.#records.putTrial(trial, awaitDecision(trial.record, trial.decision, outerStep));
  }

  addDecision(name: string, decision: Bytes): Bytes {
    const trial = this.#records.trial(name);
    const decided = takeDecision(trial.record, trial.decision, Decision.decode(decision));
    this.#records.run('UPDATE trials SET decision = ? WHERE id = ?', decision, trial.id);
    return decided === trial.record ? Trial.encode(decided).finish() : this.#records.putTrial(trial, decided);
  }

  getDecision(trial: string, outerStep: number): Bytes | undefined {
    const stored = this.getOuterStep(trial, outerStep);
    if (stored !== undefined) {
      const decision = OuterStep.decode(stored.record).update?.decision;
      return decision && Decision.encode(decision).finish();
    }
    const record = this.#records.get('SELECT decision FROM trials WHERE name = ?', trial)?.decision as
      | Bytes
      | undefined;
    return record && Decision.decode(record).outerStep === outerStep ? record : undefined;
  }

  addOuterStep(claim: Claim, step: WholeOuterStepRecord): Bytes {
    const { record, large } = step;
    const trial = this.#records.claimed(claim);
    const outerStep = OuterStep.decode(record);
    if (this.#hasOuterStep(trial, outerStep.index, step)) return Trial.encode(trial.record).finish();
    const advanced = transitions.advanceTrial(trial.record, outerStep);
    const id = this.#records.insert(
      'INSERT INTO outer_steps (trial, number, record, large) VALUES (?, ?, ?, ?)',
      trial.id,
      outerStep.index,
      record,
      large,
    );
    this.#records.addEvent(trial.study, undefined, id);
    // The outer step has it from now on.
    if (trial.decision !== undefined)
      this.#records.run('UPDATE trials SET decision = NULL WHERE id = ?', trial.id);
    if (trial.checkpoint > 0) this.#records.run('UPDATE trials SET checkpoint = 0 WHERE id = ?', trial.id);
    return this.#records.setTrial(trial.id, advanced);
  }

  interruptTrial(claim: Claim, interruption: transitions.Interruption): Bytes {
    return lifecycle.interruptTrial(this.#records, claim, interruption);
  }

  pauseTrial(claim: Claim, pause: transitions.Pause): Bytes {
    return lifecycle.pauseTrial(this.#records, claim, pause);
  }

  resumeTrial(name: string, cause: transitions.PauseCause, by: Actor): boolean {
    return lifecycle.resumeTrial(this.#records, name, cause, by);
  }

  listPausedTrials(cause: transitions.PauseCause): string[] {
    return lifecycle.listPausedTrials(this.#records, cause);
  }

  endTrial(claim: Claim, ending: transitions.TrialEnding): { study: Bytes; trial: Bytes } {
    return lifecycle.endTrial(this.#records, claim, ending);
  }

  getTrial(name: string): Bytes | undefined {
    return this.#records.get('SELECT record FROM trials WHERE name = ?', name)?.record as Bytes | undefined;
  }

  listTrials(study: string, page: PageRequest<number>): Page<Bytes> {
    const list = `FROM trials WHERE study = (SELECT id FROM studies WHERE name = ?) AND number > ? ORDER BY number LIMIT ?`;
    return this.#records.page(list, [study, page.after ?? -1], page);
  }

  listLiveTrials(): { epoch: number; trial: Bytes }[] {
    const rows = this.#records.all(
      `SELECT epoch, record FROM trials WHERE ${lifecycle.LIVE} AND external = 0 ORDER BY study, number`,
    );
    return rows.map(({ epoch, record }) => ({ epoch: Number(epoch), trial: record as Bytes }));
  }

  getOuterStep(trial: string, index: number): OuterStepRecord | undefined {
    const row = this.#records.get(
      `SELECT record, large FROM outer_steps
       WHERE trial = (SELECT id FROM trials WHERE name = ?) AND number = ?`,
      trial,
      index,
    );
    return row && { record: row.record as Bytes, large: row.large as Bytes };
  }

  listOuterSteps(
    trial: string,
    page: PageRequest<number> & { readonly windows?: boolean },
  ): Page<OuterStepRecord> {
    const { limit, maxBytes = Number.POSITIVE_INFINITY, windows = false } = page;
    const sizes = this.#records.statement(
      `SELECT id, length(record) AS bytes, length(large) AS large_bytes FROM outer_steps
       WHERE trial = (SELECT id FROM trials WHERE name = ?) AND number > ? ORDER BY number LIMIT ?`,
    );
    const records: OuterStepRecord[] = [];
    let bytes = 0;
    for (const row of sizes.iterate(trial, page.after ?? 0, limit + 1)) {
      const lean = Number(row.bytes);
      const whole = lean + Number(row.large_bytes);
      const withLarge = windows && whole <= maxBytes;
      bytes += withLarge ? whole : lean;
      if (records.length === limit || (records.length > 0 && bytes > maxBytes))
        return { records, more: true };
      records.push(this.#outerStep(Number(row.id), withLarge));
    }
    return { records, more: false };
  }

  listEvents(study: string, page: PageRequest<number>): Page<EventRecord> {
    const list = `FROM events LEFT JOIN outer_steps ON outer_steps.id = events.outer_step
      WHERE study = (SELECT id FROM studies WHERE name = ?) AND sequence > ? ORDER BY sequence LIMIT ?`;
    const key = [study, page.after ?? 0];
    const sizes = `SELECT length(events.record) + ifnull(length(outer_steps.record), 0) AS bytes ${list}`;
    const { count, more } = this.#records.plan(sizes, key, page);
    const columns = 'sequence, events.record AS record, outer_steps.record AS outer_step';
    const records = this.#records.all(`SELECT ${columns} ${list}`, ...key, count).map((row) => ({
      sequence: Number(row.sequence),
      record: row.record as Bytes,
      outerStep: (row.outer_step as Bytes | null) ?? undefined,
    }));
    return { records, more };
  }

  createArtifact(artifact: EncodedArtifact): { record: Bytes; created: boolean } {
    return this.#artifacts.create(artifact);
  }

  getArtifact(name: string): { record: Bytes; description: string } | undefined {
    return this.#artifacts.get(name);
  }

  listArtifacts(page: ArtifactPage): Page<Bytes> {
    return this.#artifacts.list(page);
  }

  artifactBytes(owner: string): bigint {
    return this.#artifacts.bytesOf(owner);
  }

  deletedArtifactOwner(name: string): string | undefined {
    return this.#artifacts.deletedOwner(name);
  }

  deleteArtifact(name: string): void {
    this.#artifacts.delete(name);
  }

  #outerStep(id: number, withLarge: boolean): OuterStepRecord {
    const columns = withLarge ? 'record, large' : 'record';
    const row = this.#records.get(`SELECT ${columns} FROM outer_steps WHERE id = ?`, id);
    return { record: row?.record as Bytes, large: row?.large as Bytes | undefined };
  }

  #studyOf(trial: KeptTrial): Bytes {
    return this.#records.get('SELECT record FROM studies WHERE id = ?', trial.study)?.record as Bytes;
  }

  /** Makes every claim before stale. */
  #nextEpoch(trial: KeptTrial): number {
    const epoch = trial.epoch + 1;
    this.#records.run('UPDATE trials SET epoch = ? WHERE id = ?', epoch, trial.id);
    return epoch;
  }

  /** Whether this very outer step is the trial's last: its worker may not have heard that it was stored. */
  #hasOuterStep(trial: KeptTrial, index: number, step: WholeOuterStepRecord): boolean {
    if (index === 0 || index !== trial.record.outerStepsDone) return false;
    const kept = this.getOuterStep(trial.record.name, index);
    const isSame = (one: Bytes | undefined, other: Bytes) =>
      one !== undefined && Buffer.compare(one, other) === 0;
    return isSame(kept?.record, step.record) && isSame(kept?.large, step.large);
  }

  /** @throws StudiesError */
  #expectRoom(maxStudies = Number.POSITIVE_INFINITY): void {
    if (maxStudies === Number.POSITIVE_INFINITY) return;
    const kept = Number(this.#records.get("SELECT n FROM counts WHERE what = 'studies'")?.n);
    if (kept < maxStudies) return;
    throw new StudiesError(
      `${kept} studies are kept, as many as this server allows; delete one that has ended`,
    );
  }
}

/** Why the disk refused, or undefined when the error is about something else. */
function unavailable(error: unknown): string | undefined {
  const { errcode } = error as { errcode?: number };
  // The primary code is in the lower byte of an extended one.
  return errcode === undefined ? undefined : UNAVAILABLE.get(errcode & 0xff);
}

function asStoreError(error: unknown): unknown {
  const why = unavailable(error);
  if (why === undefined) return error;
  return new StoreUnavailableError(`the store cannot write: ${why}`, { cause: error });
}
