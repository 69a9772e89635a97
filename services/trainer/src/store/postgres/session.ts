/** Sessions of a PostgreSQL database: what each is told when it begins. */

import { readFile } from 'node:fs/promises';
import { Client, type ClientConfig, Pool, types } from 'pg';
import type { Database } from '../../config/database.ts';
import { StoreError } from '../errors.ts';

/** The schema that everything of ours is in. */
export const SCHEMA = 'glocal';

export interface SessionOptions {
  readonly database: Database;
  /** File with the password, which is read for each new session; without it the URL's, PGPASSWORD or the password file. */
  readonly passwordFile?: string | undefined;
  /** Sessions at most. */
  readonly sessions: number;
  /** For how long a statement may run, waits for locks included. */
  readonly statementMs: number;
}

/** A session that cannot be made within this time is not waited for. */
const CONNECT_MS = 10_000;
/** A transaction of ours that does nothing for so long has lost us. */
const IDLE_IN_TRANSACTION_MS = 30_000;
/** The database says that a statement took too long; only when it says nothing is the session given up. */
const SILENCE_MS = 5_000;

/** @throws StoreError for a file of the URL that cannot be read. */
export async function openPool(options: SessionOptions): Promise<Pool> {
  return new Pool({ ...(await sessionConfig(options)), max: options.sessions });
}

/** A session of its own. @throws StoreError for a file of the URL that cannot be read. */
export async function newClient(options: SessionOptions): Promise<Client> {
  return new Client(await sessionConfig(options));
}

async function sessionConfig({ database, passwordFile, statementMs }: SessionOptions): Promise<ClientConfig> {
  const { host, port, user, password, database: name } = database;
  return {
    ...{ host, port, database: name, user },
    password: passwordFile === undefined ? password : () => readPassword(passwordFile),
    ssl: await tlsOf(database),
    application_name: 'glocal-trainer',
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    options: `-c search_path=${SCHEMA} -c client_min_messages=warning`,
    statement_timeout: statementMs,
    lock_timeout: statementMs,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    query_timeout: statementMs + SILENCE_MS,
    pipeline: true,
    types: { getTypeParser: parserOf },
  } as ClientConfig;
}

/** @throws StoreError */
async function readPassword(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
  } catch (error) {
    throw new StoreError(`--store-password-file: ${(error as Error).message}`, { cause: error });
  }
}

async function tlsOf({ tls, sslrootcert, sslcert, sslkey }: Database): Promise<ClientConfig['ssl']> {
  if (tls === 'none') return false;
  const [ca, cert, key] = await Promise.all([sslrootcert, sslcert, sslkey].map(readPem));
  return { ca, cert, key, rejectUnauthorized: tls === 'verified' };
}

/** @throws StoreError */
async function readPem(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new StoreError(`--store: ${(error as Error).message}`, { cause: error });
  }
}

/** Bytes come as in SQLite, not as the Buffer that they usually are. */
const parserOf = (type: number, format?: 'text' | 'binary') =>
  type === types.builtins.BYTEA ? asBytes : types.getTypeParser(type, format as 'text');

/** @param hex as `\\x00ff` */
function asBytes(hex: string): Uint8Array {
  const { buffer, byteOffset, byteLength } = Buffer.from(hex.slice(2), 'hex');
  return new Uint8Array(buffer, byteOffset, byteLength);
}
