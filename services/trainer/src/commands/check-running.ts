/** Asks a server that runs for its health. */

import { readFileSync } from 'node:fs';
import {
  type ChannelCredentials,
  credentials,
  makeGenericClientConstructor,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { isLoopback, parseAddress } from '../resource/address.ts';
import { CommandError, USAGE } from './exit.ts';

export interface Asked {
  /** host:port. */
  readonly address: string;
  /** Paths of PEM files; undefined: in clear text. */
  readonly tls?:
    | {
        readonly ca: string;
        readonly certificate?: string | undefined;
        readonly key?: string | undefined;
        readonly domain?: string | undefined;
      }
    | undefined;
  readonly service: string;
  readonly timeoutMs: number;
}

type Answer = (error: ServiceError | null, answer?: { readonly status: string }) => void;

/**
 * What `grpc.health.v1` answers: SERVING, NOT_SERVING.
 * @throws CommandError
 */
export async function askHealth({ address, tls, service, timeoutMs }: Asked): Promise<string> {
  const host = parseAddress(address)?.host;
  if (host === undefined) throw new CommandError(`--address: "${address}" is not host:port`, USAGE);
  const Client = makeGenericClientConstructor(healthService, 'Health');
  const client = new Client(address, channelCredentials(tls), {
    // A proxy could not reach what listens on this machine only.
    ...(isLoopback(host) && { 'grpc.enable_http_proxy': 0 }),
    ...(tls?.domain !== undefined && { 'grpc.ssl_target_name_override': tls.domain }),
  });
  try {
    return await new Promise<string>((resolve, reject) => {
      const deadline = Date.now() + timeoutMs;
      const answered: Answer = (error, answer) => {
        if (error === null) resolve(answer?.status ?? 'UNKNOWN');
        else reject(new CommandError(`${address} answered ${status[error.code]}: ${error.details}`));
      };
      client.check?.({ service }, { deadline }, answered);
    });
  } finally {
    client.close();
  }
}

function channelCredentials(tls: Asked['tls']): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure();
  try {
    const [ca, key, certificate] = [tls.ca, tls.key, tls.certificate].map((file) =>
      file === undefined ? null : readFileSync(file),
    );
    return credentials.createSsl(ca, key, certificate);
  } catch (error) {
    throw new CommandError(`no TLS with these files: ${(error as Error).message}`, USAGE);
  }
}
