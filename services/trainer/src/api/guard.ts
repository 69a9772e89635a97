/**
 * What comes before and after every method of the service: what a request names must be there for its caller, and changes
 * are recorded. Methods need not think of either.
 */

import { type MethodDefinition, type ServiceDefinition, status } from '@grpc/grpc-js';
import { mayKnow, mayKnowAll } from '../resource/caller.ts';
import { NotFoundError } from '../resource/errors.ts';
import { type AuditLog, recordOf } from '../security/audit.ts';
import type { Call } from './call.ts';
import { ApiError } from './errors.ts';
import type { ClientStreaming, Duplex, Methods, ServerStreaming, Unary } from './handlers.ts';
import { changes } from './roles.ts';

export interface GuardParts {
  /** Whose a resource is; undefined when there is none of this name. */
  readonly ownerOf: (name: string) => Promise<string | undefined>;
  /** Undefined for no records. */
  readonly audit: AuditLog | undefined;
}

/** The same methods, guarded. */
export function guarded<Service extends ServiceDefinition>(
  service: Service,
  methods: Methods<Service>,
  parts: GuardParts,
): Methods<Service> {
  // biome-ignore lint/suspicious/noExplicitAny: as in grpc-js's ServiceDefinition
  const definitions = Object.entries<MethodDefinition<any, any>>(service);
  const all = definitions.map(([name, { requestStream, responseStream }]) => {
    const method: unknown = methods[name as keyof Service];
    if (requestStream && responseStream) return [name, duplex(method as Duplex<unknown, unknown>, parts)];
    if (requestStream) return [name, clientStreaming(method as ClientStreaming<unknown, unknown>, parts)];
    if (responseStream) return [name, serverStreaming(method as ServerStreaming<unknown, unknown>, parts)];
    return [name, unary(method as Unary<unknown, unknown>, parts)];
  });
  return Object.fromEntries(all) as Methods<Service>;
}

const unary =
  (method: Unary<unknown, unknown>, parts: GuardParts): Unary<unknown, unknown> =>
  async (request, call) => {
    const guard = new Guard(call, parts);
    try {
      await guard.look(request);
      return guard.done(await method(request, call));
    } catch (error) {
      throw guard.failed(error);
    }
  };

const clientStreaming =
  (method: ClientStreaming<unknown, unknown>, parts: GuardParts): ClientStreaming<unknown, unknown> =>
  async (requests, call) => {
    const guard = new Guard(call, parts);
    try {
      return guard.done(await method(guard.lookAtAll(requests), call));
    } catch (error) {
      throw guard.failed(error);
    }
  };

/** None of these changes anything. */
const serverStreaming =
  (method: ServerStreaming<unknown, unknown>, parts: GuardParts): ServerStreaming<unknown, unknown> =>
  (request, call) =>
    // A thousand watchers need not go through a generator more.
    mayKnowAll(call.caller) ? method(request, call) : lookFirst(method, parts, request, call);

async function* lookFirst(
  method: ServerStreaming<unknown, unknown>,
  parts: GuardParts,
  request: unknown,
  call: Call,
): AsyncGenerator<unknown> {
  await new Guard(call, parts).look(request);
  yield* method(request, call);
}

const duplex = (method: Duplex<unknown, unknown>, parts: GuardParts): Duplex<unknown, unknown> =>
  async function* (requests, call) {
    const guard = new Guard(call, parts);
    try {
      yield* method(guard.lookAtAll(requests), call);
      guard.done(undefined);
    } catch (error) {
      throw guard.failed(error);
    } finally {
      guard.left();
    }
  };

/** Of one call. */
class Guard {
  readonly #call: Call;
  readonly #parts: GuardParts;
  /** What the call is about, as far as requests or the response have said it. */
  #resource = '';
  #recorded = false;

  constructor(call: Call, parts: GuardParts) {
    this.#call = call;
    this.#parts = parts;
  }

  /** @throws NotFoundError for what is another's, as for what there is not. */
  async look(request: unknown): Promise<void> {
    for (const name of namesIn(request)) {
      this.#resource ||= name;
      if (mayKnowAll(this.#call.caller)) continue;
      const owner = await this.#parts.ownerOf(name);
      if (owner !== undefined && !mayKnow(this.#call.caller, owner)) throw new NotFoundError(name);
    }
  }

  async *lookAtAll(requests: AsyncIterable<unknown>): AsyncGenerator<unknown> {
    for await (const request of requests) {
      await this.look(request);
      yield request;
    }
  }

  done<T>(response: T): T {
    this.#resource ||= namesIn(response)[0] ?? '';
    this.#record(status.OK);
    return response;
  }

  failed(error: unknown): unknown {
    this.#record(ApiError.from(error)?.code ?? status.INTERNAL);
    return error;
  }

  /** Nobody waits for the responses any more. */
  left(): void {
    this.#record(status.CANCELLED);
  }

  #record(code: status): void {
    if (this.#recorded || !changes(this.#call.method)) return;
    this.#recorded = true;
    this.#parts.audit?.write(recordOf(this.#call, this.#resource, status[code]));
  }
}

/** Names of resources that a message has: of what it is about, of what that belongs to, or of what a stream begins with. */
function namesIn(message: unknown): string[] {
  const { name, parent, request } = (message ?? {}) as {
    readonly name?: unknown;
    readonly parent?: unknown;
    readonly request?: { readonly $case: string; readonly value: { readonly trial?: unknown } };
  };
  const trial = request?.$case === 'start' ? request.value.trial : undefined;
  return [name, parent, trial].filter((text) => typeof text === 'string');
}
