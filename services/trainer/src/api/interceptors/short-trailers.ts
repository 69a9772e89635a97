/** Errors of services that others have written, as health and reflection, repeat what a caller wrote: cut, like ours. */

import { ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { shortMessage } from '../trailers.ts';

export const shortTrailers: ServerInterceptor = (_method, call) =>
  new ServerInterceptingCall(call, {
    sendStatus: (sent, proceed) => proceed({ ...sent, details: shortMessage(sent.details ?? '') }),
  });
