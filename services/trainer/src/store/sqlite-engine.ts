/**
 * The SQLite store itself, without waiting and without codec: synchronous, in encoded records. It runs where nobody minds
 * that a commit takes its time (`sqlite-thread.ts`). What its methods do is beside it, by what they are about.
 */

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Actor } from '../lifecycle/table.ts';
import type { Interruption, Pause, PauseCause, Runtime, TrialEnding } from '../lifecycle/transitions.ts';
import { StoreError } from './errors.ts';
import { migrate } from './migrations.ts';
import type { EventRecord, OuterStepRecord, WholeOuterStepRecord } from './records.ts';
import { type ArtifactPage, type EncodedArtifact, SqliteArtifacts } from './sqlite-artifacts.ts';
import { countStates } from './sqlite-counts.ts';
import * as lifecycle from './sqlite-lifecycle.ts';
import * as outerSteps from './sqlite-outer-steps.ts';
import { type Bytes, SqliteRecords } from './sqlite-records.ts';
import { SqliteReports } from './sqlite-reports.ts';
import * as studies from './sqlite-studies.ts';
import { type Outcome, SqliteTransactions } from './sqlite-transactions.ts';
import * as trials from './sqlite-trials.ts';
import type {
  Claim,
  DeletedStudy,
  Expiry,
  Page,
  PageRequest,
  ResumeRequest,
  StateCounts,
  StudyPage,
} from './store.ts';

export class SqliteEngine {
  readonly #db: DatabaseSync;
  readonly #transactions: SqliteTransactions;
  readonly #records: SqliteRecords;
  readonly #reports: SqliteReports;
  readonly #artifacts: SqliteArtifacts;

  /**
   * Opens or makes the file.
   * @param path of the file, or `:memory:`.
   * @param waitMs how long to wait for another server that has it open.
   * @throws StoreError when another server has it open, it is not a database, or a newer version wrote it.
   */
  constructor(path: string, waitMs = 0) {
    try {
      if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
      this.#db = new DatabaseSync(path, { timeout: waitMs });
      this.#db.exec(`
        PRAGMA locking_mode = EXCLUSIVE;
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = FULL;
        PRAGMA foreign_keys = ON;
      `);
      migrate(this.#db);
      this.#transactions = new SqliteTransactions(this.#db);
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

  /** @see SqliteTransactions.commit */
  commit(writes: readonly (() => unknown)[]): Outcome[] {
    return this.#transactions.commit(writes);
  }

  /** @throws StoreUnavailableError */
  probe(): void {
    this.#transactions.probe();
  }

  /** The study that was made by the same request before; undefined when this one is stored. */
  createStudy(request: studies.EncodedNewStudy): Bytes | undefined {
    return studies.createStudy(this.#records, this.#artifacts, request);
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
    return studies.getStudy(this.#records, name);
  }

  listStudies(page: StudyPage): Page<Bytes> {
    return studies.listStudies(this.#records, page);
  }

  listExpired(expiry: Expiry): string[] {
    return studies.listExpired(this.#records, expiry);
  }

  getSnapshot(name: string, page: PageRequest<number>): studies.EncodedSnapshot | undefined {
    return studies.getSnapshot(this.#records, name, page);
  }

  lastSequence(study: string): number {
    return studies.lastSequence(this.#records, study);
  }

  startTrial(name: string): trials.EncodedStartedTrial {
    return trials.startTrial(this.#records, name);
  }

  startReporting(name: string): trials.EncodedReportedTrial {
    return trials.startReporting(this.#records, this.#reports, name);
  }

  addReport(claim: Claim, report: Bytes): void {
    trials.addReport(this.#records, this.#reports, claim, report);
  }

  closeWindow(
    claim: Claim,
    outerStep: WholeOuterStepRecord,
    state: Bytes,
    ending: TrialEnding | undefined,
  ): { study: Bytes; trial: Bytes } | undefined {
    this.addOuterStep(claim, outerStep);
    this.#reports.close(this.#records.claimed(claim).id, state);
    return ending && this.endTrial(claim, ending);
  }

  describeRuntime(claim: Claim, runtime: Runtime): Bytes {
    return trials.describeRuntime(this.#records, claim, runtime);
  }

  awaitDecision(claim: Claim, outerStep: number): Bytes {
    return trials.awaitDecision(this.#records, claim, outerStep);
  }

  addDecision(name: string, decision: Bytes): Bytes {
    return trials.addDecision(this.#records, name, decision);
  }

  getDecision(trial: string, outerStep: number): Bytes | undefined {
    return trials.getDecision(this.#records, trial, outerStep);
  }

  addOuterStep(claim: Claim, step: WholeOuterStepRecord): Bytes {
    return outerSteps.addOuterStep(this.#records, claim, step);
  }

  interruptTrial(claim: Claim, interruption: Interruption): Bytes {
    return lifecycle.interruptTrial(this.#records, claim, interruption);
  }

  pauseTrial(claim: Claim, pause: Pause): Bytes {
    return lifecycle.pauseTrial(this.#records, claim, pause);
  }

  resumeTrial(name: string, cause: PauseCause, by: Actor): boolean {
    return lifecycle.resumeTrial(this.#records, name, cause, by);
  }

  listPausedTrials(cause: PauseCause): string[] {
    return lifecycle.listPausedTrials(this.#records, cause);
  }

  endTrial(claim: Claim, ending: TrialEnding): { study: Bytes; trial: Bytes } {
    return lifecycle.endTrial(this.#records, claim, ending);
  }

  getTrial(name: string): Bytes | undefined {
    return trials.getTrial(this.#records, name);
  }

  listTrials(study: string, page: PageRequest<number>): Page<Bytes> {
    return trials.listTrials(this.#records, study, page);
  }

  listLiveTrials(): { epoch: number; trial: Bytes }[] {
    return trials.listLiveTrials(this.#records);
  }

  getOuterStep(trial: string, index: number): OuterStepRecord | undefined {
    return outerSteps.getOuterStep(this.#records, trial, index);
  }

  listOuterSteps(
    trial: string,
    page: PageRequest<number> & { readonly windows?: boolean },
  ): Page<OuterStepRecord> {
    return outerSteps.listOuterSteps(this.#records, trial, page);
  }

  listEvents(study: string, page: PageRequest<number>): Page<EventRecord> {
    return outerSteps.listEvents(this.#records, study, page);
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
}
