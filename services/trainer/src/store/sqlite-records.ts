/** The tables of the SQLite store: statements, pages, and records that are written together with the events that tell of them. */

import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { Decision, Study, StudyState, Trial } from '@glocal/proto/glocal/v1/study';
import type { StudyEvent } from '@glocal/proto/glocal/v1/study_service';
import { NotFoundError } from '../resource/errors.ts';
import { hasEnded, studyHasEnded } from '../resource/states.ts';
import { StaleEpochError } from './errors.ts';
import { encodeEvent } from './records.ts';
import type { Claim, Page, PageRequest } from './store.ts';

export type Row = Record<string, SQLInputValue>;
export type Bytes = Uint8Array;

/** A record as it comes from a table, with the key that identifies it there. */
interface Kept<T> {
  readonly id: number;
  readonly record: T;
}
export type KeptStudy = Kept<Study>;
export interface KeptTrial extends Kept<Trial> {
  readonly study: number;
  readonly epoch: number;
  /** Outer step whose checkpoint a caller chose to go on from; 0 for the newest. */
  readonly checkpoint: number;
  /** The last that a driver made. */
  readonly decision: Decision | undefined;
}

/** Which records of a list come, by their sizes. */
interface Plan {
  readonly count: number;
  readonly more: boolean;
}

export class SqliteRecords {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.statement(sql).get(...values) as Row | undefined;
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.statement(sql).all(...values) as Row[];
  }

  run(sql: string, ...values: SQLInputValue[]): void {
    this.statement(sql).run(...values);
  }

  /** Returns the new row's id. */
  insert(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.statement(sql).run(...values).lastInsertRowid);
  }

  statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** @param list from which table, which rows, in which order, and `LIMIT ?` last. */
  page(list: string, key: readonly SQLInputValue[], page: PageRequest<unknown>): Page<Bytes> {
    const { count, more } = this.plan(`SELECT length(record) AS bytes ${list}`, key, page);
    const rows = this.all(`SELECT record ${list}`, ...key, count);
    return { records: rows.map(({ record }) => record as Bytes), more };
  }

  /** How many rows fit, by their lengths alone, which SQLite knows without reading the rows. */
  plan(sql: string, key: readonly SQLInputValue[], { limit, maxBytes }: PageRequest<unknown>): Plan {
    let bytes = 0;
    let count = 0;
    for (const row of this.statement(sql).iterate(...key, limit + 1)) {
      bytes += Number(row.bytes);
      if (count === limit || (count > 0 && bytes > (maxBytes ?? Number.POSITIVE_INFINITY))) {
        return { count, more: true };
      }
      count += 1;
    }
    return { count, more: false };
  }

  /** @throws NotFoundError */
  study(name: string): KeptStudy {
    const row = this.get('SELECT id, record FROM studies WHERE name = ?', name);
    if (row === undefined) throw new NotFoundError(name);
    return asStudy(row);
  }

  /** Of a trial. */
  studyOf({ study }: KeptTrial): KeptStudy {
    return asStudy(this.get('SELECT id, record FROM studies WHERE id = ?', study) as Row);
  }

  /** @throws NotFoundError */
  trial(name: string): KeptTrial {
    const row = this.get('SELECT * FROM trials WHERE name = ?', name);
    if (row === undefined) throw new NotFoundError(name);
    return asTrial(row);
  }

  /** @throws NotFoundError, StaleEpochError */
  claimed(claim: Claim): KeptTrial {
    const trial = this.trial(claim.trial);
    if (trial.epoch !== claim.epoch) {
      throw new StaleEpochError(
        `${claim.trial} was claimed with epoch ${trial.epoch}, after the claim with epoch ${claim.epoch}`,
      );
    }
    return trial;
  }

  /** Trials of a study in the order of their creation. @param where what else must hold of them. */
  trialsOf(study: number, where = 'true'): KeptTrial[] {
    return this.all(`SELECT * FROM trials WHERE study = ? AND ${where} ORDER BY number`, study).map(asTrial);
  }

  putStudy(id: number, study: Study): Bytes {
    const record = Study.encode(study).finish();
    this.run(
      'UPDATE studies SET record = ?, state = ?, active = ?, ended = ? WHERE id = ?',
      record,
      ...stateColumns(study),
      id,
    );
    this.addEvent(id, { $case: 'study', value: study });
    return record;
  }

  putTrial({ id, study }: KeptTrial, trial: Trial): Bytes {
    this.addEvent(study, { $case: 'trial', value: trial });
    return this.setTrial(id, trial);
  }

  setTrial(id: number, trial: Trial): Bytes {
    const record = Trial.encode(trial).finish();
    this.run(
      'UPDATE trials SET record = ?, state = ?, finished = ? WHERE id = ?',
      record,
      trial.state,
      isFinished(trial),
      id,
    );
    return record;
  }

  /** @param outerStep the row that the event is about, when it is about one. */
  addEvent(study: number, event: StudyEvent['event'], outerStep: number | null = null): void {
    const sequence = this.lastSequence(study) + 1;
    this.run(
      'INSERT INTO events (study, sequence, outer_step, record) VALUES (?, ?, ?, ?)',
      study,
      sequence,
      outerStep,
      encodeEvent(sequence, new Date(), event),
    );
  }

  /** Of the events of a study; 0 when it has none. */
  lastSequence(study: number): number {
    return Number(this.get('SELECT max(sequence) AS last FROM events WHERE study = ?', study)?.last ?? 0);
  }
}

/** What a study's row has of it besides the record: state, whether it is ACTIVE, and when it ended, in milliseconds. */
export const stateColumns = (study: Study): [state: number, active: number, ended: number | null] => [
  study.state,
  study.state === StudyState.ACTIVE ? 1 : 0,
  studyHasEnded(study) ? (study.updateTime?.getTime() ?? 0) : null,
];

export const isFinished = (trial: Trial): number => (hasEnded(trial) ? 1 : 0);

const asStudy = (row: Row): KeptStudy => ({ id: Number(row.id), record: Study.decode(row.record as Bytes) });

const asTrial = (row: Row): KeptTrial => ({
  id: Number(row.id),
  study: Number(row.study),
  epoch: Number(row.epoch),
  checkpoint: Number(row.checkpoint),
  decision: row.decision === null ? undefined : Decision.decode(row.decision as Bytes),
  record: Trial.decode(row.record as Bytes),
});
