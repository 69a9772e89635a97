/** Where the server is, and whether what is sent there must be encrypted. */

import { BlockList, isIP } from 'node:net';
import { GlocalError } from './error.ts';
import type { ClientOptions, TlsOptions } from './options.ts';

/** The trainer's own default. */
const DEFAULT_ADDRESS = 'localhost:50061';

/** A server and how to talk to it. */
export interface Target {
  readonly address: string;
  /** Undefined: in the clear. */
  readonly tls: TlsOptions | undefined;
}

/**
 * The server from options and environment.
 * @throws GlocalError INVALID_ARGUMENT, reason ADDRESS or TLS; FAILED_PRECONDITION, reason INSECURE, for a server
 *   elsewhere without encryption.
 */
export function resolveTarget(options: Pick<ClientOptions, 'address' | 'tls' | 'insecure'>): Target {
  const { tls, insecure = false } = options;
  const fromEnvironment = process.env.GLOCAL_ADDRESS || undefined;
  const address = options.address ?? fromEnvironment ?? DEFAULT_ADDRESS;
  if (!/^(?:unix:.+|(?:\[[0-9a-f:.%]+\]|[^\s:/[\]]+):\d{1,5})$/i.test(address)) {
    const field = options.address === undefined ? 'GLOCAL_ADDRESS' : 'address';
    throw GlocalError.invalid('ADDRESS', [
      { field, description: `"${address}" is not of the form host:port` },
    ]);
  }
  if (tls !== undefined && insecure) {
    throw GlocalError.invalid('TLS', [
      { field: 'insecure', description: 'contradicts tls; give one of them' },
    ]);
  }
  if (tls === undefined && !insecure && !isLocal(address)) {
    throw new GlocalError(
      'FAILED_PRECONDITION',
      `${address} is not on this machine: give tls, or insecure: true to send everything in the clear`,
      { reason: 'INSECURE' },
    );
  }
  return { address, tls: tls === true ? {} : tls };
}

/** Addresses of this machine, also where IPv6 wraps those of IPv4 (`::ffff:127.0.0.1`). */
const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether what is sent there stays on this machine. */
export function isLocal(address: string): boolean {
  if (address.startsWith('unix:')) return true;
  const host = address
    .slice(0, address.lastIndexOf(':'))
    .toLowerCase()
    .replace(/^\[|\]$/g, '');
  const version = isIP(host);
  if (version !== 0) return LOOPBACK.check(host, version === 4 ? 'ipv4' : 'ipv6');
  // A name may end in the dot of the root.
  return /^(?:.+\.)?localhost\.?$/.test(host);
}
