/** Calls below the SDK: by the definition of a method, whether generated or loaded from the .proto files. */

import { Client, credentials, type MethodDefinition } from '@grpc/grpc-js';

/** A channel to a server on this machine. */
export class Channel implements Disposable {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure());
  }

  /** One request, one response. @throws ServiceError */
  unary<Request, Response>(method: MethodDefinition<Request, Response>, request: Request): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        (error, response) => (error === null ? resolve(response as Response) : reject(error)),
      );
    });
  }

  /** One request, all responses until the server ends the stream. @throws ServiceError */
  serverStream<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
  ): Promise<Response[]> {
    return all(
      this.#client.makeServerStreamRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
      ),
    );
  }

  /** Sends all requests, and gives all responses. @throws ServiceError */
  bidi<Request, Response>(
    method: MethodDefinition<Request, Response>,
    requests: readonly Request[],
  ): Promise<Response[]> {
    const stream = this.#client.makeBidiStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
    );
    for (const request of requests) stream.write(request);
    stream.end();
    return all(stream);
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

async function all<Response>(stream: AsyncIterable<unknown>): Promise<Response[]> {
  return (await Array.fromAsync(stream)) as Response[];
}
