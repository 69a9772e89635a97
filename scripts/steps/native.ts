/**
 * The native TensorFlow runtime of the trainer; `GLOCAL_RUNTIME=cuda` asks for the build for CUDA. Training works without it, several times slower; so a failure is told
 * and remembered, and only `npm run setup` tries again.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { installedRuntime, requestedRuntime, setUpNative, TENSORFLOW_VERSION } from '@glocal/trainer/native';
import { withSetupLock } from '../bootstrap/lock.mjs';
import { showStep } from '../bootstrap/progress.mjs';
import { root } from '../root.ts';

/** One for each build: that one has failed says nothing about the other. */
const failureNote = (): string =>
  join(
    root,
    '.glocal',
    'stamps',
    `native-${TENSORFLOW_VERSION}-${encodeURIComponent(requestedRuntime())}-failed`,
  );

/** Sets the runtime up unless it is, or unless that has failed before. */
export async function ensureNative(): Promise<void> {
  if (!existsSync(failureNote())) await setUp();
}

/** Sets the runtime up unless it is, whatever happened before. */
export async function retryNative(): Promise<void> {
  rmSync(failureNote(), { force: true });
  await setUp();
}

async function setUp(): Promise<void> {
  if (installedRuntime() === requestedRuntime()) return;
  await withSetupLock(root, async () => {
    if (installedRuntime() === requestedRuntime()) return;
    const status = await showStep('native', 'setting up the TensorFlow runtime', ({ note }) =>
      setUpNative({ log: note }),
    );
    if (status.installed) return;
    mkdirSync(dirname(failureNote()), { recursive: true });
    writeFileSync(failureNote(), `${status.reason}\n`);
  });
}
