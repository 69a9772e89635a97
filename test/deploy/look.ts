/** What is seen from outside, and waited for. */

import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect } from 'node:tls';

const WITHIN_MS = 120_000;

/** Asks until it is so. @returns false when it never was. */
export async function until(seen: () => Promise<boolean>): Promise<boolean> {
  for (const end = Date.now() + WITHIN_MS; Date.now() < end; await sleep(250)) if (await seen()) return true;
  return false;
}

/** Of the certificate that new connections get. @param address host:port */
export function fingerprint(address: string, options: ConnectionOptions): Promise<string> {
  const [host = '', port = ''] = address.split(':');
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect({ ...options, host, port: Number(port), ALPNProtocols: ['h2'] }, () => {
    resolve(socket.getPeerCertificate().fingerprint256);
    socket.destroy();
  });
  socket.on('error', reject);
  return promise;
}
