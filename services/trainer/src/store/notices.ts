/** Opens what the processes that share a store tell each other by. */

import type { Logger } from 'pino';
import { isDatabase, parseDatabase } from '../config/database.ts';
import { LocalNotices, type Notices } from '../notices/notices.ts';
import { PostgresNotices } from '../notices/postgres.ts';
import type { OpenOptions } from './open.ts';
import { newClient } from './postgres/session.ts';

/** A statement of a session that only tells and listens does nothing for long. */
const STATEMENT_MS = 10_000;

/** @param url of a store that is open. */
export async function openNotices(
  url: string,
  { passwordFile }: Pick<OpenOptions, 'passwordFile'>,
  log: Pick<Logger, 'info' | 'warn'>,
): Promise<Notices> {
  if (!isDatabase(url)) return new LocalNotices();
  const session = { database: parseDatabase(url), passwordFile, sessions: 1, statementMs: STATEMENT_MS };
  return PostgresNotices.open({ newClient: () => newClient(session), log });
}
