/**
 * A call in which client and server answer each other, and which goes on over lost connections. What was said before a
 * connection was lost, and not answered, its participant says again.
 */

import type { MethodDefinition } from '@grpc/grpc-js';
import { limit, onAbort } from './abort.ts';
import { CancelledError, GlocalError } from './error.ts';
import { type ReconnectOptions, reconnecting } from './reconnect.ts';
import type { Duplex, Transport } from './transport.ts';

/** What is said in a conversation, and what becomes of the answers. */
export interface Participant<Request, Response> {
  /** The first message of each connection. */
  start(): Request;
  /** @returns whether the conversation has got further than it was */
  take(response: Response): boolean | Promise<boolean>;
  /**
   * Told that the server has refused something and broken off.
   * @returns whether that was a request of the participant's, after which the conversation can go on
   */
  refused(error: GlocalError): boolean;
  /** No more comes: it has ended, or failed with `error`. */
  over(error: unknown): void;
}

export class Conversation<Request, Response> {
  readonly #transport: Transport;
  readonly #method: MethodDefinition<Request, Response>;
  readonly #participant: Participant<Request, Response>;
  readonly #options: ReconnectOptions;
  readonly #left = new AbortController();
  readonly #done: Promise<void>;
  #connection: Duplex<Request, Response> | undefined;

  constructor(
    transport: Transport,
    method: MethodDefinition<Request, Response>,
    participant: Participant<Request, Response>,
    options: ReconnectOptions,
  ) {
    this.#transport = transport;
    this.#method = method;
    this.#participant = participant;
    this.#options = options;
    this.#done = this.#run();
  }

  /** Over the connection that there is. Resolves when there is room for more; whether it arrives, the answers tell. */
  async send(request: Request): Promise<void> {
    await this.#connection?.send(request);
  }

  /** Leaves; resolves when nothing more will be told. */
  async leave(): Promise<void> {
    this.#left.abort(new CancelledError('this side has left'));
    await this.#done;
  }

  async #run(): Promise<void> {
    const { signal, timeout = Number.POSITIVE_INFINITY } = this.#options;
    const within = limit(signal, timeout, 'the stream');
    const stopListening = onAbort([within.signal], () => this.#left.abort(within.signal.reason));
    let error: unknown;
    try {
      while (!(await this.#hold()));
    } catch (thrown) {
      error = thrown;
    } finally {
      stopListening();
      within.release();
      this.#participant.over(error);
    }
  }

  /** @returns whether it has ended; otherwise it goes on after a request that was refused. */
  async #hold(): Promise<boolean> {
    let gotOn = false;
    const responses = reconnecting(
      this.#transport,
      { ...this.#options, signal: this.#left.signal, timeout: undefined },
      ({ onOpen }) => this.#connect(onOpen),
      () => gotOn,
    );
    try {
      for await (const response of responses) gotOn = await this.#participant.take(response);
      return true;
    } catch (error) {
      if (error instanceof GlocalError && REFUSALS.has(error.code) && this.#participant.refused(error)) {
        return false;
      }
      throw error;
    }
  }

  async #connect(onOpen: () => void): Promise<AsyncIterable<Response>> {
    const { metadata } = this.#options;
    const options = { signal: this.#left.signal, metadata, onOpen };
    const connection = await this.#transport.duplex(this.#method, options);
    this.#connection = connection;
    void connection.send(this.#participant.start());
    return connection;
  }
}

/** What a server says of a request that it will not do, and that another one may be better than. */
const REFUSALS: ReadonlySet<string> = new Set(['INVALID_ARGUMENT', 'FAILED_PRECONDITION', 'ALREADY_EXISTS']);
