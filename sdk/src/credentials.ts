/** Encryption as gRPC takes it: by certificates that stay, or by those that a function gives for each new connection. */

import { X509Certificate } from 'node:crypto';
import { CallCredentials, ChannelCredentials, type experimental } from '@grpc/grpc-js';
import { tlsOptions } from './check/calls.ts';
import { type FieldViolation, GlocalError } from './error.ts';
import type { Log } from './logger.ts';
import type { TlsOptions, TlsSource } from './options.ts';

/** How the channels of a client are made. */
export interface Encryption {
  readonly credentials: ChannelCredentials;
  /** Name that certificates of servers are checked for, if not the host of the address. */
  readonly serverName: string | undefined;
}

/**
 * In the clear without options.
 * @throws GlocalError INVALID_ARGUMENT, reason TLS, for certificates or keys that cannot be used, or a function that gives none.
 */
export function encryption(tls: TlsOptions | TlsSource | undefined, log: Log): Encryption {
  if (tls === undefined) return { credentials: ChannelCredentials.createInsecure(), serverName: undefined };
  if (typeof tls !== 'function') return { credentials: withTls(tls), serverName: tls.serverName };
  const first = ask(tls);
  return { credentials: new RenewedCredentials(tls, withTls(first), log), serverName: first.serverName };
}

type Connect = ChannelCredentials['_createSecureConnector'];

/**
 * Those of grpc-js are read once, and its providers of certificates drop connections while a certificate waits for its key. So the
 * way from a socket to an encrypted one, which grpc-js takes once for each connection, goes through what there is then.
 */
class RenewedCredentials extends ChannelCredentials {
  readonly #source: TlsSource;
  readonly #log: Log;
  #latest: ChannelCredentials;

  /** @param first what holds until the source has given something else */
  constructor(source: TlsSource, first: ChannelCredentials, log: Log) {
    super();
    this.#source = source;
    this.#latest = first;
    this.#log = log;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(...args: Parameters<Connect>): experimental.SecureConnector {
    const [, , ofCalls = CallCredentials.createEmpty()] = args;
    return {
      connect: (socket) =>
        this.#renewed()
          ._createSecureConnector(...args)
          .connect(socket),
      waitForReady: async () => {},
      getCallCredentials: () => ofCalls,
      destroy: () => {},
    };
  }

  #renewed(): ChannelCredentials {
    try {
      this.#latest = withTls(ask(this.#source));
    } catch (error) {
      const reason = wordsOf(error);
      this.#log('warn', 'no new certificates can be had: what was there before holds', { reason });
    }
    return this.#latest;
  }
}

/** @throws GlocalError INVALID_ARGUMENT, reason TLS, for a function that fails or gives something else. */
function ask(source: TlsSource): TlsOptions {
  const violations: FieldViolation[] = [];
  let given: TlsOptions;
  try {
    given = source();
    tlsOptions(given, 'tls', violations);
  } catch (cause) {
    throw cannotBeUsed(cause);
  }
  if (violations.length > 0) throw GlocalError.invalid('TLS', violations);
  return given;
}

/** @throws GlocalError INVALID_ARGUMENT, reason TLS */
function withTls({ ca, key, cert }: TlsOptions): ChannelCredentials {
  try {
    // gRPC takes any text, and would trust nobody: as of a file that is just being written.
    if (ca !== undefined) new X509Certificate(ca);
    return ChannelCredentials.createSsl(pem(ca), pem(key), pem(cert));
  } catch (cause) {
    throw cannotBeUsed(cause);
  }
}

function cannotBeUsed(cause: unknown): GlocalError {
  const description = `cannot be used: ${wordsOf(cause)}`;
  return GlocalError.invalid('TLS', [{ field: 'tls', description }], cause);
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function pem(value: string | Uint8Array | undefined): Buffer | null {
  if (value === undefined) return null;
  return typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value);
}
