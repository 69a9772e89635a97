/** Fills a database with copies of studies: every row as the store wrote the one that it is a copy of, under another name. */

import type { TestPostgres } from '../../support/postgres.ts';
import { type Template, TRIALS } from './templates.ts';

/** Studies that are copied in one transaction. */
const AT_A_TIME = 250;
/** Keys of the n-th copy: of its rows, more than the templates have of each. */
const FIRST = { study: 1_000, trial: 100_000, outerStep: 10_000_000 } as const;
const MOST_OUTER_STEPS = 1_000;

export interface Copies {
  readonly template: Template;
  readonly copies: number;
}

/**
 * @param url of the database.
 * @param onProgress told how many studies there are.
 */
export async function fill(
  postgres: TestPostgres,
  url: string,
  all: readonly Copies[],
  onProgress: (studies: number) => void,
): Promise<void> {
  let first = 0;
  for (const { template, copies } of all) {
    for (let done = 0; done < copies; done += AT_A_TIME) {
      const last = first + Math.min(AT_A_TIME, copies - done);
      await postgres.run(copying(template, first, last), url);
      first = last;
      onProgress(first);
    }
    await postgres.run(
      `UPDATE glocal.queued_owners SET waiting = waiting + ${template.waiting * copies}`,
      url,
    );
  }
  // Each by itself: they cannot be in a transaction with others.
  for (const table of ['studies', 'trials', 'outer_steps']) {
    await postgres.run(
      `SELECT setval(pg_get_serial_sequence('glocal.${table}', 'id'), (SELECT max(id) FROM glocal.${table}))`,
      url,
    );
  }
  await postgres.run('VACUUM ANALYZE', url);
}

/** Copies from `first` up to, and without, `last`. Names are of one length, so that records with them stay what they are. */
function copying({ name }: Template, first: number, last: number): string {
  const id = name.slice('studies/'.length);
  const prefix = id.slice(0, 10);
  return `
    BEGIN;
    SET LOCAL search_path = glocal;
    SET LOCAL synchronous_commit = off;
    CREATE TEMPORARY TABLE copies ON COMMIT DROP AS
      SELECT n, '${prefix}' || lpad(to_hex(n), 16, '0') AS id,
        encode(convert_to('${prefix}' || lpad(to_hex(n), 16, '0'), 'UTF8'), 'hex') AS hex
      FROM generate_series(${first}, ${last - 1}) AS n;
    CREATE FUNCTION pg_temp.renamed(record bytea, hex text) RETURNS bytea LANGUAGE sql IMMUTABLE
      AS $$ SELECT decode(replace(encode(record, 'hex'), encode(convert_to('${id}', 'UTF8'), 'hex'), hex), 'hex') $$;
    INSERT INTO studies (id, name, owner, request_id, fingerprint, state, active, ended, record) OVERRIDING SYSTEM VALUE
      SELECT ${FIRST.study} + n, 'studies/' || copies.id, owner, copies.id, fingerprint, state, active, ended + n,
        pg_temp.renamed(record, hex)
      FROM copies, studies WHERE name = '${name}';
    INSERT INTO trials (id, name, study, number, epoch, state, finished, external, pause_cause, checkpoint, decision, record)
      OVERRIDING SYSTEM VALUE
      SELECT ${FIRST.trial} + n * ${TRIALS} + number, replace(trials.name, '${id}', copies.id), ${FIRST.study} + n, number,
        epoch, trials.state, finished, external, pause_cause, checkpoint, decision, pg_temp.renamed(trials.record, hex)
      FROM copies, trials JOIN studies ON studies.id = trials.study WHERE studies.name = '${name}' ORDER BY n, number;
    INSERT INTO outer_steps (id, trial, number, record, large) OVERRIDING SYSTEM VALUE
      SELECT ${FIRST.outerStep} + n * ${MOST_OUTER_STEPS} + outer_steps.id % ${MOST_OUTER_STEPS},
        ${FIRST.trial} + n * ${TRIALS} + trials.number, outer_steps.number,
        pg_temp.renamed(outer_steps.record, hex), outer_steps.large
      FROM copies, outer_steps JOIN trials ON trials.id = outer_steps.trial JOIN studies ON studies.id = trials.study
      WHERE studies.name = '${name}' ORDER BY n, outer_steps.id;
    INSERT INTO events (study, sequence, outer_step, record)
      SELECT ${FIRST.study} + n, sequence,
        ${FIRST.outerStep} + n * ${MOST_OUTER_STEPS} + outer_step % ${MOST_OUTER_STEPS}, pg_temp.renamed(events.record, hex)
      FROM copies, events JOIN studies ON studies.id = events.study WHERE name = '${name}' ORDER BY n, sequence;
    INSERT INTO queued_studies (study, owner, priority, max_running, waiting, again, running)
      SELECT ${FIRST.study} + n, queued_studies.owner, priority, max_running, waiting, again, running
      FROM copies, queued_studies JOIN studies ON studies.id = queued_studies.study WHERE name = '${name}';
    COMMIT;`;
}
