/**
 * A real gRPC server whose answers a test writes, for situations that the trainer does not produce at will: a
 * connection that breaks at a certain message, a server that is away for a moment, an error of a certain kind.
 */

import { type StudyServiceServer, StudyServiceService } from '@glocal/proto/glocal/v1/study_service';
import { BadRequest, ErrorInfo, RequestInfo, RetryInfo } from '@glocal/proto/google/rpc/error_details';
import { Status } from '@glocal/proto/google/rpc/status';
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServiceError,
  type status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';

export interface ScriptedServer {
  readonly address: string;
  readonly port: number;
  /** Cuts every call and connection. */
  stop(): void;
}

/** Methods that are not scripted answer UNIMPLEMENTED. */
export type Script = Partial<StudyServiceServer>;

/** @param port 0 for any free one. */
export async function startScriptedServer(
  script: Script,
  { port = 0, credentials = ServerCredentials.createInsecure() } = {},
): Promise<ScriptedServer> {
  const server = new Server();
  server.addService(StudyServiceService, script as UntypedServiceImplementation);
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, credentials, (error, result) =>
      error === null ? resolve(result) : reject(error),
    );
  });
  return { address: `127.0.0.1:${bound}`, port: bound, stop: () => server.forceShutdown() };
}

export interface ErrorScript {
  readonly code: status;
  readonly message: string;
  readonly reason?: string;
  readonly violations?: readonly { readonly field: string; readonly description: string }[];
  readonly retryAfterMs?: number;
  readonly requestId?: string;
}

/** An error with typed details, as the contract promises it. */
export function serviceError(script: ErrorScript): Partial<ServiceError> {
  const { code, message, reason, violations, retryAfterMs, requestId } = script;
  const details: { typeUrl: string; value: Buffer }[] = [];
  const add = (type: string, bytes: Uint8Array) =>
    details.push({ typeUrl: `type.googleapis.com/google.rpc.${type}`, value: Buffer.from(bytes) });
  if (reason !== undefined) {
    add('ErrorInfo', ErrorInfo.encode({ reason, domain: 'glocal', metadata: {} }).finish());
  }
  if (requestId !== undefined)
    add('RequestInfo', RequestInfo.encode({ requestId, servingData: '' }).finish());
  if (violations !== undefined) {
    add('BadRequest', BadRequest.encode(BadRequest.create({ fieldViolations: [...violations] })).finish());
  }
  if (retryAfterMs !== undefined) {
    const retryDelay = {
      seconds: BigInt(Math.floor(retryAfterMs / 1000)),
      nanos: (retryAfterMs % 1000) * 1e6,
    };
    add('RetryInfo', RetryInfo.encode({ retryDelay }).finish());
  }
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(Status.encode({ code, message, details }).finish()));
  return { code, details: message, metadata };
}
