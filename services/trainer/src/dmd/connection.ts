/** How a DMD service is reached: in clear text on this machine, else with TLS, our own certificate and a token. */

import { existsSync, readFileSync } from 'node:fs';
import { DmdServiceClient } from '@glocal/proto/glocal/v1/dmd';
import { type ClientOptions, credentials, InterceptingCall, type Interceptor } from '@grpc/grpc-js';
import { isLoopback, parseAddress } from '../resource/address.ts';
import type { Tracing } from '../tracing/tracing.ts';
import { callSpans } from './call-spans.ts';
import { type DmdTls, FileCredentials, fromFiles, readFile } from './credentials.ts';
import { DmdConnectionError } from './errors.ts';

/** Plain data: secrets are in the files that it names, so that it may be logged and sent to a training process. */
export interface DmdConnection {
  /** host:port. */
  readonly address: string;
  /** Undefined: in clear text. */
  readonly tls?: DmdTls | undefined;
  /** The first line that is not empty and no comment (`#`) is the token. Read for each call, so that it may change. */
  readonly tokenFile?: string | undefined;
}

/**
 * Looks at the files, at a start. Later, while they are being replaced, what cannot be used is a service that is away.
 * @throws DmdConnectionError
 */
export function checkConnection({ tls, tokenFile }: DmdConnection): void {
  if (tls !== undefined) fromFiles(tls);
  if (tokenFile !== undefined) checkToken(tokenFile);
}

/**
 * A client of the service; connects with the first call.
 * @param tracing undefined where there are no spans.
 */
export function connectDmd({ address, tls, tokenFile }: DmdConnection, tracing?: Tracing): DmdServiceClient {
  return new DmdServiceClient(
    address,
    tls === undefined ? credentials.createInsecure() : new FileCredentials(tls),
    {
      'grpc.max_send_message_length': -1,
      'grpc.max_receive_message_length': -1,
      'grpc.keepalive_time_ms': 30_000,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 2_000,
      ...withoutProxy(address),
      ...(tls?.domain !== undefined && { 'grpc.ssl_target_name_override': tls.domain }),
      interceptors: [
        ...(tracing === undefined ? [] : [callSpans(tracing)]),
        ...(tokenFile === undefined ? [] : [bearerToken(tokenFile)]),
      ],
    },
  );
}

/** A proxy could not reach what listens on this machine only, whatever `http_proxy` and its kin say. */
function withoutProxy(address: string): ClientOptions {
  const host = parseAddress(address)?.host;
  return host !== undefined && isLoopback(host) ? { 'grpc.enable_http_proxy': 0 } : {};
}

/** While the file cannot be read, as when it is being replaced, calls go without a token, and the service refuses them. */
function bearerToken(file: string): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start(metadata, listener, next) {
        const token = existsSync(file) ? firstLine(readFileSync(file, 'utf8')) : undefined;
        if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
        next(metadata, listener);
      },
    });
}

/** In the form of the DMD service's own file of tokens: one a line, `#` begins a comment. */
const firstLine = (text: string): string | undefined =>
  text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .find((line) => line !== '');

function checkToken(file: string): void {
  const token = firstLine(readFile(file).toString());
  if (token === undefined || !/^[\x21-\x7e]+$/.test(token)) {
    throw new DmdConnectionError(`${file} has no token for the DMD service: write one on a line of its own`);
  }
}
