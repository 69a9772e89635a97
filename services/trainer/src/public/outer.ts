/** What the outer loop computes that clients compute, too. Without tfjs. */

export { widen, withoutZeros } from '../external/scales.ts';
export { type Coordinate, CoordinateError, linear, log, logit, networkWeight } from '../hyper/coordinate.ts';
export { type AdamState, adamUpdate, initialAdam } from '../loop/adam.ts';
