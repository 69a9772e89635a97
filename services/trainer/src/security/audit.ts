/** Records of changes, a line each: who changed what, and what came of it. */

import { statSync } from 'node:fs';
import { type Caller, Role } from '@glocal/proto/glocal/v1/study_service';
import pino, { type Logger } from 'pino';
import { ConfigError } from '../config/errors.ts';
import { waysTo } from '../config/settings.ts';
import { nameOfRole } from '../resource/caller.ts';

/** What a record takes from a call. */
export interface AuditedCall {
  readonly method: string;
  readonly requestId: string;
  readonly peer: string;
  readonly caller?: Readonly<Caller> | undefined;
}

/** A call that changes something, when it has ended. */
export interface AuditRecord {
  /** Empty when the caller is not known. */
  readonly owner: string;
  readonly role: string;
  readonly method: string;
  /** Name of what it was about; empty when that is not known. */
  readonly resource: string;
  readonly requestId: string;
  readonly peer: string;
  /** gRPC status. */
  readonly code: string;
}

/** The record of a call. @param code of its gRPC status, by name */
export const recordOf = (
  { method, requestId, peer, caller }: AuditedCall,
  resource: string,
  code: string | undefined,
): AuditRecord => ({
  ...{ owner: caller?.owner ?? '', role: nameOfRole(caller?.role ?? Role.UNSPECIFIED) },
  ...{ method, resource, requestId, peer, code: code ?? 'UNKNOWN' },
});

export interface AuditLog extends Disposable {
  write(record: AuditRecord): void;
}

/** How soon a new file is begun after the one before was moved away. */
const LOOK_MS = 2_000;

/**
 * @param path of the file; undefined for the log of the server.
 * @throws ConfigError
 */
export function openAuditLog(path: string | undefined, log: Logger): AuditLog {
  if (path === undefined) return { write: to(log), [Symbol.dispose]: () => {} };
  const destination = openFile(path);
  const failed = (error: Error) =>
    log.error({ file: path, reason: error.message }, 'changes cannot be recorded');
  destination.on('error', failed);
  const records = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  let opened = statSync(path).ino;
  const timer = setInterval(() => {
    try {
      if (statSync(path, { throwIfNoEntry: false })?.ino === opened) return;
      destination.reopen();
      opened = statSync(path).ino;
    } catch (error) {
      failed(error as Error);
    }
  }, LOOK_MS).unref();
  return {
    write: to(records),
    [Symbol.dispose]: () => {
      clearInterval(timer);
      destination.end();
    },
  };
}

const to =
  (log: Logger) =>
  (record: AuditRecord): void =>
    log.info({ audit: true, ...record }, 'change');

function openFile(path: string) {
  try {
    return pino.destination({ dest: path, append: true, sync: true, mode: 0o600 });
  } catch (error) {
    throw new ConfigError(`${waysTo('auditLog')}: cannot write the file: ${(error as Error).message}`);
  }
}
