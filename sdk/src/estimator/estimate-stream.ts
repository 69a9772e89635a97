/** One stream to the DMD service, on which several windows are on their way. Made anew when its connection is lost. */

import type { EstimateGlocalResponse } from '@glocal/proto/glocal/v1/dmd';
import { ESTIMATE } from '@glocal/trainer/outer';
import { type Deferred, deferred } from '../deferred.ts';
import { CancelledError, GlocalError, UnavailableError } from '../error.ts';
import { type ReconnectOptions, reconnecting } from '../reconnect.ts';
import type { Duplex, Transport } from '../transport.ts';
import type { OutgoingWindow } from './outgoing-window.ts';

type Connection = Duplex<Buffer, EstimateGlocalResponse>;

/** Milliseconds without a window after which the stream is ended, as an open one keeps a program from ending. */
const IDLE_MS = 1_000;

/** What is said of one window, while others on the same stream are all right. */
const REFUSALS: ReadonlySet<string> = new Set(['INVALID_ARGUMENT', 'RESOURCE_EXHAUSTED', 'INTERNAL']);

export class EstimateStream {
  readonly #transport: Transport;
  readonly #options: ReconnectOptions;
  readonly #onRefusal: (windows: readonly OutgoingWindow[]) => void;
  readonly #windows = new Map<string, OutgoingWindow>();
  /** Those that have something to send, in their turn. */
  readonly #ready = new Set<OutgoingWindow>();
  #connection: Connection | undefined;
  #wake: Deferred<void> = deferred();
  #isRunning = false;
  #left = new AbortController();
  #idle: NodeJS.Timeout | undefined;

  /** @param onRefusal gets the windows of a stream that was refused for one of them, which each need a stream of their own */
  constructor(
    transport: Transport,
    options: ReconnectOptions,
    onRefusal: (windows: readonly OutgoingWindow[]) => void,
  ) {
    this.#transport = transport;
    this.#options = options;
    this.#onRefusal = onRefusal;
  }

  /** Windows that wait for their report. */
  get size(): number {
    return this.#windows.size;
  }

  /** Sends a window, and what is added to it. */
  adopt(window: OutgoingWindow): void {
    clearTimeout(this.#idle);
    this.#windows.set(window.id, window);
    window.onMessage = () => this.#notice(window);
    if (window.hasNext) this.#notice(window);
    if (!this.#isRunning) void this.#run();
  }

  /** Nobody waits for a window any longer. What the service has of it is dropped with the stream. */
  abandon(window: OutgoingWindow): void {
    if (!this.#windows.delete(window.id)) return;
    this.#ready.delete(window);
    this.#leaveUnlessUsed();
  }

  #notice(window: OutgoingWindow): void {
    this.#ready.add(window);
    this.#wake.resolve();
  }

  /** Until there are no more windows to talk about. */
  async #run(): Promise<void> {
    this.#isRunning = true;
    do {
      this.#left = new AbortController();
      const { signal } = this.#left;
      try {
        await this.#talk(signal);
      } catch (error) {
        if (!signal.aborted) this.#over(error);
      }
      this.#connection = undefined;
      this.#wake.resolve();
    } while (this.#windows.size > 0);
    this.#isRunning = false;
  }

  async #talk(signal: AbortSignal): Promise<void> {
    const responses = reconnecting(
      this.#transport,
      { ...this.#options, signal },
      (opening) => this.#connect(opening),
      () => true,
      (error) => this.#windows.size > 0 && isPassing(error),
    );
    for await (const response of responses) {
      const window = this.#windows.get(response.windowId);
      if (window?.take(response) !== true) continue;
      this.#windows.delete(window.id);
      this.#leaveUnlessUsed();
    }
    throw new UnavailableError('the DMD service ended the stream before it had answered');
  }

  async #connect(opening: {
    readonly onOpen: () => void;
    readonly signal: AbortSignal;
  }): Promise<Connection> {
    const connection = await this.#transport.duplex(ESTIMATE, opening);
    this.#connection = connection;
    for (const window of this.#windows.values()) {
      window.rewind();
      this.#ready.add(window);
    }
    void this.#pump(connection);
    return connection;
  }

  /** Sends as fast as the connection takes it, a message of each window in turn. */
  async #pump(connection: Connection): Promise<void> {
    this.#wake.resolve();
    while (this.#connection === connection) {
      const [window] = this.#ready;
      const message = window?.next();
      if (window !== undefined) this.#ready.delete(window);
      if (window === undefined || message === undefined) {
        this.#wake = deferred();
        await this.#wake.promise;
        continue;
      }
      if (window.hasNext) this.#ready.add(window);
      await connection.send(message.encoded);
      message.sent();
    }
  }

  #leaveUnlessUsed(): void {
    if (this.#windows.size > 0) return;
    this.#idle = setTimeout(() => {
      if (this.#windows.size === 0) this.#left.abort(new CancelledError('no window is open'));
    }, IDLE_MS);
    this.#idle.unref();
  }

  #over(error: unknown): void {
    const windows = [...this.#windows.values()];
    this.#windows.clear();
    this.#ready.clear();
    const isOfOne = error instanceof GlocalError && REFUSALS.has(error.code);
    if (isOfOne && windows.length > 1) this.#onRefusal(windows);
    else for (const window of windows) window.fail(error);
  }
}

/** The service is away, has no room for now, or has heard nothing for so long that it gave the windows up. */
const isPassing = ({ code, retryDelay }: GlocalError): boolean =>
  code === 'UNAVAILABLE' ||
  code === 'DEADLINE_EXCEEDED' ||
  (code === 'RESOURCE_EXHAUSTED' && retryDelay !== undefined);
