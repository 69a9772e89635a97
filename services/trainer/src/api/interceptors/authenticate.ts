/** Who calls must be known, and may do what the method does, before anything of the call reaches its method. */

import type { Caller, Role } from '@glocal/proto/glocal/v1/study_service';
import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  status,
} from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { ANYBODY, mayAct, nameOfRole } from '../../resource/caller.ts';
import { type AuditLog, recordOf } from '../../security/audit.ts';
import type { Admission, Authenticator } from '../../security/authenticator.ts';
import { ApiError, serviceError } from '../errors.ts';
import { changes, roleFor } from '../roles.ts';
import { requestIdOf } from './request-id.ts';

const HEADER = 'authorization';
/** How often calls that go on are looked at. */
const LOOK_AGAIN_MS = 2_000;

/** The metadata of a call is the one thing that interceptors and methods are both given. */
const callers = new WeakMap<Metadata, Readonly<Caller>>();

/** Who makes the call with this metadata. @throws TypeError when nobody has asked: a server without an interceptor of these */
export function callerOf(metadata: Metadata): Readonly<Caller> {
  const caller = callers.get(metadata);
  if (caller === undefined) throw new TypeError('nobody has asked who calls');
  return caller;
}

/** Everybody may do everything. */
export const admitAnybody: ServerInterceptor = (_method, call) =>
  new ServerInterceptingCall(call, {
    start: (next) =>
      next({
        onReceiveMetadata: (metadata, proceed) => {
          metadata.remove(HEADER);
          callers.set(metadata, ANYBODY);
          proceed(metadata);
        },
      }),
  });

export interface AuthenticateParts {
  readonly authenticator: Authenticator;
  readonly audit: AuditLog | undefined;
  readonly log: Logger;
  /** Aborted when the server stops: calls are not looked at again. */
  readonly stopping: AbortSignal;
}

/**
 * Comes after `requestIds`, last of all. What is behind it never sees a token. A stream ends when its token is taken away or
 * expires.
 */
export function authenticate({ authenticator, audit, log, stopping }: AuthenticateParts): ServerInterceptor {
  const open = new Set<() => void>();
  const timer = setInterval(() => {
    for (const lookAgain of open) lookAgain();
  }, LOOK_AGAIN_MS).unref();
  stopping.addEventListener('abort', () => clearInterval(timer), { once: true });

  return ({ path: method, requestStream, responseStream }, call) => {
    let ended = false;
    let leave = () => {};
    const goOn = (admission: Admission, requestId: string) => {
      const lookAgain = () => {
        const refusal = admission.refusal();
        if (refusal !== undefined) refuse(refusal, requestId);
      };
      leave = () => open.delete(lookAgain);
      open.add(lookAgain);
    };
    const refuse = (error: unknown, requestId: string, caller?: Readonly<Caller>) => {
      leave();
      if (ended) return;
      ended = true;
      const answer = serviceError(error, { requestId, method }, log);
      if (changes(method)) {
        const { code } = answer;
        audit?.write(recordOf({ method, requestId, peer: call.getPeer(), caller }, '', status[code]));
      }
      call.sendStatus(answer);
    };
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, proceed) => {
            const requestId = requestIdOf(metadata);
            const needed = roleFor(method);
            if (needed === undefined) return proceed(metadata);
            admit(authenticator, call, metadata).then(
              (admission) => {
                if (ended) return;
                const { caller } = admission;
                if (!mayAct(caller, needed))
                  return refuse(roleError(method, needed, caller), requestId, caller);
                callers.set(metadata, caller);
                if (requestStream || responseStream) goOn(admission, requestId);
                proceed(metadata);
              },
              (error: unknown) => refuse(error, requestId),
            );
          },
          onCancel: () => {
            ended = true;
            leave();
          },
        }),
      // What a method still says after its call has ended here is not for the caller.
      sendMetadata: (metadata, proceed) => {
        if (!ended) proceed(metadata);
      },
      sendMessage: (message, proceed) => {
        if (!ended) proceed(message);
      },
      sendStatus: (sent, proceed) => {
        leave();
        if (!ended) proceed(sent);
      },
    });
  };
}

function admit(
  authenticator: Authenticator,
  call: ServerInterceptingCallInterface,
  metadata: Metadata,
): Promise<Admission> {
  const [authorization] = metadata.get(HEADER);
  metadata.remove(HEADER);
  const { sslPeerCertificate: certificate } = call.getAuthContext();
  return authenticator.admit({ authorization: authorization?.toString(), certificate });
}

const roleError = (method: string, needed: Role, caller: Readonly<Caller>): ApiError =>
  new ApiError(
    status.PERMISSION_DENIED,
    'ROLE',
    `${method.split('/').at(-1)} needs the role ${nameOfRole(needed)}; the caller has the role ${nameOfRole(caller.role)}`,
  );
