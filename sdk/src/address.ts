/** Where the servers are, and whether what is sent there must be encrypted. */

import { BlockList, isIP } from 'node:net';
import { GlocalError } from './error.ts';
import type { ClientOptions, TlsOptions, TlsSource } from './options.ts';

/** The trainer's own default. */
const DEFAULT_ADDRESS = 'localhost:50061';

/** `host:port`, `unix:path`, or a name whose addresses are all used, `dns:///host:port`. */
const ADDRESS = /^(?:unix:.+|(?:dns:(?:\/\/[^/]*\/)?)?(?:\[[0-9a-f:.%]+\]|[^\s:/[\],]+):\d{1,5})$/i;

/** Servers, and how to talk to them. */
export interface Target {
  /** At least one. */
  readonly addresses: readonly string[];
  /** Undefined: in the clear. */
  readonly tls: TlsOptions | TlsSource | undefined;
}

/**
 * The servers from options and environment.
 * @throws GlocalError INVALID_ARGUMENT, reason ADDRESS or TLS; FAILED_PRECONDITION, reason INSECURE, for a server
 *   elsewhere without encryption.
 */
export function resolveTarget(options: Pick<ClientOptions, 'address' | 'tls' | 'insecure'>): Target {
  const { tls, insecure = false } = options;
  const fromEnvironment = process.env.GLOCAL_ADDRESS || undefined;
  const field = options.address === undefined ? 'GLOCAL_ADDRESS' : 'address';
  const given = options.address ?? fromEnvironment?.split(',') ?? DEFAULT_ADDRESS;
  const addresses = typeof given === 'string' ? [given] : [...given];
  const violations = addresses
    .filter((address) => !ADDRESS.test(address))
    .map((address) => ({ field, description: `"${address}" is not of the form host:port` }));
  if (addresses.length === 0) violations.push({ field, description: 'has no address' });
  if (violations.length > 0) throw GlocalError.invalid('ADDRESS', violations);
  if (tls !== undefined && insecure) {
    throw GlocalError.invalid('TLS', [
      { field: 'insecure', description: 'contradicts tls; give one of them' },
    ]);
  }
  const elsewhere = addresses.find((address) => !isLocal(address));
  if (tls === undefined && !insecure && elsewhere !== undefined) {
    throw new GlocalError(
      'FAILED_PRECONDITION',
      `${elsewhere} is not on this machine: give tls, or insecure: true to send everything in the clear`,
      { reason: 'INSECURE' },
    );
  }
  return { addresses, tls: tls === true ? {} : tls };
}

/** Addresses of this machine, also where IPv6 wraps those of IPv4 (`::ffff:127.0.0.1`). */
const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether what is sent there stays on this machine. */
export function isLocal(address: string): boolean {
  if (address.startsWith('unix:')) return true;
  const host = address
    .replace(/^dns:(?:\/\/[^/]*\/)?/i, '')
    .replace(/:\d+$/, '')
    .toLowerCase()
    .replace(/^\[|\]$/g, '');
  const version = isIP(host);
  if (version !== 0) return LOOPBACK.check(host, version === 4 ? 'ipv4' : 'ipv6');
  // A name may end in the dot of the root.
  return /^(?:.+\.)?localhost\.?$/.test(host);
}
