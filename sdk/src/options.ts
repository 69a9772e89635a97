/** Options of a client and of its calls. All times are in milliseconds; Infinity for a timeout is no limit. */

import type { Logger } from './logger.ts';
import type { TokenSource } from './token.ts';

/** How to encrypt. Certificates and keys are PEM. */
export interface TlsOptions {
  /** Certificates of the authorities that the server's certificate is checked against. @default Node's own */
  readonly ca?: string | Uint8Array | undefined;
  /** The client's certificate chain, for servers that ask for one (mutual TLS). */
  readonly cert?: string | Uint8Array | undefined;
  /** The private key of `cert`. */
  readonly key?: string | Uint8Array | undefined;
  /** Name that the server's certificate is checked for. @default the host of the address */
  readonly serverName?: string | undefined;
}

/**
 * Gives the certificates, keys and authorities of now. Asked when a client is made, and again for each new connection, so that what
 * is replaced is used from then on. Where it throws, or gives what cannot be used, what was there before holds.
 */
export type TlsSource = () => TlsOptions;

/** How a dead connection is noticed while a call waits. */
export interface KeepaliveOptions {
  /** Between two pings. @default 30000 */
  readonly time?: number | undefined;
  /** For the answer to a ping, before the connection counts as lost. @default 10000 */
  readonly timeout?: number | undefined;
}

/**
 * How patiently idempotent calls are made again when the server cannot be reached, or says that it is to be tried later. Where it
 * says when, the pause is that long.
 */
export interface RetryOptions {
  /** Attempts in all, 1 to 5; 1 never repeats a call. @default as many as the call's `timeout` has room for */
  readonly maxAttempts?: number | undefined;
  /** Pause after the first attempt, give or take a fifth; it triples from attempt to attempt. @default 100 */
  readonly initialBackoff?: number | undefined;
  /** Longest pause. @default 5000 */
  readonly maxBackoff?: number | undefined;
}

/** Options of a client. */
export interface ClientOptions {
  /**
   * `host:port`, `unix:path`, or `dns:///host:port` for all addresses of a name. Several are used in turn, and those that are
   * away left out: they have to have the same studies.
   * @default the environment variable GLOCAL_ADDRESS, with commas between several, else `localhost:50061`
   */
  readonly address?: string | readonly string[] | undefined;
  /**
   * Encrypts; `true` with Node's own certificate authorities. A function is asked for each new connection, for certificates that are
   * replaced while the client is there; its `serverName` is that of the first answer.
   * @default nothing is encrypted
   */
  readonly tls?: true | TlsOptions | TlsSource | undefined;
  /**
   * Says who calls, where the server asks. A function is asked for each call, or, where it says until when its token is good,
   * shortly before that; and once more when a server has refused it, also in the middle of a stream.
   * @default none
   */
  readonly token?: string | TokenSource | undefined;
  /** Permits to send in the clear to another machine. @default false */
  readonly insecure?: boolean | undefined;
  /** For the answer to a call, repeated attempts included; a watch has no limit. @default 30000 */
  readonly timeout?: number | undefined;
  readonly keepalive?: KeepaliveOptions | undefined;
  readonly retry?: RetryOptions | undefined;
  /** Told of calls and connections that are made again, of tokens that are renewed, and of certificates that cannot be. @default nobody */
  readonly logger?: Logger | undefined;
}

/** Options of `GlocalClient.connect()`. */
export interface ConnectOptions extends ClientOptions {
  /** Aborts the attempt. */
  readonly signal?: AbortSignal | undefined;
  /** How long to wait for the server to be there. @default 10000 */
  readonly connectTimeout?: number | undefined;
}

/** Options of every call. */
export interface CallOptions {
  /** Aborts the call: it throws a GlocalError CANCELLED whose `cause` is the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** For the answer, repeated attempts included. @default the client's `timeout` */
  readonly timeout?: number | undefined;
  /**
   * Goes along with the call, for proxies and the like: printable ASCII by key, or bytes where a key ends in `-bin`. Keys that the
   * SDK, gRPC or HTTP writes are refused.
   * @default none
   */
  readonly metadata?: Readonly<Record<string, string | Uint8Array>> | undefined;
}
