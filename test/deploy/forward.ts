/** Another address for something that listens on the loopback interface. */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** @param address where it is to be reached, too; @param target where it is: both host:port. */
export async function forward(address: string, target: string): Promise<AsyncDisposable> {
  const [host = '', port = ''] = address.split(':');
  const [targetHost = '', targetPort = ''] = target.split(':');
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const upstream = connect({ host: targetHost, port: Number(targetPort), noDelay: true });
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  server.listen(Number(port), host);
  await once(server, 'listening');
  return {
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
