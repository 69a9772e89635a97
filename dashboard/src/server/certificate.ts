/** The certificate of the pages: what the server encrypts with, also after it was replaced. */

import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import { createSecureContext } from 'node:tls';
import { type CertificatePair, type DashboardOptions, DashboardOptionsError } from './options.ts';

const EVERY_MS = 2_000;
const MIN_VERSION = 'TLSv1.2';

/**
 * A server whose pages come encrypted. While it listens a function is asked again and again: new connections have what it gives then.
 * @throws DashboardOptionsError for what is no certificate with its key; what the function throws
 */
export function encryptedServer(
  tls: NonNullable<DashboardOptions['tls']>,
  answer: RequestListener,
  log: (line: string) => void,
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

/**
 * What asks whether there is another pair. What cannot be used, as a certificate that waits for its key, is told of once, and what
 * was there before holds.
 */
function renewal(
  server: Server,
  source: () => CertificatePair,
  first: CertificatePair,
  log: (line: string) => void,
): () => void {
  let current = first;
  let failure: string | undefined;
  return () => {
    try {
      const pair = source();
      if (pair.cert !== current.cert || pair.key !== current.key) {
        // Tried aside, so that the server is not touched where the two do not go together.
        createSecureContext(asPem(pair));
        server.setSecureContext({ ...asPem(pair), minVersion: MIN_VERSION });
        current = pair;
        log('the certificate was replaced: new connections use it');
      }
      failure = undefined;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== failure) log(`the certificate cannot be used, what was there before holds: ${reason}`);
      failure = reason;
    }
  };
}

/** As bytes: an empty text would be no certificate at all, and no fault. */
const asPem = ({ cert, key }: CertificatePair): { readonly cert: Buffer; readonly key: Buffer } => ({
  cert: Buffer.from(cert),
  key: Buffer.from(key),
});
