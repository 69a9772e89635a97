/**
 * The SQLite store itself, without waiting and without codec: synchronous, in encoded records. It runs where nobody minds
 * that a commit takes its time (`sqlite-thread.ts`).
 */

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { Decision, OuterStep, RunMode, Study, StudyState, Trial } from '@glocal/proto/glocal/v1/study';
import type { StudyEvent } from '@glocal/proto/glocal/v1/study_service';
import { awaitDecision, takeDecision } from '../lifecycle/decisions.ts';
import * as transitions from '../lifecycle/transitions.ts';
import { NotFoundError } from '../resource/errors.ts';
import { hasEnded } from '../resource/states.ts';
import {
  ActiveStudiesError,
  OwnerActiveStudiesError,
  RequestIdReusedError,
  StaleEpochError,
  StoreError,
  StoreUnavailableError,
} from './errors.ts';
import { migrate } from './migrations.ts';
import { type EventRecord, encodeEvent, type OuterStepRecord, type WholeOuterStepRecord } from './records.ts';
import { type ArtifactPage, type EncodedArtifact, SqliteArtifacts } from './sqlite-artifacts.ts';
import { SqliteReports } from './sqlite-reports.ts';
import type { Claim, NewStudy, Page, PageRequest, StudyPage } from './store.ts';

type Row = Record<string, SQLInputValue>;
type Bytes = Uint8Array;

/** A record as it comes from a table, with the key that identifies it there. */
interface Kept<T> {
  readonly id: number;
  readonly record: T;
}
type KeptTrial = Kept<Trial> & {
  readonly study: number;
  /** The last that a driver made. */
  readonly decision: Decision | undefined;
};

/** A new study in encoded records. */
export type EncodedNewStudy = Omit<NewStudy, 'study' | 'trials'> & {
  readonly name: string;
  readonly study: Bytes;
  readonly trials: readonly { readonly name: string; readonly trial: Bytes }[];
};

/** What a write came to: its own result or its own error. */
export type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** Which records of a list come, by their sizes. */
interface Plan {
  readonly count: number;
  readonly more: boolean;
}

/** Primary result codes of SQLite that say that a file could not be written for now. */
const UNAVAILABLE = new Map([
  [3, 'access was denied'],
  [5, 'the database is busy'],
  [8, 'the database is read-only'],
  [10, 'an input or output error'],
  [13, 'the disk or the database is full'],
  [14, 'the file cannot be opened'],
]);

/** Bytes that a probe writes: about what an outer step with its window takes. */
const PROBE_BYTES = 256 * 1024;

