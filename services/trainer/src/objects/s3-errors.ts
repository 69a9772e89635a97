/** What a client of an S3-compatible store throws, as what a caller can do about it. Nothing of a request gets into a message. */

import { ObjectStoreError, type ObjectStoreFailure } from './errors.ts';

/** As far as errors of the client are looked at. */
interface ClientError {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly errors?: readonly unknown[];
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Of stores that are full, or whose owner may have no more there. */
const FULL = ['QuotaExceeded', 'XMinioStorageFull', 'XMinioAdminBucketQuotaExceeded', 'InsufficientStorage'];
const INSUFFICIENT_STORAGE = 507;
const NOT_IMPLEMENTED = 501;
/** Status codes of a store that may answer otherwise later. */
const LATER = [408, 425, 429];

/** What the system says of a file on this side. */
const OF_A_FILE = ['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EIO', 'EEXIST', 'ENOENT'];

/**
 * What was thrown, as it is when it is about a file on this side.
 * @param where the store, for people.
 */
export function asObjectStoreError(where: string, error: unknown): unknown {
  if (error instanceof ObjectStoreError || OF_A_FILE.includes((error as { code?: string }).code ?? ''))
    return error;
  const failure = failureOf(error as ClientError);
  const said = whatIsSaid(error as ClientError);
  return new ObjectStoreError(failure, `the object store ${where} (--objects) ${VERBS[failure]}: ${said}`);
}

type S3Failure = Exclude<ObjectStoreFailure, 'too large'>;

const VERBS: Readonly<Record<S3Failure, string>> = {
  away: 'cannot be reached',
  refused: 'refuses',
  full: 'is full',
};

function failureOf({ name, $metadata }: ClientError): S3Failure {
  const { httpStatusCode: status = 0 } = $metadata ?? {};
  if (FULL.includes(String(name)) || status === INSUFFICIENT_STORAGE) return 'full';
  const isRefused = (status >= 400 && status < 500 && !LATER.includes(status)) || status === NOT_IMPLEMENTED;
  return isRefused ? 'refused' : 'away';
}

/** Name and message; of several attempts, of the last one. */
function whatIsSaid({ name, message, code, errors, $metadata }: ClientError): string {
  const last = errors?.at(-1);
  if (last !== undefined) return whatIsSaid(last as ClientError);
  const status = $metadata?.httpStatusCode;
  // An answer without a body has no more than its status.
  const text = [String(message ?? '').trim(), String(code ?? ''), 'it says no more'].find(Boolean) ?? '';
  const of = [name === 'Error' ? '' : String(name ?? ''), status === undefined ? '' : `HTTP ${status}`];
  return [of.filter(Boolean).join(', '), text].filter(Boolean).join(': ').split('\n')[0] ?? '';
}
