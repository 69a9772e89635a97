/** What methods have in common in which one client at a time works on a trial: how calls begin, and how they are lost. */

import { status } from '@grpc/grpc-js';
import { FieldError } from '../resource/errors.ts';
import { ApiError } from './errors.ts';

/** A message with one of several contents, as ts-proto has them. */
interface Case {
  readonly $case: string;
  readonly value: unknown;
}
type ValueOf<Content extends Case, Kind extends Content['$case']> = Extract<
  Content,
  { readonly $case: Kind }
>['value'];

/**
 * The content of the first message.
 * @param reason of the error.
 * @throws FieldError unless it is `start`.
 */
export async function startOf<Content extends Case>(
  incoming: AsyncIterator<{ readonly request?: Content | undefined }>,
  reason: string,
): Promise<ValueOf<Content, 'start'>> {
  const { value, done } = await incoming.next();
  const request: Content | undefined = done ? undefined : value.request;
  if (request?.$case !== 'start') throw FieldError.of(reason, 'start', 'must come first');
  return request.value as ValueOf<Content, 'start'>;
}

/** A response of one kind. */
export const responder =
  <Content extends Case>() =>
  <Kind extends Content['$case']>($case: Kind, value: ValueOf<Content, Kind>): { response: Content } => ({
    response: { $case, value } as Case as Content,
  });

/** @param what the client that has the trial now does with it. */
export const takenOver = (what: string): ApiError =>
  new ApiError(status.ABORTED, 'TAKEN_OVER', `another client ${what} now`);
