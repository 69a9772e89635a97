/**
 * Health alone, at an address of its own, for probes: of a worker, which serves nothing else, and of a server that probes cannot
 * reach otherwise, because they speak no TLS. In plain text to anybody: it says SERVING or NOT_SERVING and nothing else.
 */

import { Server, ServerCredentials } from '@grpc/grpc-js';
import { addHealth, type HealthParts } from './health.ts';
import { bind } from './listen.ts';

export interface HealthServer extends Disposable {
  /** host:port that it listens on. */
  readonly address: string;
  /** Says NOT_SERVING from now on. */
  retire(): void;
}

/**
 * @param listen host:port; port 0 for any free one.
 * @throws ListenError
 */
export async function serveHealth(
  listen: string,
  parts: Omit<HealthParts, 'retiring'>,
): Promise<HealthServer> {
  const retiring = new AbortController();
  const server = new Server();
  addHealth(server, { ...parts, retiring: retiring.signal });
  const address = await bind(server, listen, ServerCredentials.createInsecure(), 'healthListen');
  return {
    address,
    retire: () => retiring.abort(),
    [Symbol.dispose]: () => {
      retiring.abort();
      server.forceShutdown();
    },
  };
}
