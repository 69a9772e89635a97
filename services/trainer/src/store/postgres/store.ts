/** The store of a fleet: a PostgreSQL database, which any number of servers share. */

import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, parseDatabase, placeOf, shownStore } from '../../config/database.ts';
import { StoreError } from '../errors.ts';
import { SqlStore } from '../sql/store.ts';
import { PostgresConnection } from './connection.ts';
import { reasonOf, sqlState } from './errors.ts';
import { migrate, newerSchema, SCHEMA_VERSION, schemaVersion } from './migrations.ts';
import { newClient, type SessionOptions } from './session.ts';

const LONGEST_PAUSE_MS = 1_000;

export class PostgresStore extends SqlStore {
  /**
   * Opens a database, and makes what it lacks.
   * @param url `postgres://USER@HOST:PORT/DATABASE`
   * @param waitMs how long to wait for a database that cannot be reached.
   * @throws StoreError when it cannot be opened; ConfigError for the URL.
   */
  static async open(
    url: string,
    options: Omit<SessionOptions, 'database'>,
    waitMs = 0,
  ): Promise<PostgresStore> {
    const session = { ...options, database: parseDatabase(url) };
    const until = performance.now() + waitMs;
    for (let pauseMs = 50; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        await prepare(session);
        return new PostgresStore(await PostgresConnection.open(session));
      } catch (error) {
        if (!isAway(error) || performance.now() + pauseMs > until) {
          const why = explain(error, session.database);
          throw new StoreError(`store ${shownStore(url)}: ${why}`, { cause: error });
        }
        await sleep(pauseMs);
      }
    }
  }
}

/**
 * Whether a database can be opened, changing nothing.
 * @returns that in words. @throws StoreError when not; ConfigError for the URL.
 */
export async function checkDatabase(url: string, options: Omit<SessionOptions, 'database'>): Promise<string> {
  const session = { ...options, database: parseDatabase(url) };
  const client = await newClient(session);
  client.on('error', () => {});
  try {
    await client.connect();
    const version = await schemaVersion(client);
    if (version > SCHEMA_VERSION) throw newerSchema(version);
    const { rows } = await client.query<{ transaction_read_only: string }>('SHOW transaction_read_only');
    if (rows[0]?.transaction_read_only === 'on')
      throw new StoreError('it is read-only; --store must name the primary server');
    const what = version === 0 ? 'can be reached, and has none of our tables yet' : `has schema ${version}`;
    return `${shownStore(url)} ${what}`;
  } catch (error) {
    throw new StoreError(`${shownStore(url)}: ${explain(error, session.database)}`, { cause: error });
  } finally {
    await client.end().catch(() => {});
  }
}

/** Brings the database to the current schema, however long that takes. */
async function prepare(options: SessionOptions): Promise<void> {
  const client = await newClient({ ...options, statementMs: 0 });
  // What goes wrong, whoever asks it for something hears.
  client.on('error', () => {});
  try {
    await client.connect();
    await migrate(client);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Whether the database may be there later: it cannot be reached, or starts or ends. */
const isAway = (error: unknown): boolean =>
  !(error instanceof StoreError) && /^(08|57P|53300)/.test(sqlState(error) ?? '08');

const USER = 'the user of --store';

/** What went wrong, and what to do about it. */
function explain(error: unknown, database: Database): string {
  if (error instanceof StoreError) return error.message;
  const said = reasonOf(error);
  const state = sqlState(error);
  const name = database.database;
  switch (state) {
    case '28P01':
      return `${said}; correct ${USER}, or its password in --store-password-file, PGPASSWORD or PGPASSFILE`;
    case '28000':
      return `${said}; correct ${USER}, or let it in at the database (pg_hba.conf)`;
    case '3D000':
      return `${said}; make it (createdb ${name}), or correct --store`;
    case '42501':
      return `${said}; let ${USER} make a schema there (GRANT CREATE ON DATABASE ${name}), or make its schema for it`;
    case '53300':
      return `${said}; let it have more (max_connections), or lower --store-connections of those that use it`;
    case '25006':
      return `it is read-only: ${said}; --store must name the primary server`;
    case undefined:
      break;
    default:
      if (!isAway(error)) return said;
  }
  if (/SASL|password must be a string/i.test(said)) {
    return `it asks for a password, and there is none; give --store-password-file, PGPASSWORD or PGPASSFILE`;
  }
  if (/certificate|SSL|TLS/i.test(`${said} ${(error as { code?: string }).code}`)) {
    return `no TLS connection to ${placeOf(database)}: ${said}; correct sslmode and sslrootcert in --store`;
  }
  return (
    `${placeOf(database)} cannot be reached: ${said}; start the database, or correct --store. ` +
    'With --store-wait-seconds a start waits for it'
  );
}
