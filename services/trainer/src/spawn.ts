/** Starts the trainer's server as a child process: for programs that bring their own, as the demo does. */

import { fileURLToPath } from 'node:url';
import { environmentFor } from './process/environment.ts';
import { ServerChild } from './process/server-child.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

export interface TrainerOptions {
  /** Flags, as `npm run trainer -- --help` lists them. It listens on a free port unless told otherwise. */
  readonly args?: readonly string[];
  /** Variables beside those that it takes over from this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Takes each line of its log. */
  readonly log?: (line: string) => void;
  /** Ends a start that nobody waits for any more. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Resolves once it is ready. It stops when `stop` is called, and by itself when this process ends.
 * @throws ServerStartError
 */
export function spawnTrainer({
  args = [],
  env = {},
  log = () => {},
  signal,
}: TrainerOptions = {}): Promise<ServerChild> {
  return ServerChild.start({
    command: process.execPath,
    args: [MAIN, '--listen', '127.0.0.1:0', '--exit-with-stdin', ...args],
    env: { ...environmentFor('trainer'), ...env },
    log,
    signal,
  });
}
