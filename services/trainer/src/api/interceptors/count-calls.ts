/** Each call of a method that there is is counted and timed. */

import { ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';
import type { Metrics } from '../../metrics/metrics.ts';

export function countCalls(metrics: Pick<Metrics, 'call'>): ServerInterceptor {
  return ({ path }, call) => {
    let count: ((code: string) => void) | undefined = metrics.call(path.slice(1));
    const end = (code: string) => {
      count?.(code);
      count = undefined;
    };
    return new ServerInterceptingCall(call, {
      start: (next) => next({ onCancel: () => end('CANCELLED') }),
      sendStatus: (sent, proceed) => {
        end(status[sent.code ?? status.UNKNOWN] ?? 'UNKNOWN');
        proceed(sent);
      },
    });
  };
}
