/** Who may use the server, as the settings say, with the files read that they name. */

import type { ServerCredentials } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { authenticates } from '../config/security.ts';
import type { Settings } from '../config/settings.ts';
import { isLoopback, parseAddress } from '../resource/address.ts';
import { type AuditLog, openAuditLog } from './audit.ts';
import { Authenticator } from './authenticator.ts';
import { openTransport } from './tls.ts';

export interface Security extends Disposable {
  /** Of connections. */
  readonly credentials: ServerCredentials;
  /** Undefined when callers are not asked who they are. */
  readonly authenticator: Authenticator | undefined;
  /** Undefined when changes are not recorded: nobody asks who makes them, and no file was named. */
  readonly audit: AuditLog | undefined;
}

/** @throws ConfigError naming the setting whose file cannot be used. */
export async function openSecurity(settings: Settings, log: Logger): Promise<Security> {
  using cleanUp = new DisposableStack();
  const { credentials } = cleanUp.use(await openTransport(settings, log));
  const authenticator = cleanUp.use(await Authenticator.open(settings, log));
  warnOfClearText(settings, log);
  const audited = authenticator !== undefined || settings.auditLog !== undefined;
  const audit = audited ? cleanUp.use(openAuditLog(settings.auditLog, log)) : undefined;
  const all = cleanUp.move();
  return { credentials, authenticator, audit, [Symbol.dispose]: () => all.dispose() };
}

function warnOfClearText(settings: Settings, log: Pick<Logger, 'warn'>): void {
  const { listen, tlsCertificate } = settings;
  if (
    tlsCertificate !== undefined ||
    !authenticates(settings) ||
    isLoopback(parseAddress(listen)?.host ?? '')
  )
    return;
  log.warn({ listen }, 'tokens travel in clear text: other machines reach the server, and it has no TLS');
}
