/** What a server says of its health, and what time it has: `grpc.health.v1`, which says less and needs less than the contract. */

import type { ClientOptions, TlsOptions } from '@glocal/sdk';
import {
  type ChannelCredentials,
  credentials,
  type Metadata,
  makeGenericClientConstructor,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';

/** Readiness: whether it can store results and ask the DMD service. */
const READINESS = 'glocal.v1.StudyService';

export interface Health {
  /** SERVING, NOT_SERVING; undefined where it did not say. */
  readonly status: string | undefined;
  /** Why it did not say. */
  readonly reason: string | undefined;
  /** Its clock, to the second; undefined where it did not tell. */
  readonly serverTime: Date | undefined;
}

type Answer = (error: ServiceError | null, answer?: { readonly status: string }) => void;

/** Asks it once. */
export async function askHealth(
  { address, tls }: Pick<ClientOptions, 'tls'> & { readonly address: string },
  timeoutMs: number,
): Promise<Health> {
  const Client = makeGenericClientConstructor(healthService, 'Health');
  const encryption = encryptionOf(tls);
  const serverName = encryption?.serverName;
  const client = new Client(address, channelCredentials(encryption), {
    ...(serverName !== undefined && { 'grpc.ssl_target_name_override': serverName }),
  });
  try {
    return await new Promise<Health>((resolve) => {
      let serverTime: Date | undefined;
      const answered: Answer = (error, answer) =>
        resolve({
          status: answer?.status,
          reason: error === null ? undefined : `${status[error.code]}: ${error.details}`,
          serverTime,
        });
      const call = client.check?.({ service: READINESS }, { deadline: Date.now() + timeoutMs }, answered);
      call?.on('metadata', (headers: Metadata) => {
        const [date] = headers.get('date');
        const time = new Date(String(date));
        if (!Number.isNaN(time.getTime())) serverTime = time;
      });
    });
  } finally {
    client.close();
  }
}

/** For one connection. */
function encryptionOf(tls: ClientOptions['tls']): TlsOptions | undefined {
  if (typeof tls === 'function') return tls();
  return tls === true ? {} : tls;
}

function channelCredentials(tls: TlsOptions | undefined): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure();
  const [root, privateKey, chain] = [tls.ca, tls.key, tls.cert].map((pem) =>
    pem === undefined ? null : Buffer.from(pem),
  );
  return credentials.createSsl(root, privateKey, chain);
}