export class SqliteEngine {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
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
        : this.#get(
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
    this.#checkActive(owner, request);
    const id = this.#insert(
      'INSERT INTO studies (name, owner, request_id, fingerprint, active, record) VALUES (?, ?, ?, ?, ?, ?)',
      name,
      owner,
      requestId === '' ? null : requestId,
      fingerprint,
      isActive(record),
      study,
    );
    for (const [number, trial] of trials.entries()) {
      this.#insert(
        `INSERT INTO trials (name, study, number, epoch, finished, external, record)
         VALUES (?, ?, ?, 0, ?, ?, ?)`,
        trial.name,
        id,
        number,
        isFinished(Trial.decode(trial.trial)),
        record.mode === RunMode.EXTERNAL ? 1 : 0,
        trial.trial,
      );
    }
    this.#artifacts.use(id, artifacts);
    this.#addEvent(id, { $case: 'study', value: record });
    return { study, created: true };
  }

  /** @throws ActiveStudiesError, OwnerActiveStudiesError */
  #checkActive(owner: string, { maxActiveStudies, maxOwnerActiveStudies }: EncodedNewStudy): void {
    const count = `SELECT count(*) AS n, ifnull(sum(owner = ?), 0) AS own FROM studies WHERE active = 1`;
    const { n: active, own } = this.#get(count, owner) as { n: number; own: number };
    if (active >= maxActiveStudies) {
      throw new ActiveStudiesError(
        `${active} studies are active, as many as this server allows; wait or cancel one`,
      );
    }
    if (maxOwnerActiveStudies !== undefined && own >= maxOwnerActiveStudies) {
      throw new OwnerActiveStudiesError(
        `${own} of your studies are active, as many as this server allows one owner; wait or cancel one`,
      );
    }
  }

  cancelStudy(name: string): Bytes {
    const row = this.#get('SELECT id, record FROM studies WHERE name = ?', name);
    if (row === undefined) throw new NotFoundError(name);
    const study = Study.decode(row.record as Bytes);
    if (study.state !== StudyState.ACTIVE) return row.record as Bytes;
    const now = new Date();
    const id = Number(row.id);
    const cancelled = this.#putStudy(id, transitions.cancelStudy(study, now));
    const unfinished = this.#all('SELECT * FROM trials WHERE study = ? AND finished = 0 ORDER BY number', id);
    for (const trial of unfinished.map(asTrial))
      this.#putTrial(trial, transitions.cancelTrial(trial.record, now));
    return cancelled;
  }

  getStudy(name: string): Bytes | undefined {
    return this.#get('SELECT record FROM studies WHERE name = ?', name)?.record as Bytes | undefined;
  }

  listStudies(page: StudyPage): Page<Bytes> {
    const list = `FROM studies WHERE ${page.owner === undefined ? '' : 'owner = ? AND '}
      id < ifnull((SELECT id FROM studies WHERE name = ?), 9e15) ORDER BY id DESC LIMIT ?`;
    const owned = page.owner === undefined ? [] : [page.owner];
    return this.#page(list, [...owned, page.after ?? null], page);
  }

  startTrial(name: string): { epoch: number; study: Bytes; trial: Bytes } {
    const row = this.#get('SELECT * FROM trials WHERE name = ?', name);
    if (row === undefined) throw new NotFoundError(name);
    const trial = asTrial(row);
    const started = this.#putTrial(trial, transitions.startTrial(trial.record, new Date()));
    return { epoch: this.#nextEpoch(row), study: this.#studyOf(trial), trial: started };
  }

  startReporting(name: string): {
    epoch: number;
    study: Bytes;
    trial: Bytes;
    reports: Bytes[];
    state: Bytes | undefined;
  } {
    const row = this.#get('SELECT * FROM trials WHERE name = ?', name);
    if (row === undefined) throw new NotFoundError(name);
    const trial = asTrial(row);
    const reported = transitions.startReporting(trial.record, new Date());
    return {
      epoch: this.#nextEpoch(row),
      study: this.#studyOf(trial),
      trial: reported === trial.record ? (row.record as Bytes) : this.#putTrial(trial, reported),
      ...this.#reports.of(trial.id),
    };
  }

  addReport(claim: Claim, report: Bytes): void {
    const trial = this.#claimed(claim);
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
    this.#reports.close(this.#claimed(claim).id, state);
    return ending && this.endTrial(claim, ending);
  }

  describeRuntime(claim: Claim, runtime: transitions.Runtime): Bytes {
    const trial = this.#claimed(claim);
    return this.#putTrial(trial, transitions.describeRuntime(trial.record, runtime));
  }

  awaitDecision(claim: Claim, outerStep: number): Bytes {
    const trial = this.#claimed(claim);
    return this.#putTrial(trial, awaitDecision(trial.record, trial.decision, outerStep));
  }

  addDecision(name: string, decision: Bytes): Bytes {
    const row = this.#get('SELECT * FROM trials WHERE name = ?', name);
    if (row === undefined) throw new NotFoundError(name);
    const trial = asTrial(row);
    const decided = takeDecision(trial.record, trial.decision, Decision.decode(decision));
    this.#run('UPDATE trials SET decision = ? WHERE id = ?', decision, trial.id);
    return decided === trial.record ? (row.record as Bytes) : this.#putTrial(trial, decided);
  }

  getDecision(trial: string, outerStep: number): Bytes | undefined {
    const stored = this.getOuterStep(trial, outerStep);
    if (stored !== undefined) {
      const decision = OuterStep.decode(stored.record).update?.decision;
      return decision && Decision.encode(decision).finish();
    }
    const record = this.#get('SELECT decision FROM trials WHERE name = ?', trial)?.decision as
      | Bytes
      | undefined;
    return record && Decision.decode(record).outerStep === outerStep ? record : undefined;
  }

  addOuterStep(claim: Claim, { record, large }: WholeOuterStepRecord): Bytes {
    const trial = this.#claimed(claim);
    const outerStep = OuterStep.decode(record);
    const advanced = transitions.advanceTrial(trial.record, outerStep);
    const id = this.#insert(
      'INSERT INTO outer_steps (trial, number, record, large) VALUES (?, ?, ?, ?)',
      trial.id,
      outerStep.index,
      record,
      large,
    );
    this.#addEvent(trial.study, undefined, id);
    return this.#setTrial(trial.id, advanced);
  }

  interruptTrial(claim: Claim, interruption: transitions.Interruption): Bytes {
    const trial = this.#claimed(claim);
    return this.#putTrial(trial, transitions.interruptTrial(trial.record, interruption));
  }

  endTrial(claim: Claim, ending: transitions.TrialEnding): { study: Bytes; trial: Bytes } {
    const now = new Date();
    const trial = this.#claimed(claim);
    const ended = this.#putTrial(trial, transitions.endTrial(trial.record, ending, now));
    const study = this.#studyOf(trial);
    const others = this.#get(
      'SELECT count(*) AS n FROM trials WHERE study = ? AND finished = 0',
      trial.study,
    );
    if (Number(others?.n) > 0) return { study, trial: ended };
    const trials = this.#all('SELECT * FROM trials WHERE study = ?', trial.study).map(asTrial);
    const concluded = transitions.concludeStudy(
      Study.decode(study),
      trials.map(({ record }) => record),
      now,
    );
    return { study: concluded ? this.#putStudy(trial.study, concluded) : study, trial: ended };
  }

  getTrial(name: string): Bytes | undefined {
    return this.#get('SELECT record FROM trials WHERE name = ?', name)?.record as Bytes | undefined;
  }

  listTrials(study: string, page: PageRequest<number>): Page<Bytes> {
    const list = `FROM trials WHERE study = (SELECT id FROM studies WHERE name = ?) AND number > ? ORDER BY number LIMIT ?`;
    return this.#page(list, [study, page.after ?? -1], page);
  }

  listUnfinishedTrials(): { epoch: number; trial: Bytes }[] {
    const rows = this.#all(
      'SELECT epoch, record FROM trials WHERE finished = 0 AND external = 0 ORDER BY study, number',
    );
    return rows.map(({ epoch, record }) => ({ epoch: Number(epoch), trial: record as Bytes }));
  }

  getOuterStep(trial: string, index: number): OuterStepRecord | undefined {
    const row = this.#get(
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
    const sizes = this.#statement(
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
    const { count, more } = this.#plan(sizes, key, page);
    const columns = 'sequence, events.record AS record, outer_steps.record AS outer_step';
    const records = this.#all(`SELECT ${columns} ${list}`, ...key, count).map((row) => ({
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
    const row = this.#get(`SELECT ${columns} FROM outer_steps WHERE id = ?`, id);
    return { record: row?.record as Bytes, large: row?.large as Bytes | undefined };
  }

  /** @param list from which table, which rows, in which order, and `LIMIT ?` last. */
  #page(list: string, key: readonly SQLInputValue[], page: PageRequest<unknown>): Page<Bytes> {
    const { count, more } = this.#plan(`SELECT length(record) AS bytes ${list}`, key, page);
    const rows = this.#all(`SELECT record ${list}`, ...key, count);
    return { records: rows.map(({ record }) => record as Bytes), more };
  }

  /** How many rows fit, by their lengths alone, which SQLite knows without reading the rows. */
  #plan(sql: string, key: readonly SQLInputValue[], { limit, maxBytes }: PageRequest<unknown>): Plan {
    let bytes = 0;
    let count = 0;
    for (const row of this.#statement(sql).iterate(...key, limit + 1)) {
      bytes += Number(row.bytes);
      if (count === limit || (count > 0 && bytes > (maxBytes ?? Number.POSITIVE_INFINITY))) {
        return { count, more: true };
      }
      count += 1;
    }
    return { count, more: false };
  }

  #studyOf(trial: KeptTrial): Bytes {
    return this.#get('SELECT record FROM studies WHERE id = ?', trial.study)?.record as Bytes;
  }

  /** Makes every claim before stale. */
  #nextEpoch(trial: Row): number {
    const epoch = Number(trial.epoch) + 1;
    this.#run('UPDATE trials SET epoch = ? WHERE id = ?', epoch, Number(trial.id));
    return epoch;
  }

  /** @throws NotFoundError, StaleEpochError */
  #claimed(claim: Claim): KeptTrial {
    const row = this.#get('SELECT * FROM trials WHERE name = ?', claim.trial);
    if (row === undefined) throw new NotFoundError(claim.trial);
    if (Number(row.epoch) !== claim.epoch) {
      throw new StaleEpochError(
        `${claim.trial} was claimed with epoch ${row.epoch}, after the claim with epoch ${claim.epoch}`,
      );
    }
    return asTrial(row);
  }

  #putStudy(id: number, study: Study): Bytes {
    const record = Study.encode(study).finish();
    this.#run('UPDATE studies SET record = ?, active = ? WHERE id = ?', record, isActive(study), id);
    this.#addEvent(id, { $case: 'study', value: study });
    return record;
  }

  #putTrial({ id, study }: KeptTrial, trial: Trial): Bytes {
    this.#addEvent(study, { $case: 'trial', value: trial });
    return this.#setTrial(id, trial);
  }

  #setTrial(id: number, trial: Trial): Bytes {
    const record = Trial.encode(trial).finish();
    this.#run('UPDATE trials SET record = ?, finished = ? WHERE id = ?', record, isFinished(trial), id);
    return record;
  }

  /** @param outerStep the row that the event is about, when it is about one. */
  #addEvent(study: number, event: StudyEvent['event'], outerStep: number | null = null): void {
    const last = this.#get('SELECT max(sequence) AS last FROM events WHERE study = ?', study);
    const sequence = Number(last?.last ?? 0) + 1;
    this.#run(
      'INSERT INTO events (study, sequence, outer_step, record) VALUES (?, ?, ?, ?)',
      study,
      sequence,
      outerStep,
      encodeEvent(sequence, new Date(), event),
    );
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined;
  }

  #all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statement(sql).all(...values) as Row[];
  }

  #run(sql: string, ...values: SQLInputValue[]): void {
    this.#statement(sql).run(...values);
  }

  /** Returns the new row's id. */
  #insert(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#statement(sql).run(...values).lastInsertRowid);
  }
}

const isActive = (study: Study): number => (study.state === StudyState.ACTIVE ? 1 : 0);
const isFinished = (trial: Trial): number => (hasEnded(trial) ? 1 : 0);

const asTrial = (row: Row): KeptTrial => ({
  id: Number(row.id),
  study: Number(row.study),
  record: Trial.decode(row.record as Bytes),
  decision: row.decision === null ? undefined : Decision.decode(row.decision as Bytes),
});

/** Why the disk refused, or undefined when the error is about something else. */
function unavailable(error: unknown): string | undefined {
  const { errcode } = error as { errcode?: number };
  // The primary code is in the lower byte of an extended one.
  return errcode === undefined ? undefined : UNAVAILABLE.get(errcode & 0xff);
}

function asStoreError(error: unknown): unknown {
  const why = unavailable(error);
  if (why === undefined) return error;
  return new StoreUnavailableError(`the store cannot write: ${why} (${(error as Error).message})`, {
    cause: error,
  });
}
