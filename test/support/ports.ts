/** Ports that something listens on, and ports that nothing does. */

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** host:port on which something listens, and hangs up on everybody, until it is disposed of. */
export async function takenAddress(): Promise<{ readonly address: string } & AsyncDisposable> {
  const server = createServer((socket) => socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
}

/** host:port on which nothing listens any more. */
export async function deadAddress(): Promise<string> {
  await using taken = await takenAddress();
  return taken.address;
}
