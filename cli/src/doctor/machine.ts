/** What can be looked at without a server: this program, and the disk. */

import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { VERSION } from '../version.ts';
import { type Finding, good, unknown, warning } from './finding.ts';

/** Below this pictures and tables may not be written any more. */
const LEAST_FREE_BYTES = 200e6;

export const program = (): Finding => good('program', `glocal ${VERSION} on Node ${process.versions.node}`);

/** Room where results and temporary files go. */
export const disks = (): Promise<Finding[]> =>
  Promise.all([
    disk('disk', process.cwd()),
    ...(tmpdir() === process.cwd() ? [] : [disk('temporary files', tmpdir())]),
  ]);

async function disk(check: string, folder: string): Promise<Finding> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return roomFinding(check, folder, bavail * bsize);
  } catch (error) {
    return unknown(check, `${folder}: ${(error as Error).message}`);
  }
}

export function roomFinding(check: string, folder: string, freeBytes: number): Finding {
  const detail = `${(freeBytes / 1e9).toFixed(1)} GB free in ${folder}`;
  return freeBytes < LEAST_FREE_BYTES
    ? warning(check, `only ${detail}`, `du -xh ${folder} | sort -h | tail`)
    : good(check, detail);
}
