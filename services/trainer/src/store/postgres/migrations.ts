/** The schema of the PostgreSQL store, as the steps that lead from each version to the next. */

import { TrialState } from '@glocal/proto/glocal/v1/study';
import type { ClientBase } from 'pg';
import { StoreError } from '../errors.ts';
import { claimable } from '../sql/queue.ts';
import { SCHEMA } from './session.ts';

/** Leads from version n to n + 1, for the n-th of them. A released one is never changed. */
export const MIGRATIONS: readonly string[] = [
  createTables() + queueTables(),
  keepEpochs() + objectTables(),
  deleteInParts(),
];

export const SCHEMA_VERSION = MIGRATIONS.length;

/** Only ours by agreement: one server at a time looks at the schema. */
const LOCK = 'SELECT pg_advisory_xact_lock(7129060410)';

/**
 * Brings a database to the current schema, a transaction for each step; an empty one, too. Servers that start together
 * wait for each other.
 * @throws StoreError when a newer version wrote it, or it does not hold text as UTF-8.
 */
export async function migrate(client: ClientBase, steps: readonly string[] = MIGRATIONS): Promise<void> {
  const { rows } = await client.query("SELECT current_setting('server_encoding') AS encoding");
  if (rows[0]?.encoding !== 'UTF8') {
    throw new StoreError(`is encoded as ${rows[0]?.encoding}; make a database with the encoding UTF8`);
  }
  while (await migrateOnce(client, steps));
}

