/** Methods of the contract that are being built: they answer UNIMPLEMENTED. */

import { status } from '@grpc/grpc-js';
import { ApiError } from './errors.ts';

const refuse = (): never => {
  throw new ApiError(status.UNIMPLEMENTED, 'UNIMPLEMENTED', 'this server does not have this method yet');
};
const unary = async (): Promise<never> => refuse();
// biome-ignore lint/correctness/useYield: it refuses before the first response
const stream = async function* (): AsyncGenerator<never> {
  refuse();
};

export const planned = {
  pauseStudy: unary,
  resumeStudy: unary,
  deleteStudy: unary,
  reportHypergradients: stream,
  reanalyzeWindow: unary,
};
