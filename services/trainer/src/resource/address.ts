/** host:port, and which hosts are this machine. */

import { BlockList, isIP } from 'node:net';

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

/** Addresses of this machine alone; an IPv4 address that is written as an IPv6 one is among them, too. */
const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether what is sent to the host stays on this machine. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  const family = isIP(bare);
  if (family === 0) return /^localhost\.?$/i.test(bare);
  return LOOPBACK.check(bare, family === 6 ? 'ipv6' : 'ipv4');
}
