/** Questions to the server of this page. */

import type { Fault } from '../../api.ts';

/** An answer that says no. */
export class FaultError extends Error {
  readonly fault: Fault;
  constructor(fault: Fault) {
    super(fault.message);
    this.fault = fault;
  }
}

/** What nobody said, as an error that pages show. */
export const faultOf = (error: unknown): Fault =>
  error instanceof FaultError
    ? error.fault
    : {
        code: 'INTERNAL',
        message: error instanceof Error ? error.message : String(error),
        fieldViolations: [],
      };

interface Asking {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Told when the server does not know any more who we are. */
export const onUnauthenticated = { call: (): void => undefined };

/** Asks, and gives what the JSON says. @throws FaultError */
export async function ask<T>(path: string, asking?: Asking): Promise<T> {
  return (await answer(path, asking)).json();
}

/** Asks for a file. @throws FaultError */
export const askText = async (path: string): Promise<string> => (await answer(path)).text();

async function answer(path: string, { method, body, signal, headers = {} }: Asking = {}): Promise<Response> {
  const sends = method === 'POST' || method === 'DELETE';
  let response: Response;
  try {
    response = await fetch(path, {
      method: method ?? 'GET',
      headers: sends ? { 'content-type': 'application/json', ...headers } : headers,
      ...(method === 'POST' && { body: JSON.stringify(body ?? {}) }),
      ...(signal && { signal }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new FaultError({
      code: 'UNAVAILABLE',
      reason: 'DASHBOARD',
      message: 'the dashboard does not answer; start it again with glocal dashboard',
      fieldViolations: [],
    });
  }
  if (response.ok) return response;
  const data = await response.json().catch(() => ({}));
  const fault: Fault = data.error ?? {
    code: 'INTERNAL',
    message: `the dashboard answered ${response.status}`,
    fieldViolations: [],
  };
  if (fault.code === 'UNAUTHENTICATED') onUnauthenticated.call();
  throw new FaultError(fault);
}

export const post = <T>(
  path: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
): Promise<T> => ask<T>(path, { method: 'POST', body, ...(headers && { headers }) });
