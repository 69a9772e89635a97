/** What the outer loop computes and says that clients compute and say, too. Without tfjs. */

export { ESTIMATE, encodeHypergradient, encodeRequest } from '../dmd/wire.ts';
export { widen, withoutZeros } from '../external/scales.ts';
export { type Coordinate, CoordinateError, linear, log, logit, networkWeight } from '../hyper/coordinate.ts';
export { type AdamState, adamUpdate, initialAdam } from '../loop/adam.ts';
export { encodeLong } from '../resource/long-message.ts';
