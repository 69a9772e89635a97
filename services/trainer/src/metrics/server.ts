/** Serves the figures to Prometheus: GET /metrics over plain HTTP. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { parseAddress } from '../resource/address.ts';
import { ListenError } from '../resource/listen-error.ts';
import type { Metrics } from './metrics.ts';

export interface MetricsServer extends AsyncDisposable {
  /** host:port that it listens on. */
  readonly address: string;
}

/** @throws ListenError */
export async function serveMetrics(listen: string, metrics: Metrics, log: Logger): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    if (request.url !== '/metrics' || request.method !== 'GET') {
      response.writeHead(404).end('the figures are at /metrics\n');
      return;
    }
    metrics.read().then(
      (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
      (error: unknown) => {
        log.warn({ err: error }, 'the figures could not be read');
        response.writeHead(503).end('the figures could not be read; the log says why\n');
      },
    );
  });
  const { host = '', port } = parseAddress(listen) ?? {};
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new ListenError(`--metrics-listen: cannot listen on ${listen}: ${error.message}`, { cause: error }),
      );
    });
    server.listen(port, host.replace(/^\[|\]$/g, ''), resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  return {
    address: `${host}:${bound}`,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
