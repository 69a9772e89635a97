/**
 * gRPC over HTTP/2 itself, with messages as bytes: a client that costs little beside the server that it measures. One of
 * grpc-js takes more of the two's processors for a call than the server does, until its code is compiled, which in each of
 * many processes takes hundreds of calls.
 */

import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';

/** Of the length and the flag before each message. */
const PREFIX_BYTES = 5;

export class LeanChannel implements Disposable {
  readonly #session: ClientHttp2Session;

  /** A connection of its own. @param address host:port, without TLS. */
  constructor(address: string) {
    this.#session = connect(`http://${address}`);
  }

  /** @param path of the method. @returns the response. @throws Error when there is none, with the gRPC status. */
  async unary(path: string, request: Uint8Array): Promise<Buffer> {
    let response: Buffer | undefined;
    await this.serverStream(path, request, (message) => {
      response = message;
    });
    if (response === undefined) throw new Error(`${path} was not answered`);
    return response;
  }

  /**
   * Resolves when the stream has ended.
   * @param take is given each response.
   * @throws Error with the gRPC status when that is not OK.
   */
  serverStream(path: string, request: Uint8Array, take: (response: Buffer) => void): Promise<void> {
    const stream = this.#session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.end(framed(request));
    return new Promise((resolve, reject) => {
      takeMessages(stream, take);
      const end = ({ 'grpc-status': code, 'grpc-message': message }: Record<string, unknown>) => {
        if (code === '0') resolve();
        else if (code !== undefined) reject(new Error(`${path}: status ${code}: ${message}`));
      };
      // Without a message, the trailers are the headers.
      stream.on('response', end);
      stream.on('trailers', end);
      stream.on('error', reject);
      stream.on('close', () => reject(new Error(`${path}: the stream has ended without a status`)));
    });
  }

  [Symbol.dispose](): void {
    this.#session.destroy();
  }
}

/** As gRPC sends a message: not compressed, its length, itself. */
function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(PREFIX_BYTES + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

/** Gives each message of a stream once all of it is there. */
function takeMessages(stream: ClientHttp2Stream, take: (message: Buffer) => void): void {
  let held: Buffer = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    while (held.length >= PREFIX_BYTES) {
      const end = PREFIX_BYTES + held.readUInt32BE(1);
      if (held.length < end) return;
      take(held.subarray(PREFIX_BYTES, end));
      held = held.subarray(end);
    }
  });
}
