/** gRPC written out over HTTP/2, for what no gRPC server does of its own accord: streams that are reset, headers too large. */

import { createServer, type Http2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';

/** One call, which a test answers byte by byte. */
export interface RawCall {
  /** Name of the method, for instance `GetStudy`. */
  readonly method: string;
  readonly stream: ServerHttp2Stream;
  /** Begins the answer. */
  begin(): void;
  send(message: Uint8Array): void;
  /** Ends the call with status OK. */
  end(): void;
}

export interface Http2Server {
  readonly address: string;
  /** Connections so far. */
  readonly connections: number;
  close(): void;
}

export async function startHttp2Server(answer: (call: RawCall) => void): Promise<Http2Server> {
  const server = createServer({ maxSendHeaderBlockLength: 2 ** 24 });
  const sessions: Http2Session[] = [];
  server.on('session', (session) => sessions.push(session.on('error', () => {})));
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    answer({
      method: String(headers[':path']).split('/').at(-1) ?? '',
      stream,
      begin: () => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      },
      send: (message) => {
        const head = Buffer.alloc(5);
        head.writeUInt32BE(message.length, 1);
        stream.write(Buffer.concat([head, message]));
      },
      end: () => stream.end(),
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return sessions.length;
    },
    close: () => {
      for (const session of sessions) session.destroy();
      server.close();
    },
  };
}
