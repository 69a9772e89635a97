/** Namespaces for a whole cluster of processes: nothing in them reaches this machine's network, and nothing of them stays. */

import { spawnSync } from 'node:child_process';
import { execa } from 'execa';

const UNSHARE = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
const PROGRAMS = ['unshare', 'nsenter', 'setpriv', 'ip'];

/** Why there can be none here; undefined where there can. */
export const whyNotInside: string | undefined = (() => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs Linux, as root';
  const missing = PROGRAMS.filter((program) => spawnSync(program, ['--version']).error !== undefined);
  if (missing.length > 0) return `needs ${missing.join(', ')}`;
  const { status, stderr } = spawnSync('unshare', [
    ...UNSHARE,
    'ip',
    'link',
    'add',
    'test',
    'type',
    'bridge',
  ]);
  return status === 0 ? undefined : `no namespaces may be made: ${stderr}`;
})();

/**
 * Runs a script in namespaces of its own.
 * @returns what it has printed
 * @throws with what it has printed when it fails.
 */
export async function runInside(
  script: string,
  args: readonly string[],
  cancelSignal?: AbortSignal,
): Promise<string> {
  const command = [
    'sh',
    '-ec',
    'mount -t tmpfs tmpfs /run; ip link set lo up; exec "$@"',
    'sh',
    process.execPath,
    script,
    ...args,
  ];
  const { stdout } = await execa('unshare', [...UNSHARE, ...command], {
    stderr: ['pipe', 'inherit'],
    ...(cancelSignal && { cancelSignal }),
  });
  return stdout;
}
