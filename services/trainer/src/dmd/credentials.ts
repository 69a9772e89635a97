/** TLS towards a DMD service, by files that may be replaced: each new connection is made with what they have then. */

import { readFileSync } from 'node:fs';
import { ChannelCredentials, credentials, type experimental } from '@grpc/grpc-js';
import { DmdConnectionError } from './errors.ts';

/** Paths of PEM files. */
export interface DmdTls {
  /** The roots that the service's certificate must lead to. */
  readonly ca: string;
  /** Our own certificate and its key, for mutual TLS. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  /** The name that the service's certificate is for, if not the host of the address. */
  readonly domain?: string | undefined;
}

type Connect = ChannelCredentials['_createSecureConnector'];

/** Those of grpc-js are read once. */
export class FileCredentials extends ChannelCredentials {
  readonly #files: DmdTls;
  #latest: ChannelCredentials | undefined;

  constructor(files: DmdTls) {
    super();
    this.#files = files;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(...args: Parameters<Connect>): experimental.SecureConnector {
    const [, , ofCalls = credentials.createEmpty()] = args;
    return {
      connect: async (socket) =>
        this.#read()
          ._createSecureConnector(...args)
          .connect(socket),
      waitForReady: async () => {},
      getCallCredentials: () => ofCalls,
      destroy: () => {},
    };
  }

  /**
   * While a file is missing, or a new certificate waits for its key, what was there before holds; with nothing from before the
   * service is away until they can be used.
   */
  #read(): ChannelCredentials {
    try {
      this.#latest = fromFiles(this.#files);
    } catch (error) {
      if (this.#latest === undefined) throw error;
    }
    return this.#latest;
  }
}

/** @throws DmdConnectionError naming the file that cannot be used. */
export function fromFiles({ ca, certificate, key }: DmdTls): ChannelCredentials {
  const [roots, ourKey, ourCertificate] = [ca, key, certificate].map((file) =>
    file === undefined ? null : readFile(file),
  );
  if (!roots?.includes('-----BEGIN CERTIFICATE-----')) {
    throw new DmdConnectionError(`${ca} has no certificate in PEM form, by which to know the DMD service`);
  }
  try {
    return ChannelCredentials.createSsl(roots, ourKey, ourCertificate);
  } catch (cause) {
    const files = [ca, certificate, key].filter((file) => file !== undefined).join(', ');
    throw new DmdConnectionError(`no TLS for the DMD service with ${files}: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** @throws DmdConnectionError naming it. */
export function readFile(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new DmdConnectionError(`cannot read a file for the DMD service: ${(cause as Error).message}`, {
      cause,
    });
  }
}
