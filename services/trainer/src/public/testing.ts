/** For the tests that cross boundaries: parts of the server that nobody else is to rely on. */

export { completeDigest } from '../api/request-digest.ts';
export { askHealth } from '../commands/check-running.ts';
export { configVariables } from '../config.ts';
export { checkHistory, type History } from '../lifecycle/history.ts';
export { asComplete } from '../resource/complete-study.ts';
export { milliseconds } from '../resource/duration.ts';
export { studyStateName, trialStateName } from '../resource/states.ts';
export { openStore } from '../store/open.ts';
export { TEST_PASSWORD, TestPostgres } from '../store/postgres/testing.ts';
export { SqliteStore } from '../store/sqlite/store.ts';
export type { Store } from '../store/store.ts';
