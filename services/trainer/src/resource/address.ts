/** host:port, and which hosts are this machine. */

import { isIP } from 'node:net';

export interface Address {
  /** An IPv6 address is in brackets. */
  readonly host: string;
  readonly port: number;
}

/** @returns undefined for what is not of the form host:port. */
export function parseAddress(address: string): Address | undefined {
  const [, host, port] = address.match(/^(.+):(\d{1,5})$/) ?? [];
  return host === undefined || Number(port) > 65_535 ? undefined : { host, port: Number(port) };
}

/** Whether what is sent to the host stays on this machine. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
}
