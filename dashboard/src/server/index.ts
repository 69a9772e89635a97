/** The dashboard: pages that show what the studies of a trainer do, served by one small process. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GlocalClient } from '@glocal/sdk';
import { getRequestListener } from '@hono/node-server';
import { dashboardApp } from './app.ts';
import { Callers } from './callers.ts';
import { encryptedServer, withLastingTls } from './certificates.ts';
import { type DashboardOptions, DashboardOptionsError, isLoopback, listenAt } from './options.ts';
import { readPage } from './page-files.ts';
import { VERSION } from './version.ts';

export { type CertificatePair, type DashboardOptions, DashboardOptionsError } from './options.ts';

/** A dashboard that answers. */
export interface Dashboard extends AsyncDisposable {
  /** Where its pages are, `http://127.0.0.1:8090/`. */
  readonly url: string;
  /** Ends it, with the streams of all tabs. */
  close(): Promise<void>;
}

/**
 * Starts a dashboard. A trainer that is away may come later: the pages say so.
 * @throws DashboardOptionsError for an address that others can reach without TLS and a login, and for a certificate that is none;
 *   GlocalError for options of the client that contradict each other; Error where nothing can listen there.
 */
export async function startDashboard(options: DashboardOptions): Promise<Dashboard> {
  const { listen = '127.0.0.1:8090', tls, log = toStandardError } = options;
  const client = withLastingTls(options.client, log);
  const { host, port } = listenAt(listen);
  const login = options.login ?? tls !== undefined;
  if (!isLoopback(host) && (tls === undefined || !login)) {
    throw new DashboardOptionsError(
      tls === undefined ? 'tls' : 'login',
      `${listen} can be reached from other machines: give a certificate and its key, so that the pages come encrypted and ask for a token; or listen at 127.0.0.1 and come through ssh -L`,
    );
  }
  const callers = new Callers(login ? { ...client, token: undefined } : client, log);
  const app = dashboardApp({
    ...{ callers, login, log },
    page: readPage(),
    secure: tls !== undefined,
    address: addressOf(client),
    version: VERSION,
  });
  const answer = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const server = tls === undefined ? createServer(answer) : encryptedServer(tls, answer, log);
  // What a browser asks for is small, and comes at once.
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const close = async (): Promise<void> => {
    await callers[Symbol.asyncDispose]();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
  const at = (server.address() as AddressInfo).port;
  const name = host.includes(':') ? `[${host}]` : host;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${name}:${at}/`,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** As the SDK finds it, which checks the options on the way. */
function addressOf(options: DashboardOptions['client']): string {
  const client = new GlocalClient(options);
  client.close();
  return client.address;
}

const toStandardError = (line: string): void => {
  process.stderr.write(`${line}\n`);
};
