/** What stands between clients and a server, so that their connections can be cut. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class Relay implements AsyncDisposable {
  readonly address: string;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;

  private constructor(server: Server, sockets: Set<Socket>) {
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.#server = server;
    this.#sockets = sockets;
  }

  /**
   * @param upstream address of the server, which may come and go.
   * @param ownPort to listen on; 0 for any free one.
   */
  static async start(upstream: string, ownPort = 0): Promise<Relay> {
    const [host = '', port = ''] = upstream.split(':');
    const sockets = new Set<Socket>();
    const keep = (socket: Socket, other: Socket) => {
      sockets.add(socket);
      // What ended it shows in that it has ended.
      socket.on('error', () => {});
      socket.once('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    };
    const server = createServer((client) => {
      const upward = connect(Number(port), host);
      keep(client, upward);
      keep(upward, client);
      client.pipe(upward);
      upward.pipe(client);
    });
    server.listen(ownPort, '127.0.0.1');
    await once(server, 'listening');
    return new Relay(server, sockets);
  }

  /** Ends every connection there is, with what is on its way. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }
}
