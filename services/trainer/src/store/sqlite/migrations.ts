/** The schema of the SQLite store, as the steps that lead from each version to the next. */

import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { OuterStep, RunMode, Study, StudyState, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { Report, StudyEvent } from '@glocal/proto/glocal/v1/study_service';
import { settleStudy } from '../../lifecycle/study-transitions.ts';
import { cancelTrial } from '../../lifecycle/transitions.ts';
import { hasEnded } from '../../resource/states.ts';
import { StoreError } from '../errors.ts';
import { encodeEvent, encodeOuterStep } from '../records.ts';
import { claimable } from '../sql/queue.ts';
import { stateColumns } from '../sql/rows.ts';

type Row = Record<string, SQLInputValue>;

/** Leads from version n to n + 1, for the n-th of them. A released one is never changed. */
const MIGRATIONS: readonly ((db: DatabaseSync) => void)[] = [
  createTables,
  referToOuterSteps,
  addOwners,
  keepReports,
  addArtifacts,
  keepDecisions,
  keepStates,
  countActiveStudies,
  keepReportedRows,
  keepProposals,
  queueTrials,
  keepEpochs,
];

export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Brings a database to the current schema, in one transaction; an empty one, too.
 * @throws StoreError when a newer version wrote it.
 */
export function migrate(db: DatabaseSync): void {
  const version = Number((db.prepare('PRAGMA user_version').get() as Row).user_version);
  if (version > SCHEMA_VERSION) {
    throw new StoreError(
      `written by a newer version (schema ${version}, this one reads ${SCHEMA_VERSION}); upgrade the trainer`,
    );
  }
  if (version === SCHEMA_VERSION) return;
  // Tables are rebuilt, and dropping one would take along what refers to it.
  db.exec('PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE');
  try {
    for (const step of MIGRATIONS.slice(version)) step(db);
    db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`);
  } finally {
    if (db.isTransaction) db.exec('ROLLBACK');
    db.exec('PRAGMA foreign_keys = ON');
  }
}

function createTables(db: DatabaseSync): void {
  db.exec(`
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
  `);
}

/**
 * Claims of trials have epochs; what is large of an outer step comes last in its row, where reading the rest does not
 * touch it; and an event refers to its outer step. A study that has ended has no trial that has not, from here on.
 */
function referToOuterSteps(db: DatabaseSync): void {
  db.exec(`
    ALTER TABLE studies RENAME TO old_studies;
    ALTER TABLE trials RENAME TO old_trials;
    ALTER TABLE outer_steps RENAME TO old_outer_steps;
    ALTER TABLE events RENAME TO old_events;
    CREATE TABLE studies (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL UNIQUE,
      request_id TEXT UNIQUE,
      fingerprint BLOB NOT NULL,
      active INTEGER NOT NULL,
      record BLOB NOT NULL
    ) STRICT;
    CREATE INDEX active_studies ON studies (id) WHERE active = 1;
    CREATE TABLE trials (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL UNIQUE,
      study INTEGER NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
      number INTEGER NOT NULL,
      epoch INTEGER NOT NULL,
      finished INTEGER NOT NULL,
      record BLOB NOT NULL,
      UNIQUE (study, number)
    ) STRICT;
    CREATE INDEX unfinished_trials ON trials (study, number) WHERE finished = 0;
    CREATE TABLE outer_steps (
      id INTEGER PRIMARY KEY,
      trial INTEGER NOT NULL REFERENCES trials (id) ON DELETE CASCADE,
      number INTEGER NOT NULL,
      record BLOB NOT NULL,
      large BLOB NOT NULL,
      UNIQUE (trial, number)
    ) STRICT;
    CREATE TABLE events (
      study INTEGER NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
      sequence INTEGER NOT NULL,
      outer_step INTEGER REFERENCES outer_steps (id) ON DELETE CASCADE,
      record BLOB NOT NULL,
      PRIMARY KEY (study, sequence)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO studies SELECT position, name, request_id, specification, active, record FROM old_studies;
    INSERT INTO trials (name, study, number, epoch, finished, record)
      SELECT old.name, studies.id, old.number, 0, old.finished, old.record
      FROM old_trials AS old JOIN studies ON studies.name = old.study ORDER BY studies.id, old.number;
  `);
  const addOuterStep = db.prepare(
    `INSERT INTO outer_steps (trial, number, record, large) SELECT id, ?, ?, ? FROM trials WHERE name = ?`,
  );
  for (const row of db.prepare('SELECT * FROM old_outer_steps ORDER BY trial, number').iterate()) {
    const outerStep = OuterStep.decode(row.record as Uint8Array);
    if (outerStep.window) outerStep.window.hypergradients = Buffer.from(row.hypergradients as Uint8Array);
    const { record, large } = encodeOuterStep(outerStep);
    addOuterStep.run(Number(row.number), record, large, String(row.trial));
  }
  const addEvent = db.prepare(
    `INSERT INTO events (study, sequence, outer_step, record) VALUES (
       (SELECT id FROM studies WHERE name = ?), ?,
       (SELECT outer_steps.id FROM outer_steps JOIN trials ON trials.id = trial WHERE trials.name = ? AND outer_steps.number = ?),
       ?)`,
  );
  for (const row of db.prepare('SELECT * FROM old_events ORDER BY study, sequence').iterate()) {
    const { time, event } = StudyEvent.decode(row.record as Uint8Array);
    const outerStep = event?.$case === 'outerStep' ? event.value : undefined;
    const sequence = Number(row.sequence);
    const record = encodeEvent(time ?? new Date(0), outerStep === undefined ? event : undefined);
    const trial = outerStep?.name.slice(0, outerStep.name.indexOf('/outerSteps/')) ?? null;
    addEvent.run(row.study as string, sequence, trial, outerStep?.index ?? null, record);
  }
  db.exec(
    'DROP TABLE old_events; DROP TABLE old_outer_steps; DROP TABLE old_trials; DROP TABLE old_studies;',
  );
  endWhatWasLeft(db);
}

/** A study has an owner, whose request ids are theirs alone. Those made before belong to nobody. */
function addOwners(db: DatabaseSync): void {
  db.exec(`
    CREATE TABLE new_studies (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL UNIQUE,
      owner TEXT NOT NULL,
      request_id TEXT,
      fingerprint BLOB NOT NULL,
      active INTEGER NOT NULL,
      record BLOB NOT NULL,
      UNIQUE (owner, request_id)
    ) STRICT;
    INSERT INTO new_studies SELECT id, name, '', request_id, fingerprint, active, record FROM studies;
    DROP TABLE studies;
    ALTER TABLE new_studies RENAME TO studies;
    CREATE INDEX active_studies ON studies (owner) WHERE active = 1;
    CREATE INDEX owned_studies ON studies (owner, id);
  `);
}

/** The last decision about a trial that is driven. */
function keepDecisions(db: DatabaseSync): void {
  db.exec('ALTER TABLE trials ADD COLUMN decision BLOB');
}

/** Ends the trials of cancelled studies, and the studies whose trials have all ended: a server may have died in between. */
function endWhatWasLeft(db: DatabaseSync): void {
  const now = new Date();
  const trialsOf = db.prepare('SELECT id, record FROM trials WHERE study = ? ORDER BY number');
  const setTrial = db.prepare('UPDATE trials SET record = ?, finished = 1 WHERE id = ?');
  const setStudy = db.prepare('UPDATE studies SET record = ?, active = 0 WHERE id = ?');
  const addEvent = db.prepare('INSERT INTO events (study, sequence, record) VALUES (?, ?, ?)');
  const lastEvent = db.prepare('SELECT max(sequence) AS last FROM events WHERE study = ?');
  const tell = (study: number, event: StudyEvent['event']) => {
    const sequence = Number(lastEvent.get(study)?.last ?? 0) + 1;
    addEvent.run(study, sequence, encodeEvent(now, event));
  };
  const unfinished = `SELECT id, record FROM studies WHERE active = 1
    OR id IN (SELECT study FROM trials WHERE finished = 0)`;
  for (const row of db.prepare(unfinished).all() as Row[]) {
    const id = Number(row.id);
    const study = Study.decode(row.record as Uint8Array);
    const rows = trialsOf.all(id) as Row[];
    const trials = rows.map((kept) => ({
      id: Number(kept.id),
      trial: Trial.decode(kept.record as Uint8Array),
    }));
    if (study.state === StudyState.ACTIVE) {
      const value = settleStudy(
        study,
        trials.map(({ trial }) => trial),
        now,
      );
      if (value === undefined) continue;
      setStudy.run(Study.encode(value).finish(), id);
      tell(id, { $case: 'study', value });
      continue;
    }
    for (const { id: trialId, trial } of trials.filter(({ trial }) => !hasEnded(trial))) {
      const value = cancelTrial(trial, now);
      setTrial.run(Trial.encode(value).finish(), trialId);
      tell(id, { $case: 'trial', value });
    }
  }
}

/** Trials whose client trains, what it has reported since their last outer step, and their outer loop at that step. */
function keepReports(db: DatabaseSync): void {
  db.exec(`
    ALTER TABLE trials ADD COLUMN external INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE reports (
      trial INTEGER NOT NULL REFERENCES trials (id) ON DELETE CASCADE,
      number INTEGER NOT NULL,
      record BLOB NOT NULL,
      PRIMARY KEY (trial, number)
    ) STRICT;
    CREATE TABLE external_loops (
      trial INTEGER PRIMARY KEY REFERENCES trials (id) ON DELETE CASCADE,
      state BLOB NOT NULL
    ) STRICT;
  `);
}

/** A deleted artifact keeps its row, without content, so that it is known to have been there. */
function addArtifacts(db: DatabaseSync): void {
  db.exec(`
    CREATE TABLE artifacts (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL UNIQUE,
      owner TEXT NOT NULL,
      digest BLOB,
      size INTEGER NOT NULL,
      description TEXT NOT NULL,
      record BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX artifact_contents ON artifacts (owner, digest) WHERE digest IS NOT NULL;
    CREATE TABLE artifact_uses (
      artifact INTEGER NOT NULL REFERENCES artifacts (id) ON DELETE CASCADE,
      study INTEGER NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
      PRIMARY KEY (artifact, study)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX artifacts_of_studies ON artifact_uses (study);
  `);
}

/**
 * Lists can be asked for states and labels, studies are counted, and what is left of a deleted one is its name. A
 * trial knows what it was paused for and which checkpoint it goes on from. Records stay last in their rows.
 */
function keepStates(db: DatabaseSync): void {
  db.exec(`
    CREATE TABLE new_studies (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL UNIQUE,
      owner TEXT NOT NULL,
      request_id TEXT,
      fingerprint BLOB NOT NULL,
      state INTEGER NOT NULL,
      active INTEGER NOT NULL,
      ended INTEGER,
      record BLOB NOT NULL,
      UNIQUE (owner, request_id)
    ) STRICT;
    INSERT INTO new_studies SELECT id, name, owner, request_id, fingerprint, 0, active, NULL, record FROM studies;
    DROP TABLE studies;
    ALTER TABLE new_studies RENAME TO studies;
    CREATE INDEX active_studies ON studies (owner) WHERE active = 1;
    CREATE INDEX owned_studies ON studies (owner, id);
    CREATE INDEX ended_studies ON studies (ended) WHERE ended IS NOT NULL;
    CREATE TABLE new_trials (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL UNIQUE,
      study INTEGER NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
      number INTEGER NOT NULL,
      epoch INTEGER NOT NULL,
      state INTEGER NOT NULL,
      finished INTEGER NOT NULL,
      external INTEGER NOT NULL,
      pause_cause TEXT,
      checkpoint INTEGER NOT NULL DEFAULT 0,
      decision BLOB,
      record BLOB NOT NULL,
      UNIQUE (study, number)
    ) STRICT;
    INSERT INTO new_trials
      SELECT id, name, study, number, epoch, 0, finished, external, NULL, 0, decision, record FROM trials;
    DROP TABLE trials;
    ALTER TABLE new_trials RENAME TO trials;
    CREATE INDEX unfinished_trials ON trials (study, number) WHERE finished = 0;
    CREATE INDEX events_of_outer_steps ON events (outer_step) WHERE outer_step IS NOT NULL;
    CREATE TABLE study_labels (
      study INTEGER NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
      key TEXT NOT NULL,
      value TEXT NOT NULL,
      PRIMARY KEY (study, key)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE deleted_studies (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      owner TEXT NOT NULL
    ) STRICT;
    CREATE TABLE counts (what TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO counts SELECT 'studies', count(*) FROM studies;
    CREATE TRIGGER study_added AFTER INSERT ON studies
      BEGIN UPDATE counts SET n = n + 1 WHERE what = 'studies'; END;
    CREATE TRIGGER study_removed AFTER DELETE ON studies
      BEGIN UPDATE counts SET n = n - 1 WHERE what = 'studies'; END;
  `);
  const setStudy = db.prepare('UPDATE studies SET state = ?, active = ?, ended = ? WHERE id = ?');
  for (const { id, record } of db.prepare('SELECT id, record FROM studies').all() as Row[]) {
    setStudy.run(...stateColumns(Study.decode(record as Uint8Array)), Number(id));
  }
  const setTrial = db.prepare('UPDATE trials SET state = ? WHERE id = ?');
  for (const { id, record } of db.prepare('SELECT id, record FROM trials').all() as Row[]) {
    setTrial.run(Trial.decode(record as Uint8Array).state, Number(id));
  }
}

/** How many studies are ACTIVE, in all and of each owner, is known without counting them: each new one asks. */
function countActiveStudies(db: DatabaseSync): void {
  db.exec(`
    DROP INDEX active_studies;
    CREATE TABLE active_studies (owner TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO active_studies SELECT owner, count(*) FROM studies WHERE active = 1 GROUP BY owner;
    INSERT INTO counts SELECT 'active studies', count(*) FROM studies WHERE active = 1;
    CREATE TRIGGER active_study_added AFTER INSERT ON studies WHEN new.active = 1
      BEGIN
        INSERT INTO active_studies VALUES (new.owner, 1) ON CONFLICT (owner) DO UPDATE SET n = n + 1;
        UPDATE counts SET n = n + 1 WHERE what = 'active studies';
      END;
    CREATE TRIGGER study_activity_changed AFTER UPDATE OF active ON studies WHEN new.active <> old.active
      BEGIN
        INSERT INTO active_studies VALUES (new.owner, 1)
          ON CONFLICT (owner) DO UPDATE SET n = n + new.active - old.active;
        UPDATE counts SET n = n + new.active - old.active WHERE what = 'active studies';
      END;
    CREATE TRIGGER active_study_removed AFTER DELETE ON studies WHEN old.active = 1
      BEGIN
        UPDATE active_studies SET n = n - 1 WHERE owner = old.owner;
        UPDATE counts SET n = n - 1 WHERE what = 'active studies';
      END;
  `);
}

/** Of an outer step whose client trains, the rows stay where they were reported. Those of then are with respect to the values. */
function keepReportedRows(db: DatabaseSync): void {
  db.exec(`
    ALTER TABLE reports RENAME TO old_reports;
    CREATE TABLE reports (
      id INTEGER PRIMARY KEY,
      trial INTEGER NOT NULL REFERENCES trials (id) ON DELETE CASCADE,
      outer_step INTEGER NOT NULL,
      number INTEGER NOT NULL,
      natural INTEGER NOT NULL,
      record BLOB NOT NULL,
      hypergradients BLOB NOT NULL,
      UNIQUE (trial, outer_step, number)
    ) STRICT;
  `);
  const add = db.prepare(
    'INSERT INTO reports (trial, outer_step, number, natural, record, hypergradients) VALUES (?, ?, ?, 1, ?, ?)',
  );
  for (const row of db.prepare('SELECT * FROM old_reports ORDER BY trial, number').iterate()) {
    const { hypergradients, ...report } = Report.decode(row.record as Uint8Array);
    const record = Report.encode({ ...report, hypergradients: Buffer.alloc(0) }).finish();
    add.run(Number(row.trial), report.outerStep, Number(row.number) - 1, record, hypergradients);
  }
  db.exec('DROP TABLE old_reports');
}

/** What is proposed to the driver of a trial, while that waits, and how many drivers there have been. */
function keepProposals(db: DatabaseSync): void {
  db.exec(`
    CREATE TABLE drives (
      trial INTEGER PRIMARY KEY REFERENCES trials (id) ON DELETE CASCADE,
      seat INTEGER NOT NULL DEFAULT 0,
      outer_step INTEGER,
      deadline INTEGER,
      gives_up INTEGER NOT NULL DEFAULT 0,
      sound INTEGER NOT NULL DEFAULT 0,
      record BLOB
    ) STRICT;
  `);
}

/** Whose turn it is is known without looking at trials; who trains them is known by claims, which workers' leases keep. */
function queueTrials(db: DatabaseSync): void {
  db.exec(`
    CREATE TABLE queued_studies (
      study INTEGER PRIMARY KEY REFERENCES studies (id) ON DELETE CASCADE,
      owner TEXT NOT NULL,
      priority INTEGER NOT NULL,
      max_running INTEGER NOT NULL,
      waiting INTEGER NOT NULL,
      again INTEGER NOT NULL,
      running INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX claimable_studies ON queued_studies (owner, priority DESC, (again > 0) DESC, running, study)
      WHERE ${claimable('queued_studies').replaceAll('queued_studies.', '')};
    CREATE TABLE queued_owners (
      owner TEXT PRIMARY KEY,
      waiting INTEGER NOT NULL,
      running INTEGER NOT NULL,
      served INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX waiting_owners ON queued_owners (running, served, owner) WHERE waiting > 0;
    CREATE INDEX served_owners ON queued_owners (served);
    CREATE INDEX waiting_trials ON trials (study, (epoch > 0) DESC, number)
      WHERE external = 0 AND state = ${TrialState.PENDING};
    CREATE TABLE workers (name TEXT PRIMARY KEY, heard INTEGER NOT NULL, lease_until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE claims (
      trial INTEGER PRIMARY KEY REFERENCES trials (id) ON DELETE CASCADE,
      worker TEXT NOT NULL
    ) STRICT;
    CREATE INDEX claims_of_workers ON claims (worker, trial);
  `);
  const add = db.prepare(`
    INSERT INTO queued_studies
      SELECT studies.id, owner, ?, ?,
        count(*) FILTER (WHERE trials.state = ${TrialState.PENDING}),
        count(*) FILTER (WHERE trials.state = ${TrialState.PENDING} AND epoch > 0),
        count(*) FILTER (WHERE trials.state = ${TrialState.RUNNING})
      FROM studies LEFT JOIN trials ON trials.study = studies.id WHERE studies.id = ? GROUP BY studies.id`);
  for (const { id, record } of db.prepare('SELECT id, record FROM studies').all() as Row[]) {
    const { mode, priority, sampling } = Study.decode(record as Uint8Array);
    if (mode !== RunMode.EXTERNAL) add.run(priority, sampling?.maxRunningTrials || 2 ** 31 - 1, Number(id));
  }
  db.exec(`
    INSERT INTO queued_owners
      SELECT owner, sum(waiting), sum(running), 0 FROM queued_studies GROUP BY owner
  `);
}

/** The claim that has stored an outer step; 0 for those from before that was kept. */
function keepEpochs(db: DatabaseSync): void {
  db.exec('ALTER TABLE outer_steps ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0');
}
