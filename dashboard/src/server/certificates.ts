/** Certificates that may be replaced while the dashboard runs: that of its pages, and those by which it reaches the trainer. */

import { X509Certificate } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { ClientOptions, TlsOptions } from '@glocal/sdk';
import { type CertificatePair, type DashboardOptions, DashboardOptionsError } from './options.ts';

type Log = (line: string) => void;

const EVERY_MS = 2_000;
const MIN_VERSION = 'TLSv1.2';

/**
 * A server whose pages come encrypted. While it listens a function is asked again and again: new connections have what it gives then.
 * @throws DashboardOptionsError for what is no certificate with its key; what the function throws
 */
export function encryptedServer(
  tls: NonNullable<DashboardOptions['tls']>,
  answer: RequestListener,
  log: Log,
): Server {
  const pair = typeof tls === 'function' ? tls() : tls;
  const server = serverWith(pair, answer);
  if (typeof tls !== 'function') return server;
  const renew = renewal(server, tls, pair, log);
  server.once('listening', () => {
    const timer = setInterval(renew, EVERY_MS).unref();
    server.once('close', () => clearInterval(timer));
  });
  return server;
}

/** @throws DashboardOptionsError */
function serverWith(pair: CertificatePair, answer: RequestListener): Server {
  try {
    return createServer({ ...asPem(pair), minVersion: MIN_VERSION }, answer);
  } catch (error) {
    const { message } = error as Error;
    throw new DashboardOptionsError('tls', `is no certificate with its key, both as PEM: ${message}`);
  }
}

/** What asks whether there is another pair. While what is given cannot be used, what was there before holds. */
function renewal(server: Server, source: () => CertificatePair, first: CertificatePair, log: Log) {
  const tell = tellOnce('the certificate', log);
  let current = first;
  return (): void => {
    try {
      const pair = source();
      if (pair.cert !== current.cert || pair.key !== current.key) {
        // Tried aside, so that the server is not touched where the two do not go together.
        createSecureContext(asPem(pair));
        server.setSecureContext({ ...asPem(pair), minVersion: MIN_VERSION });
        current = pair;
        log('the certificate was replaced: new connections use it');
      }
      tell(undefined);
    } catch (error) {
      tell(error);
    }
  };
}

/**
 * The same options, whose function gives what it gave before while it has nothing that can be used. Clients are made whenever somebody
 * comes, and one that is made has nothing from before.
 */
export function withLastingTls(options: ClientOptions, log: Log): ClientOptions {
  const { tls } = options;
  if (typeof tls !== 'function') return options;
  const tell = tellOnce('the certificates towards the trainer', log);
  let latest: TlsOptions | undefined;
  const lasting = (): TlsOptions => {
    // At the start it is the SDK that says what is wrong.
    if (latest === undefined) {
      latest = tls();
      return latest;
    }
    try {
      const given = tls();
      createSecureContext(asPem(given));
      // That takes any text for authorities, as of a file that is just being written.
      if (given.ca !== undefined) new X509Certificate(given.ca);
      latest = given;
      tell(undefined);
    } catch (error) {
      tell(error);
    }
    return latest;
  };
  return { ...options, tls: lasting };
}

/** What says why something cannot be used, once as long as it stays so; it can be used where there is no error. */
function tellOnce(what: string, log: Log): (error: unknown) => void {
  let told: string | undefined;
  return (error) => {
    const reason = error === undefined ? undefined : error instanceof Error ? error.message : String(error);
    if (reason !== undefined && reason !== told)
      log(`${what} cannot be used, what was there before holds: ${reason}`);
    told = reason;
  };
}

/** As bytes: an empty text would be no certificate at all, and no fault. */
function asPem({ ca, cert, key }: TlsOptions): { ca?: Buffer; cert?: Buffer; key?: Buffer } {
  return {
    ...(ca !== undefined && { ca: Buffer.from(ca) }),
    ...(cert !== undefined && { cert: Buffer.from(cert) }),
    ...(key !== undefined && { key: Buffer.from(key) }),
  };
}
