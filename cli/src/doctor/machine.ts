/** What can be looked at without a server: this program, and the disk. */

import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { shellWord } from '../invocation.ts';
import { workingFolder } from '../trainer.ts';
import { VERSION } from '../version.ts';
import { type Finding, fault, good, warning } from './finding.ts';

/** Below this pictures and tables may not be written any more. */
const LEAST_FREE_BYTES = 200e6;
/** Below this hardly anything can be written. */
const NO_ROOM_BYTES = 1e5;

export const program = (): Finding => good('program', `glocal ${VERSION} on Node ${process.versions.node}`);

/** Room where results and temporary files go. */
export async function disks(): Promise<Finding[]> {
  const [here] = workingFolder();
  const temporary = tmpdir();
  const found =
    here === undefined
      ? fault('disk', 'the working folder is not there any more', 'cd TO-A-FOLDER-THAT-IS-THERE')
      : disk('disk', here, 'cd TO-A-FOLDER-THAT-CAN-BE-READ');
  if (temporary === here) return [await found];
  return Promise.all([
    found,
    disk('temporary files', temporary, `mkdir -p ${shellWord(temporary)}, or set TMPDIR to a folder`),
  ]);
}

/** @param repair where there is no such folder. */
async function disk(check: string, folder: string, repair: string): Promise<Finding> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return roomFinding(check, folder, bavail * bsize);
  } catch (error) {
    return fault(check, `${folder}: ${(error as Error).message}`, repair);
  }
}

export function roomFinding(check: string, folder: string, freeBytes: number): Finding {
  const detail = `${(freeBytes / 1e9).toFixed(1)} GB free in ${folder}`;
  const repair = `du -xh ${shellWord(folder)} | sort -h | tail`;
  if (freeBytes < NO_ROOM_BYTES) return fault(check, `no room in ${folder}`, repair);
  return freeBytes < LEAST_FREE_BYTES ? warning(check, `only ${detail}`, repair) : good(check, detail);
}
