/** Encryption as gRPC takes it. */

import { ChannelCredentials } from '@grpc/grpc-js';
import { GlocalError } from './error.ts';
import type { TlsOptions } from './options.ts';

/**
 * Credentials of a channel, in the clear without options.
 * @throws GlocalError INVALID_ARGUMENT, reason TLS, for certificates or keys that cannot be used.
 */
export function channelCredentials(tls: TlsOptions | undefined): ChannelCredentials {
  if (tls === undefined) return ChannelCredentials.createInsecure();
  try {
    return ChannelCredentials.createSsl(pem(tls.ca), pem(tls.key), pem(tls.cert));
  } catch (cause) {
    const description = `cannot be used: ${cause instanceof Error ? cause.message : cause}`;
    throw GlocalError.invalid('TLS', [{ field: 'tls', description }], cause);
  }
}

function pem(value: string | Uint8Array | undefined): Buffer | null {
  if (value === undefined) return null;
  return typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value);
}
