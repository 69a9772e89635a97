import type { GlocalError } from '@glocal/sdk';
import { expect } from 'vitest';

/** What a call is refused with: an error of the SDK unless the type says otherwise. Fails when it succeeds. */
export function rejection<Failure extends Error = GlocalError>(call: Promise<unknown>): Promise<Failure> {
  return call.then(
    () => expect.unreachable('the call succeeded'),
    (error: Failure) => error,
  );
}
