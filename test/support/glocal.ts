/** The command line, as a user runs it. */

import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { withoutSettings } from './environment.ts';

export const GLOCAL = fileURLToPath(import.meta.resolve('@glocal/cli/main'));

/** Its own environment: no settings of whoever runs the test, no colours, and room for whole lines. */
export const environmentOfGlocal = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  ...withoutSettings(),
  NO_COLOR: '1',
  COLUMNS: '200',
  // However whoever runs the test has called npm.
  npm_lifecycle_event: '',
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

/** Starts a program of a project, and waits until it has printed a line that matches. */
export function start(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv) {
  const running = execa(command, args, {
    cwd,
    env: environmentOfGlocal(env),
    reject: false,
    stdin: 'ignore',
    // A group of its own, which a terminal's Ctrl-C reaches as a whole: npm alone would not pass it on.
    detached: true,
  });
  const interrupt = () => process.kill(-(running.pid ?? 0), 'SIGINT');
  const line = async (pattern: RegExp): Promise<string> => {
    const lines = createInterface({ input: running.stdout });
    for await (const text of lines) if (pattern.test(text)) return text;
    const { stderr } = await running;
    throw new Error(`${command} ${args.join(' ')} ended without it: ${stderr}`);
  };
  return { running, line, interrupt };
}
