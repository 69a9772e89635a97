/** Asks a process of its own what a user has brought, so that nothing in it can take the server along. */

import { fork } from 'node:child_process';
import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ArtifactKind } from '@glocal/proto/glocal/v1/study_service';
import type { ArtifactDescription } from '../artifact/description.ts';
import { environmentFor } from '../process/environment.ts';
import { printable } from '../resource/quote.ts';

const ENTRY = fileURLToPath(new URL('./describe-main.ts', import.meta.url));
const LIMIT_MS = 300_000;

/** Server to process, once. */
export interface DescribeRequest {
  readonly kind: ArtifactKind;
  readonly folder: string;
}

/** Process to server, once. */
export type DescribeResponse = { readonly description: ArtifactDescription } | { readonly refused: string };

/** What is in the folder cannot be used; the message says which file and why, without the folder's path. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/**
 * @param signal ends the process.
 * @throws RefusedError; or the signal's reason.
 */
export async function describeInProcess(
  request: DescribeRequest,
  signal: AbortSignal,
  limitMs = LIMIT_MS,
): Promise<ArtifactDescription> {
  const child = fork(ENTRY, [], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: environmentFor('training'),
    execArgv: ['--disable-warning=ExperimentalWarning'],
    detached: true,
  });
  const tooLong = AbortSignal.timeout(limitMs);
  const kill = () => child.kill('SIGKILL');
  for (const reason of [signal, tooLong]) reason.addEventListener('abort', kill, { once: true });
  try {
    const answer = await new Promise<DescribeResponse>((resolve, reject) => {
      child.once('message', (message: DescribeResponse) => resolve(message));
      child.once('error', reject);
      child.once('exit', (code, ended) => {
        const why = tooLong.aborted
          ? `took more than ${limitMs / 1000} seconds`
          : `the process that loaded it ended with ${ended ?? `exit code ${code}`}`;
        resolve({ refused: `it cannot be loaded: ${why}` });
      });
      child.send(request, (error) => error && reject(error));
    });
    signal.throwIfAborted();
    if ('description' in answer) return answer.description;
    throw new RefusedError(printable(answer.refused.replaceAll(`${request.folder}${sep}`, '')));
  } finally {
    signal.removeEventListener('abort', kill);
    tooLong.removeEventListener('abort', kill);
    kill();
  }
}
