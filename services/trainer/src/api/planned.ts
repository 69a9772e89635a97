/** Methods of the contract that are being built: they answer UNIMPLEMENTED. */

import { status } from '@grpc/grpc-js';
import { ApiError } from './errors.ts';

const refuse = (): never => {
  throw new ApiError(status.UNIMPLEMENTED, 'UNIMPLEMENTED', 'this server does not have this method yet');
};
const unary = async (): Promise<never> => refuse();

export const planned = {
  pauseStudy: unary,
  resumeStudy: unary,
  deleteStudy: unary,
};
