/** Asks a process of its own what a user has brought, so that nothing in it can take the server along. */

import { fork } from 'node:child_process';
import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ArtifactKind } from '@glocal/proto/glocal/v1/study_service';
import type { ArtifactDescription } from '../artifact/description.ts';
import type { BackendName } from '../backend/select.ts';
import type { ModuleDescription } from '../problem/description.ts';
import { environmentFor } from '../process/environment.ts';
import { printable } from '../resource/quote.ts';

const ENTRY = fileURLToPath(new URL('./describe-main.ts', import.meta.url));
/** An upload may be large; a module is loaded while somebody waits. */
const LIMIT_MS = { artifact: 300_000, module: 60_000 };

/** Server to process, once. */
export type DescribeRequest = ArtifactRequest | ModuleRequest;

export interface ArtifactRequest {
  readonly what: 'artifact';
  readonly kind: ArtifactKind;
  readonly folder: string;
}

export interface ModuleRequest {
  readonly what: 'module';
  /** Of all modules. */
  readonly folder: string;
  readonly id: string;
  /** Of a study: plain data. */
  readonly options: unknown;
  /** That trials train on. */
  readonly backend: BackendName | undefined;
}

/** What there is to know, by what was asked. */
export interface Asked {
  readonly artifact: ArtifactDescription;
  readonly module: ModuleDescription;
}

/** Process to server, once. */
export type DescribeResponse =
  | { readonly description: Asked[keyof Asked] }
  | { readonly refused: string; readonly isOfOptions?: boolean };

/** What was asked about cannot be used; the message says which file and why, without the folder's path. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  /** Whether only the options do not fit. */
  readonly isOfOptions: boolean;

  constructor(message: string, isOfOptions = false) {
    super(message);
    this.isOfOptions = isOfOptions;
  }
}

/**
 * @param signal ends the process.
 * @throws RefusedError; or the signal's reason.
 */
export async function describeInProcess<Request extends DescribeRequest>(
  request: Request,
  signal: AbortSignal,
  limitMs = LIMIT_MS[request.what],
): Promise<Asked[Request['what']]> {
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
    if ('description' in answer) return answer.description as Asked[Request['what']];
    const { refused, isOfOptions } = answer;
    throw new RefusedError(printable(refused.replaceAll(`${request.folder}${sep}`, '')), isOfOptions);
  } finally {
    signal.removeEventListener('abort', kill);
    tooLong.removeEventListener('abort', kill);
    kill();
  }
}
