/** For tests with real stores of objects: what every store does, and the one that is tested. Loads vitest. */

export { ObjectStoreError } from '../objects/errors.ts';
export { objectStoreContract } from '../objects/object-store-contract.ts';
export { openObjects } from '../objects/open.ts';
