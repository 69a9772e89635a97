/** What stands before an HTTP server, so that it can be away, or refuse. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** `away`: connections are cut. `readOnly`: what changes something is forbidden; `full`: there is no room for more, as S3 says it. */
export type Gating = 'open' | 'away' | 'readOnly' | 'full';

const said = (code: string, message: string) =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
const FORBIDDEN = said('AccessDenied', 'Access Denied.');
/** As MinIO has it. */
const FULL = said('XMinioStorageFull', 'Storage backend has reached its minimum free drive threshold.');

export class HttpGate implements AsyncDisposable {
  readonly endpoint: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #gating: Gating = 'open';

  private constructor(server: Server, upstream: string) {
    this.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.#server = server;
    server.on('connection', (socket) => {
      if (this.#gating === 'away') return socket.destroy();
      this.#sockets.add(socket);
      return socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('request', (asked, answer) => this.#pass(upstream, asked, answer));
  }

  /** @param upstream host:port */
  static async start(upstream: string): Promise<HttpGate> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new HttpGate(server, upstream);
  }

  set gating(gating: Gating) {
    this.#gating = gating;
    if (gating === 'away') for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  #pass(upstream: string, asked: IncomingMessage, answer: ServerResponse): void {
    if (this.#gating === 'readOnly' && asked.method !== 'GET') {
      asked.resume().on('end', () => answer.writeHead(403).end(FORBIDDEN));
      return;
    }
    if (this.#gating === 'full' && ['PUT', 'POST'].includes(asked.method ?? '')) {
      asked.resume().on('end', () => answer.writeHead(507).end(FULL));
      return;
    }
    const { method, url, headers } = asked;
    const passed = request(`http://${upstream}${url}`, { method, headers }, (answered) => {
      answer.writeHead(answered.statusCode ?? 502, answered.headers);
      answered.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    asked.on('error', () => passed.destroy());
    asked.pipe(passed);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}
