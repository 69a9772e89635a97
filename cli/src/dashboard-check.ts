/** Asks the dashboard of this machine for its page, as probes of containers do. */

import { request as requestPlain } from 'node:http';
import { request as requestEncrypted } from 'node:https';
import { CommandError, UNAVAILABLE } from './exit.ts';

const TIMEOUT_MS = 5_000;
/** Where all addresses of a machine are listened at, it reaches itself here. */
const OWN: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '[::]': '[::1]' };

/**
 * Returns when the page comes.
 * @param listen `host:port` that the dashboard listens at
 * @param encrypted whether it has a certificate; which one is not looked at, as nothing is told to it.
 * @throws CommandError
 */
export async function checkDashboard(listen: string, encrypted: boolean): Promise<void> {
  const end = listen.lastIndexOf(':');
  const host = listen.slice(0, end);
  const url = `${encrypted ? 'https' : 'http'}://${OWN[host] ?? host}${listen.slice(end)}/`;
  const request = encrypted ? requestEncrypted : requestPlain;
  const status = await new Promise<number>((resolve, reject) => {
    const asked = request(url, { rejectUnauthorized: false, timeout: TIMEOUT_MS }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on('timeout', () => asked.destroy(new Error(`no answer in ${TIMEOUT_MS / 1_000} s`)));
    asked.on('error', (error) => reject(new CommandError(`${url}: ${error.message}`, UNAVAILABLE)));
    asked.end();
  });
  if (status !== 200) throw new CommandError(`${url} answered ${status}`, UNAVAILABLE);
}
