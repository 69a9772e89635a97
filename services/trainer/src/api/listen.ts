/** gRPC servers on their ports. */

import type { Server, ServerCredentials } from '@grpc/grpc-js';
import { flagOf, type SettingName } from '../config/settings.ts';
import { ListenError } from '../resource/listen-error.ts';

/**
 * Listens.
 * @param listen host:port; port 0 for any free one.
 * @param setting that names it.
 * @returns host:port. @throws ListenError
 */
export async function bind(
  server: Server,
  listen: string,
  credentials: ServerCredentials,
  setting: SettingName,
): Promise<string> {
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(listen, credentials, (error, bound) => {
      if (error === null) return resolve(bound);
      const inUse = error.message.includes('EADDRINUSE');
      const why = inUse
        ? `the port is in use; stop what listens there or choose another with ${flagOf(setting)}`
        : error.message;
      reject(new ListenError(`cannot listen on ${listen}: ${why}`, { cause: error }));
    });
  });
  return `${listen.slice(0, listen.lastIndexOf(':'))}:${port}`;
}
