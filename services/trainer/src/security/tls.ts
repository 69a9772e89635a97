/** TLS of the server, with certificates that may be replaced while it runs: new connections get the new ones. */

import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { ConfigError } from '../config/errors.ts';
import { type SettingName, type Settings, waysTo } from '../config/settings.ts';
import { type NamedFile, WatchedFiles } from './files.ts';

/** How the server serves: in clear text, or with TLS. */
export interface Transport extends Disposable {
  readonly credentials: ServerCredentials;
}

/** @throws ConfigError naming the setting whose file cannot be used. */
export async function openTransport(
  { tlsCertificate, tlsKey, tlsClientCa }: Settings,
  log: Pick<Logger, 'info' | 'error'>,
): Promise<Transport> {
  if (tlsCertificate === undefined || tlsKey === undefined) {
    return { credentials: ServerCredentials.createInsecure(), [Symbol.dispose]: () => {} };
  }
  const files: NamedFile[] = [
    { setting: 'tlsCertificate', path: tlsCertificate },
    { setting: 'tlsKey', path: tlsKey },
  ];
  if (tlsClientCa !== undefined) files.push({ setting: 'tlsClientCa', path: tlsClientCa });
  const watched = await WatchedFiles.open(files, secureContext, log);
  const credentials = new ReplaceableCredentials(watched.current);
  watched.onChange((context) => credentials.replace(context));
  return { credentials, [Symbol.dispose]: () => watched[Symbol.dispose]() };
}

/**
 * grpc-js's own credentials from files drop every connection while a file is missing, or while a new certificate waits for
 * its key.
 */
class ReplaceableCredentials extends ServerCredentials {
  constructor(context: SecureContextOptions) {
    const mutual = context.ca !== undefined;
    super({ requestCert: mutual, rejectUnauthorized: mutual }, context);
  }

  /** For connections from now on. */
  replace(context: SecureContextOptions): void {
    this.updateSecureContextOptions(context);
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

function secureContext([cert, key, ca]: readonly Buffer[]): SecureContextOptions {
  expectPem('tlsCertificate', cert, 'CERTIFICATE');
  expectPem('tlsKey', key, 'PRIVATE KEY');
  if (ca !== undefined) expectPem('tlsClientCa', ca, 'CERTIFICATE');
  const context = { cert, key, ...(ca && { ca }), minVersion: 'TLSv1.2' } as const;
  try {
    createSecureContext(context);
  } catch (error) {
    const names = [waysTo('tlsCertificate'), waysTo('tlsKey'), ...(ca ? [waysTo('tlsClientCa')] : [])];
    throw new ConfigError(`${names.join(', ')}: no TLS with these files: ${(error as Error).message}`);
  }
  return context;
}

/** What has no such block is passed over in silence by OpenSSL, where roots are concerned. */
function expectPem(setting: SettingName, content: Buffer | undefined, kind: string): void {
  const text = content?.toString('latin1') ?? '';
  if (!(text.includes('-----BEGIN ') && text.includes(`${kind}-----`))) {
    throw new ConfigError(`${waysTo(setting)}: the file has no PEM block ${kind}`);
  }
}
