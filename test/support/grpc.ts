/** Calls below the SDK: by the definition of a method, whether generated or loaded from the .proto files. */

import {
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  type ClientOptions,
  credentials,
  Metadata,
  type MethodDefinition,
} from '@grpc/grpc-js';

/** A channel to a server on this machine. */
export class Channel implements Disposable {
  readonly #client: Client;
  readonly #metadata: Metadata;

  /** @param metadata goes along with every call. */
  constructor(
    address: string,
    channel: ChannelCredentials = credentials.createInsecure(),
    metadata = new Metadata(),
    options: ClientOptions = {},
  ) {
    this.#client = new Client(address, channel, options);
    this.#metadata = metadata;
  }

  /** One request, one response. @throws ServiceError */
  unary<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    metadata = this.#metadata,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        metadata,
        (error, response) => (error === null ? resolve(response as Response) : reject(error)),
      );
    });
  }

  /** One request, a stream of responses. Leaving the loop cancels the call. @throws ServiceError */
  async *open<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
  ): AsyncGenerator<Response, void, undefined> {
    const call = this.#client.makeServerStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      this.#metadata,
    );
    // After the loop is left, the cancellation arrives as an 'error' that nobody else listens to.
    call.on('error', () => {});
    try {
      for await (const response of call) yield response as Response;
    } finally {
      call.cancel();
    }
  }

  /** One request, all responses until the server ends the stream. @throws ServiceError */
  serverStream<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
  ): Promise<Response[]> {
    return Array.fromAsync(this.open(method, request));
  }

  /** Sends all requests, and gives the one response. @throws ServiceError */
  clientStream<Request, Response>(
    method: MethodDefinition<Request, Response>,
    requests: readonly Request[],
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      const stream = this.#client.makeClientStreamRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        this.#metadata,
        (error, response) => (error === null ? resolve(response as Response) : reject(error)),
      );
      for (const request of requests) stream.write(request);
      stream.end();
    });
  }

  /** Sends all requests, and gives all responses. @throws ServiceError */
  async bidi<Request, Response>(
    method: MethodDefinition<Request, Response>,
    requests: readonly Request[],
  ): Promise<Response[]> {
    const stream = this.#client.makeBidiStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      this.#metadata,
    );
    for (const request of requests) stream.write(request);
    stream.end();
    return (await Array.fromAsync<unknown>(stream)) as Response[];
  }

  /** A two-way call, to which requests are sent one at a time; it is cancelled when it is disposed of. */
  converse<Request, Response>(method: MethodDefinition<Request, Response>): Conversation<Request, Response> {
    return new Conversation(
      this.#client.makeBidiStreamRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        this.#metadata,
      ),
    );
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

/** A two-way call, a message at a time. */
export class Conversation<Request, Response> implements Disposable {
  readonly #call: ClientDuplexStream<Request, Response>;
  readonly #responses: AsyncIterator<Response>;

  constructor(call: ClientDuplexStream<Request, Response>) {
    this.#call = call;
    // Who asks for the next response is told; the cancellation at the end is nobody's business.
    call.on('error', () => {});
    this.#responses = call.iterator({ destroyOnReturn: false }) as AsyncIterator<Response>;
  }

  send(request: Request): void {
    this.#call.write(request);
  }

  /** The next response; undefined after the last. @throws ServiceError */
  async next(): Promise<Response | undefined> {
    const { value, done } = await this.#responses.next();
    return done ? undefined : value;
  }

  [Symbol.dispose](): void {
    this.#call.cancel();
  }
}
