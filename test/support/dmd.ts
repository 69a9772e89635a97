/** A real DMD service on a free port, as set-up has built it. */

import { fileURLToPath } from 'node:url';
import { ServerChild } from '@glocal/trainer';
import { withoutSettings } from './environment.ts';

export const DMD_BINARY = fileURLToPath(new URL('../../target/release/glocal-dmd', import.meta.url));

/** What developers measure it with. */
export const DMD_TOOLS = fileURLToPath(new URL('../../target/release/glocal-dmd-dev', import.meta.url));

export interface DmdOptions {
  /** Flags of `glocal-dmd serve`. */
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** @throws ServerStartError */
export const startDmd = ({ args = [], env = {} }: DmdOptions = {}): Promise<ServerChild> =>
  ServerChild.start({
    command: DMD_BINARY,
    args: ['serve', '--listen', '127.0.0.1:0', '--exit-with-stdin', ...args],
    env: { ...process.env, ...withoutSettings(), ...env },
    log: () => {},
  });
