/** The command line, as a user runs it. */

import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { withoutSettings } from './environment.ts';

export const GLOCAL = fileURLToPath(import.meta.resolve('@glocal/cli/main'));

/** Its own environment: no settings of whoever runs the test, no colours, and room for whole lines. */
export const environmentOfGlocal = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  ...withoutSettings(),
  NO_COLOR: '1',
  COLUMNS: '200',
  ...more,
});

/** Runs it to its end, whatever that is. */
export const glocal = (
  args: readonly string[],
  { env, cwd }: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {},
) =>
  execa(process.execPath, [GLOCAL, ...args], {
    env: environmentOfGlocal(env),
    reject: false,
    ...(cwd !== undefined && { cwd }),
  });

/** It with the address of a server, which it gets as its users would give it. */
export const glocalAt =
  (address: string) =>
  (...args: string[]) =>
    glocal(args, { env: { GLOCAL_ADDRESS: address } });
