import {
  Artifact,
  StudyServiceClient,
  StudyServiceService,
  type UploadArtifactRequest,
} from '@glocal/proto/glocal/v1/study_service';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from './errors.ts';
import type { ClientStreaming } from './handlers.ts';
import { serve } from './testing.ts';

type Count = ClientStreaming<UploadArtifactRequest, Artifact>;

let cleanUp: DisposableStack;
beforeEach(() => {
  cleanUp = new DisposableStack();
});
afterEach(() => cleanUp.dispose());

/** A call to a real server with this method: any method of the contract that takes a stream and gives one response. */
async function open(method: Count) {
  const address = await serve(StudyServiceService, { uploadArtifact: method }, cleanUp);
  const client = new StudyServiceClient(address, credentials.createInsecure());
  cleanUp.defer(() => client.close());
  const answer = Promise.withResolvers<Artifact | undefined>();
  answer.promise.catch(() => {});
  const call = client.uploadArtifact((error, response) =>
    error === null ? answer.resolve(response) : answer.reject(error),
  );
  call.on('error', () => {});
  return { call, answer: answer.promise };
}

const chunk = (size: number): UploadArtifactRequest => ({
  request: { $case: 'chunk', value: Buffer.alloc(size, 7) },
});
const named = (name: string) => Artifact.fromPartial({ name });

describe('a method that takes a stream', () => {
  it('gives one response, which may come after the last request', async () => {
    const { call, answer } = await open(async (requests) => {
      const all = await Array.fromAsync(requests);
      return named(`${all.length} in all`);
    });
    for (let i = 0; i < 3; i++) call.write(chunk(i));
    call.end();
    expect((await answer)?.name).toBe('3 in all');
  });

  it('may respond without having read all requests', async () => {
    const { call, answer } = await open(async (requests) => {
      for await (const _ of requests) break;
      return named('enough');
    });
    call.write(chunk(1));
    call.write(chunk(1));
    expect((await answer)?.name).toBe('enough');
  });

  it('ends with a typed error, also while requests come', async () => {
    const { call, answer } = await open(async (requests) => {
      for await (const _ of requests)
        throw new ApiError(status.FAILED_PRECONDITION, 'NOT_TODAY', 'come back');
      return named('');
    });
    call.write(chunk(1));
    const error = await answer.catch((failure: ServiceError) => failure);
    expect(error).toMatchObject({ code: status.FAILED_PRECONDITION, details: 'come back' });
  });

  it('is told when the client has gone: its requests end with the reason', async () => {
    const told = Promise.withResolvers<unknown>();
    const begun = Promise.withResolvers<void>();
    const { call } = await open(async (requests) => {
      try {
        for await (const _ of requests) begun.resolve();
        told.resolve('ended');
      } catch (error) {
        told.resolve(error);
      }
      return named('');
    });
    call.write(chunk(1));
    await begun.promise;
    call.cancel();
    expect(await told.promise).toMatchObject({ code: status.CANCELLED });
  });

  it('takes no more requests than it reads', async () => {
    const go = Promise.withResolvers<void>();
    const { call, answer } = await open(async (requests) => {
      await go.promise;
      const all = await Array.fromAsync(requests);
      return named(`${all.length}`);
    });
    let sent = 0;
    for (let i = 0; i < 200; i++) call.write(chunk(100_000), () => (sent += 1));
    call.end();
    let before = -1;
    await vi.waitFor(
      () => {
        const unchanged = sent === before;
        before = sent;
        expect(unchanged).toBe(true);
      },
      { timeout: 20_000, interval: 300 },
    );
    expect(sent).toBeLessThan(60);
    go.resolve();
    expect((await answer)?.name).toBe('200');
  });
});