/** Makes the next step, if there is one. */
async function migrateOnce(client: ClientBase, steps: readonly string[]): Promise<boolean> {
  await client.query('BEGIN');
  try {
    await client.query(LOCK);
    const version = await schemaVersion(client);
    if (version > steps.length) throw newerSchema(version, steps.length);
    if (version === 0) await makeSchema(client);
    const step = steps[version];
    if (step !== undefined) {
      await client.query(step);
      await client.query(`UPDATE ${SCHEMA}.schema_version SET version = $1`, [version + 1]);
    }
    await client.query('COMMIT');
    return step !== undefined;
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

export const newerSchema = (version: number, ours: number = SCHEMA_VERSION): StoreError =>
  new StoreError(
    `was written by a newer version (schema ${version}, this one reads ${ours}); upgrade the trainer`,
  );

/** 0 for a database that has nothing of ours. */
export async function schemaVersion(client: ClientBase): Promise<number> {
  const { rows } = await client.query(
    `SELECT to_regclass('${SCHEMA}.schema_version') IS NOT NULL AS is_there`,
  );
  if (rows[0]?.is_there !== true) return 0;
  const { rows: versions } = await client.query(`SELECT version FROM ${SCHEMA}.schema_version`);
  return Number(versions[0]?.version);
}

/** Our user needs the right to make one only where there is none. */
async function makeSchema(client: ClientBase): Promise<void> {
  const { rows } = await client.query('SELECT 1 AS one FROM pg_namespace WHERE nspname = $1', [SCHEMA]);
  if (rows.length === 0) await client.query(`CREATE SCHEMA ${SCHEMA}`);
  await client.query(`
    CREATE TABLE IF NOT EXISTS ${SCHEMA}.schema_version (version integer NOT NULL);
    INSERT INTO ${SCHEMA}.schema_version VALUES (0);
  `);
}

/**
 * As in SQLite. Besides: an event and its outer step are deleted with their study alone, so that the reference between them
 * needs no look at each row; and counts are sums of changes, which nobody waits for (`tally_changes`), added up by whoever
 * makes studies.
 */
function createTables(): string {
  return `
    CREATE TABLE studies (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      name text COLLATE "C" NOT NULL UNIQUE,
      owner text COLLATE "C" NOT NULL,
      request_id text COLLATE "C",
      fingerprint bytea NOT NULL,
      state integer NOT NULL,
      active integer NOT NULL,
      ended bigint,
      record bytea NOT NULL,
      UNIQUE (owner, request_id)
    ) WITH (fillfactor = 80);
    CREATE INDEX owned_studies ON studies (owner, id);
    CREATE INDEX studies_by_state ON studies (state, id);
    CREATE INDEX ended_studies ON studies (ended, id) WHERE ended IS NOT NULL;
    CREATE TABLE trials (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      name text COLLATE "C" NOT NULL UNIQUE,
      study bigint NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
      number integer NOT NULL,
      epoch bigint NOT NULL,
      state integer NOT NULL,
      finished integer NOT NULL,
      external integer NOT NULL,
      pause_cause text COLLATE "C",
      checkpoint integer NOT NULL DEFAULT 0,
      decision bytea,
      record bytea NOT NULL,
      UNIQUE (study, number)
    ) WITH (fillfactor = 80);
    CREATE INDEX unfinished_trials ON trials (study, number) WHERE finished = 0;
    CREATE INDEX paused_trials ON trials (pause_cause, study, number)
      WHERE finished = 0 AND pause_cause IS NOT NULL;
    CREATE INDEX trials_by_state ON trials (state);
    CREATE TABLE outer_steps (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      trial bigint NOT NULL REFERENCES trials (id) ON DELETE CASCADE,
      number integer NOT NULL,
      record bytea NOT NULL,
      large bytea NOT NULL,
      UNIQUE (trial, number)
    );
    ALTER TABLE outer_steps ALTER COLUMN large SET STORAGE EXTERNAL;
    CREATE TABLE events (
      study bigint NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
      sequence bigint NOT NULL,
      outer_step bigint,
      record bytea NOT NULL,
      PRIMARY KEY (study, sequence)
    );
    CREATE TABLE reports (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      trial bigint NOT NULL REFERENCES trials (id) ON DELETE CASCADE,
      outer_step integer NOT NULL,
      number integer NOT NULL,
      "natural" integer NOT NULL,
      record bytea NOT NULL,
      hypergradients bytea NOT NULL,
      UNIQUE (trial, outer_step, number)
    );
    ALTER TABLE reports ALTER COLUMN hypergradients SET STORAGE EXTERNAL;
    CREATE TABLE drives (
      trial bigint PRIMARY KEY REFERENCES trials (id) ON DELETE CASCADE,
      seat integer NOT NULL DEFAULT 0,
      outer_step integer,
      deadline bigint,
      gives_up integer NOT NULL DEFAULT 0,
      sound integer NOT NULL DEFAULT 0,
      record bytea
    );
    ALTER TABLE drives ALTER COLUMN record SET STORAGE EXTERNAL;
    CREATE TABLE external_loops (
      trial bigint PRIMARY KEY REFERENCES trials (id) ON DELETE CASCADE,
      state bytea NOT NULL
    );
    CREATE TABLE study_labels (
      study bigint NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
      key text COLLATE "C" NOT NULL,
      value text COLLATE "C" NOT NULL,
      PRIMARY KEY (study, key)
    );
    CREATE TABLE deleted_studies (
      id bigint PRIMARY KEY,
      name text COLLATE "C" NOT NULL UNIQUE,
      owner text COLLATE "C" NOT NULL
    );
    CREATE TABLE artifacts (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      name text COLLATE "C" NOT NULL UNIQUE,
      owner text COLLATE "C" NOT NULL,
      digest bytea,
      size bigint NOT NULL,
      description text NOT NULL,
      record bytea NOT NULL
    );
    CREATE UNIQUE INDEX artifact_contents ON artifacts (owner, digest) WHERE digest IS NOT NULL;
    CREATE TABLE artifact_uses (
      artifact bigint NOT NULL REFERENCES artifacts (id) ON DELETE CASCADE,
      study bigint NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
      PRIMARY KEY (artifact, study)
    );
    CREATE INDEX artifacts_of_studies ON artifact_uses (study);
    CREATE TABLE probes (filler bytea NOT NULL);
    ALTER TABLE probes ALTER COLUMN filler SET STORAGE EXTERNAL;

    CREATE TABLE tallies (
      what text COLLATE "C" NOT NULL,
      owner text COLLATE "C" NOT NULL,
      n bigint NOT NULL,
      PRIMARY KEY (what, owner)
    );
    CREATE TABLE tally_changes (
      what text COLLATE "C" NOT NULL,
      owner text COLLATE "C" NOT NULL,
      n bigint NOT NULL
    );
    CREATE INDEX tally_changes_of ON tally_changes (what, owner);
    CREATE VIEW counts AS
      SELECT what, CAST(sum(n) AS bigint) AS n
      FROM (SELECT what, n FROM tallies WHERE owner = '' UNION ALL SELECT what, n FROM tally_changes WHERE owner = '')
        AS all_tallies
      GROUP BY what;
    CREATE VIEW active_studies AS
      SELECT owner, CAST(sum(n) AS bigint) AS n
      FROM (SELECT owner, n FROM tallies WHERE what = 'active studies of'
        UNION ALL SELECT owner, n FROM tally_changes WHERE what = 'active studies of') AS all_tallies
      GROUP BY owner;
    CREATE FUNCTION tally_study() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE
        active_before integer := 0;
        active_after integer := 0;
        of_owner text;
      BEGIN
        IF TG_OP <> 'INSERT' THEN
          active_before := old.active;
          of_owner := old.owner;
        END IF;
        IF TG_OP <> 'DELETE' THEN
          active_after := new.active;
          of_owner := new.owner;
        END IF;
        IF TG_OP <> 'UPDATE' THEN
          INSERT INTO ${SCHEMA}.tally_changes
            VALUES ('studies', '', CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END);
        END IF;
        IF active_after <> active_before THEN
          INSERT INTO ${SCHEMA}.tally_changes VALUES
            ('active studies', '', active_after - active_before),
            ('active studies of', of_owner, active_after - active_before);
        END IF;
        RETURN NULL;
      END $$;
    CREATE TRIGGER study_tallied AFTER INSERT OR DELETE OR UPDATE OF active ON studies
      FOR EACH ROW EXECUTE FUNCTION tally_study();
  `;
}

/** What there is to claim, and who has claimed it. Small rows that change often, by the clock of the database. */
function queueTables(): string {
  return `
    CREATE TABLE queued_studies (
      study bigint PRIMARY KEY REFERENCES studies (id) ON DELETE CASCADE,
      owner text COLLATE "C" NOT NULL,
      priority integer NOT NULL,
      max_running integer NOT NULL,
      waiting integer NOT NULL,
      again integer NOT NULL,
      running integer NOT NULL
    ) WITH (fillfactor = 50);
    CREATE INDEX claimable_studies ON queued_studies (owner, priority DESC, (again > 0) DESC, running, study)
      WHERE ${claimable('queued_studies')};
    CREATE TABLE queued_owners (
      owner text COLLATE "C" PRIMARY KEY,
      waiting integer NOT NULL,
      running integer NOT NULL,
      served bigint NOT NULL
    ) WITH (fillfactor = 50);
    CREATE INDEX waiting_owners ON queued_owners (running, served, owner) WHERE waiting > 0;
    CREATE INDEX served_owners ON queued_owners (served);
    CREATE INDEX waiting_trials ON trials (study, (epoch > 0) DESC, number)
      WHERE external = 0 AND state = ${TrialState.PENDING};
    CREATE TABLE workers (
      name text COLLATE "C" PRIMARY KEY,
      heard bigint NOT NULL,
      lease_until bigint NOT NULL
    ) WITH (fillfactor = 50);
    CREATE TABLE claims (
      trial bigint PRIMARY KEY REFERENCES trials (id) ON DELETE CASCADE,
      worker text COLLATE "C" NOT NULL
    );
    CREATE INDEX claims_of_workers ON claims (worker, trial);
    CREATE FUNCTION now_ms() RETURNS bigint LANGUAGE sql VOLATILE
      AS 'SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)';
  `;
}

/** The claim that has stored an outer step; 0 for those from before that was kept. */
function keepEpochs(): string {
  return 'ALTER TABLE outer_steps ADD COLUMN epoch bigint NOT NULL DEFAULT 0;';
}

/** Checkpoints and uploaded files, by names with slashes; not compressed, which would not make them smaller. */
function objectTables(): string {
  return `
    CREATE TABLE objects (
      key text COLLATE "C" PRIMARY KEY,
      bytes bytea NOT NULL,
      sha256 bytea NOT NULL,
      size bigint NOT NULL,
      created bigint NOT NULL
    );
    ALTER TABLE objects ALTER COLUMN bytes SET STORAGE EXTERNAL;
  `;
}

/** What may be large outlives its study for a while, until `deletions.ts` has come to it. */
function deleteInParts(): string {
  return `
    ALTER TABLE outer_steps DROP CONSTRAINT outer_steps_trial_fkey;
    ALTER TABLE reports DROP CONSTRAINT reports_trial_fkey;
    ALTER TABLE events DROP CONSTRAINT events_study_fkey;
    CREATE TABLE deleted_rows (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      study bigint NOT NULL,
      trial bigint
    );
  `;
}

/** Adds the changes up. Only whoever holds the lock of limits does: nobody else waits for it. */
export const ADD_UP_TALLIES = `
  WITH gone AS (DELETE FROM tally_changes RETURNING what, owner, n)
  INSERT INTO tallies SELECT what, owner, sum(n) FROM gone GROUP BY what, owner
  ON CONFLICT (what, owner) DO UPDATE SET n = tallies.n + excluded.n`;
