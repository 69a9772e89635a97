/** What a fleet asks of its database, as the database counts it. */

import type { TestPostgres } from '../support/postgres.ts';

export interface Asked {
  /** Statements, those that begin and end transactions included. */
  readonly statements: number;
  /** Milliseconds that the database worked at them. */
  readonly ms: number;
}

/** In each of our own statements, so that they do not count. */
const OURS = '/* looks on */';

export class Meter {
  /** Of the database server. */
  static readonly SETTINGS = {
    shared_preload_libraries: 'pg_stat_statements',
    'pg_stat_statements.max': '10000',
  } as const;

  readonly #postgres: TestPostgres;
  readonly #url: string;

  private constructor(postgres: TestPostgres, url: string) {
    this.#postgres = postgres;
    this.#url = url;
  }

  /** @param postgres started with {@link Meter.SETTINGS}. @param url of the fleet's database. */
  static async of(postgres: TestPostgres, url: string): Promise<Meter> {
    await postgres.run('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
    return new Meter(postgres, url);
  }

  /** From the start of the server until now. */
  async read(): Promise<Asked> {
    const name = new URL(this.#url).pathname.slice(1);
    const [row] = await this.#postgres.run(
      `SELECT coalesce(sum(calls), 0) AS statements, coalesce(sum(total_exec_time), 0) AS ms
       FROM pg_stat_statements JOIN pg_database ON pg_database.oid = dbid
       WHERE datname = '${name}' AND query NOT LIKE '%${OURS}%'`,
    );
    return { statements: Number(row?.statements), ms: Number(row?.ms) };
  }

  /** Names of the trials that workers have claimed whose names begin like this. */
  async claimedBy(worker: string): Promise<string[]> {
    const rows = await this.#postgres.run(
      `SELECT ${OURS} trials.name AS name FROM glocal.claims JOIN glocal.trials ON trials.id = claims.trial
       WHERE starts_with(claims.worker, '${worker}')`,
      this.#url,
    );
    return rows.map(({ name }) => String(name));
  }
}

export const askedBetween = (before: Asked, after: Asked): Asked => ({
  statements: after.statements - before.statements,
  ms: after.ms - before.ms,
});
