/** The client of the DMD service, and vectors as the contract sends them. */

export { DmdClient, type OpenWindow } from '../dmd/client.ts';
export type { DmdConnection } from '../dmd/connection.ts';
export { DmdError } from '../dmd/errors.ts';
export { DEFAULT_DMD_LIMITS } from '../dmd/info.ts';
export { retryInfo } from '../dmd/retry-info.ts';
export type { Rows } from '../loop/window.ts';
export { decodeRow, encodeRow, encodeRows } from '../resource/rows.ts';
