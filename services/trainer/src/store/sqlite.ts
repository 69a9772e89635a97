/** The embedded store: one SQLite file through `node:sqlite`, for one server process at a time. */

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { OuterStep, Study, StudyState, Trial } from '@glocal/proto/glocal/v1/study';
import { StudyEvent } from '@glocal/proto/glocal/v1/study_service';
import { hasEnded } from '../resource/states.ts';
import {
  ActiveStudiesError,
  type CreateResult,
  RequestIdReusedError,
  type Store,
  type StoredEvent,
  StoreError,
} from './store.ts';

const SCHEMA_VERSION = 1;

/** Records are protobuf messages, so that fields can be added without migrating; columns are what queries need. */
const SCHEMA = `
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
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

type Row = Record<string, SQLInputValue>;

/** @see Store */
export class SqliteStore implements Store {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

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
      this.#migrate(path);
    } catch (error) {
      if (error instanceof StoreError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      const hint = why.includes('locked')
        ? 'another server has it open; stop that one or choose another file'
        : why;
      throw new StoreError(`store ${path}: ${hint}`, { cause: error });
    }
  }

  #migrate(path: string): void {
    const version = Number((this.#db.prepare('PRAGMA user_version').get() as Row).user_version);
    if (version === SCHEMA_VERSION) return;
    if (version !== 0) {
      throw new StoreError(
        `store ${path}: written by a newer version (schema ${version}, this one reads ${SCHEMA_VERSION}); upgrade the trainer`,
      );
    }
    this.#transaction(() => this.#db.exec(SCHEMA));
  }

  async createStudy(request: Parameters<Store['createStudy']>[0]): Promise<CreateResult> {
    const { study, trials, requestId, specification, maxActiveStudies } = request;
    return this.#transaction(() => {
      const before =
        requestId === ''
          ? undefined
          : this.#get('SELECT specification, record FROM studies WHERE request_id = ?', requestId);
      if (before !== undefined) {
        if (Buffer.compare(before.specification as Uint8Array, specification) !== 0) {
          throw new RequestIdReusedError(`request id "${requestId}" was used before for another study`);
        }
        return { study: Study.decode(before.record as Uint8Array), created: false };
      }
      const active = Number(this.#get('SELECT count(*) AS n FROM studies WHERE active = 1')?.n);
      if (active >= maxActiveStudies) {
        throw new ActiveStudiesError(
          `${active} studies are active, as many as this server allows; wait or cancel one`,
        );
      }
      this.#run(
        'INSERT INTO studies (name, request_id, specification, active, record) VALUES (?, ?, ?, ?, ?)',
        study.name,
        requestId === '' ? null : requestId,
        specification,
        isActive(study),
        Study.encode(study).finish(),
      );
      trials.forEach((trial, number) => {
        this.#run(
          'INSERT INTO trials (name, study, number, finished, record) VALUES (?, ?, ?, ?, ?)',
          trial.name,
          study.name,
          number,
          isFinished(trial),
          Trial.encode(trial).finish(),
        );
      });
      this.#addEvent(study.name, { $case: 'study', value: study });
      return { study, created: true };
    });
  }

  async getStudy(name: string): Promise<Study | undefined> {
    const row = this.#get('SELECT record FROM studies WHERE name = ?', name);
    return row && Study.decode(row.record as Uint8Array);
  }

  async listStudies(limit: number, after?: string): Promise<Study[]> {
    const rows = this.#all(
      `SELECT record FROM studies
       WHERE position < ifnull((SELECT position FROM studies WHERE name = ?), 9e15) ORDER BY position DESC LIMIT ?`,
      after ?? null,
      limit,
    );
    return rows.map((row) => Study.decode(row.record as Uint8Array));
  }

  async listActiveStudies(): Promise<Study[]> {
    const rows = this.#all('SELECT record FROM studies WHERE active = 1 ORDER BY position');
    return rows.map((row) => Study.decode(row.record as Uint8Array));
  }

  async updateStudy(study: Study): Promise<void> {
    this.#transaction(() => {
      const { changes } = this.#run(
        'UPDATE studies SET record = ?, active = ? WHERE name = ?',
        Study.encode(study).finish(),
        isActive(study),
        study.name,
      );
      if (changes !== 1) throw new StoreError(`${study.name} is not in the store`);
      this.#addEvent(study.name, { $case: 'study', value: study });
    });
  }

  async getTrial(name: string): Promise<Trial | undefined> {
    const row = this.#get('SELECT record FROM trials WHERE name = ?', name);
    return row && Trial.decode(row.record as Uint8Array);
  }

  async listTrials(study: string): Promise<Trial[]> {
    const rows = this.#all('SELECT record FROM trials WHERE study = ? ORDER BY number', study);
    return rows.map((row) => Trial.decode(row.record as Uint8Array));
  }

  async listUnfinishedTrials(): Promise<Trial[]> {
    const rows = this.#all(
      `SELECT trials.record AS record FROM trials JOIN studies ON studies.name = trials.study
       WHERE finished = 0 ORDER BY studies.position, trials.number`,
    );
    return rows.map((row) => Trial.decode(row.record as Uint8Array));
  }

  async updateTrial(trial: Trial): Promise<void> {
    this.#transaction(() => {
      this.#replaceTrial(trial);
      this.#addEvent(studyOf(trial), { $case: 'trial', value: trial });
    });
  }

  async addOuterStep(trial: Trial, outerStep: OuterStep): Promise<void> {
    this.#transaction(() => {
      const { record, hypergradients } = splitRows(outerStep);
      const { changes } = this.#run(
        'INSERT OR IGNORE INTO outer_steps (trial, number, record, hypergradients) VALUES (?, ?, ?, ?)',
        trial.name,
        outerStep.index,
        OuterStep.encode(record).finish(),
        hypergradients,
      );
      if (changes !== 1) throw new StoreError(`${outerStep.name} is in the store already`);
      this.#replaceTrial(trial);
      this.#addEvent(studyOf(trial), { $case: 'outerStep', value: record });
    });
  }

  async getOuterStep(name: string): Promise<OuterStep | undefined> {
    const [trial, number] = name.split('/outerSteps/');
    const row = this.#get(
      'SELECT record, hypergradients FROM outer_steps WHERE trial = ? AND number = ?',
      trial ?? '',
      Number(number),
    );
    return row && joinRows(row);
  }

  async listOuterSteps(
    trial: string,
    { limit, after, windows }: { limit: number; after: number; windows: boolean },
  ): Promise<OuterStep[]> {
    const columns = windows ? 'record, hypergradients' : 'record';
    const rows = this.#all(
      `SELECT ${columns} FROM outer_steps WHERE trial = ? AND number > ? ORDER BY number LIMIT ?`,
      trial,
      after,
      limit,
    );
    return rows.map(joinRows);
  }

  async listEvents(study: string, after: number, limit: number): Promise<StoredEvent[]> {
    const rows = this.#all(
      'SELECT sequence, record FROM events WHERE study = ? AND sequence > ? ORDER BY sequence LIMIT ?',
      study,
      after,
      limit,
    );
    return rows.map((row) => ({
      sequence: Number(row.sequence),
      event: StudyEvent.decode(row.record as Uint8Array),
    }));
  }

  async close(): Promise<void> {
    this.#db.close();
  }

  #replaceTrial(trial: Trial): void {
    const { changes } = this.#run(
      'UPDATE trials SET record = ?, finished = ? WHERE name = ?',
      Trial.encode(trial).finish(),
      isFinished(trial),
      trial.name,
    );
    if (changes !== 1) throw new StoreError(`${trial.name} is not in the store`);
  }

  #addEvent(study: string, event: NonNullable<StudyEvent['event']>): void {
    const last = this.#get('SELECT max(sequence) AS last FROM events WHERE study = ?', study);
    const sequence = Number(last?.last ?? 0) + 1;
    const record = StudyEvent.encode({ cursor: String(sequence), time: new Date(), event }).finish();
    this.#run('INSERT INTO events (study, sequence, record) VALUES (?, ?, ?)', study, sequence, record);
  }

  #transaction<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
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

  #run(sql: string, ...values: SQLInputValue[]): { changes: number } {
    return { changes: Number(this.#statement(sql).run(...values).changes) };
  }
}

const isActive = (study: Study): number => (study.state === StudyState.ACTIVE ? 1 : 0);
const isFinished = (trial: Trial): number => (hasEnded(trial) ? 1 : 0);
const studyOf = (trial: Trial): string => trial.name.slice(0, trial.name.indexOf('/trials/'));

/** The rows of a window are large and seldom asked for: they have a column of their own. */
function splitRows(outerStep: OuterStep): { record: OuterStep; hypergradients: Uint8Array } {
  if (outerStep.window === undefined) return { record: outerStep, hypergradients: new Uint8Array() };
  const window = { ...outerStep.window, hypergradients: Buffer.alloc(0) };
  return { record: { ...outerStep, window }, hypergradients: outerStep.window.hypergradients };
}

function joinRows(row: Row): OuterStep {
  const outerStep = OuterStep.decode(row.record as Uint8Array);
  if (outerStep.window !== undefined && row.hypergradients !== undefined) {
    outerStep.window.hypergradients = Buffer.from(row.hypergradients as Uint8Array);
  }
  return outerStep;
}
