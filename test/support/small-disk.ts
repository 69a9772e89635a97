/** A small disk of its own, which can really be full. Linux, as root. */

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Written at once when it is filled. */
const CHUNK = Buffer.alloc(64 * 1024, 1);

export class SmallDisk implements Disposable {
  /** Where it is mounted; everybody may write there. */
  readonly path: string;
  readonly #filler: string;

  private constructor(path: string) {
    this.path = path;
    this.#filler = join(path, 'filler');
  }

  /** @throws Error where this user may mount nothing. */
  static mount(bytes: number): SmallDisk {
    const path = mkdtempSync(join(tmpdir(), 'glocal-disk-'));
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path]);
    if (mounted.status !== 0) {
      rmdirSync(path);
      throw new Error(`mount: ${mounted.stderr ?? mounted.error}`);
    }
    chmodSync(path, 0o777);
    return new SmallDisk(path);
  }

  /** Takes all the room there is. */
  fill(): void {
    for (;;) {
      try {
        writeFileSync(this.#filler, CHUNK, { flag: 'a' });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return;
        throw error;
      }
    }
  }

  /** Gives it back. */
  free(): void {
    rmSync(this.#filler, { force: true });
  }

  [Symbol.dispose](): void {
    // Whoever still has a file open there keeps it for as long.
    spawnSync('umount', ['--lazy', this.path]);
    rmdirSync(this.path);
  }
}

/** Whether there can be one here. */
export const canMount: boolean = (() => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  try {
    SmallDisk.mount(1 << 20)[Symbol.dispose]();
    return true;
  } catch {
    return false;
  }
})();

/** For the title of a group of tests: why it is skipped, if it is. */
export const whereDisksAre: string = canMount ? '' : ' (skipped: only root may mount a disk, on Linux)';
