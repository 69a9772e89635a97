/** Of an installed package: the native runtime is set up when a trainer starts that could use it and has none. */

import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { IS_INSTALLED } from '../resource/installation.ts';
import { installedRuntime, requestedRuntime, TENSORFLOW_VERSION, tfjsNodeFolder } from './native-runtime.ts';
import { type NativeStatus, setUpNative } from './native-setup.ts';
import { type BackendName, fallbackNotice } from './select.ts';

/** Tells that it has failed: a start is not to wait for the same failure again. */
const failureNote = (): string =>
  join(tfjsNodeFolder(), `native-${TENSORFLOW_VERSION}-${encodeURIComponent(requestedRuntime())}-failed`);

/**
 * Returns when the runtime is there or cannot be had, which is told and remembered: training then runs on wasm. Does nothing
 * in a checkout, where npm's scripts set it up.
 * @param options.log takes one line at a time, for people.
 */
export async function setUpAtFirstStart({
  backend,
  log,
}: {
  backend: BackendName | undefined;
  log: (line: string) => void;
}): Promise<void> {
  const isOfUse = backend === undefined || backend === 'tensorflow';
  if (!IS_INSTALLED || !isOfUse || installedRuntime() === requestedRuntime()) return;
  if (existsSync(failureNote())) {
    const notice = fallbackNotice(backend);
    if (notice !== undefined) log(notice);
    return;
  }
  log('first start: setting up the native TensorFlow runtime, which may take some minutes');
  await setUpAgain({ log, force: false });
}

/** Sets it up whatever happened before. */
export async function setUpAgain(options: {
  log: (line: string) => void;
  force: boolean;
}): Promise<NativeStatus> {
  rmSync(failureNote(), { force: true });
  const status = await setUpNative(options);
  if (!status.installed) remember(status.reason);
  return status;
}

/** Where it cannot be written down, the next start tries again. */
function remember(reason: string): void {
  try {
    writeFileSync(failureNote(), `${reason}\n`);
  } catch {}
}
