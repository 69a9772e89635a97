/** Sets the native runtime up: libraries from the cache, the addon of @tensorflow/tfjs-node compiled against them. */

import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { SET_UP } from '../resource/installation.ts';
import { NativeSetupError, type NativeSetupReason } from './errors.ts';
import { buildAddon, findCompiler } from './native-addon.ts';
import { ensureCuda } from './native-cuda.ts';
import { ensureLibraries } from './native-libraries.ts';
import {
  addonFile,
  installedRuntime,
  type NativeWheel,
  nativeWheel,
  platform,
  RUNTIME_KINDS,
  type RuntimeKind,
  requestedRuntime,
  runtimeFolder,
  TENSORFLOW_VERSION,
  WASM_COST,
} from './native-runtime.ts';
import type { Log } from './native-wheel.ts';

const SELF_CHECK = fileURLToPath(new URL('./self-check.ts', import.meta.url));
const SELF_CHECK_TIMEOUT_MS = 120_000;
/** The oldest C library that the wheels are built for. */
const GLIBC = [2, 27] as const;

/** Whether backend `tensorflow` can be used, and if not, why. */
export type NativeStatus =
  | { readonly installed: true }
  | {
      readonly installed: false;
      readonly code: NativeSetupReason;
      /** One line: what is wrong. */
      readonly reason: string;
      /** One line: what is wrong, what it costs, and what to do about it. */
      readonly message: string;
    };

/**
 * Sets the runtime up that `GLOCAL_RUNTIME` asks for, unless it is. Never throws for what a machine may lack: training works without, on wasm.
 * A runtime that works is left as it is when the new one cannot be made.
 * @param options.log takes one line at a time, for people.
 * @param options.force checks and compiles again what is in place.
 */
export async function setUpNative({
  log,
  force = false,
}: {
  log: Log;
  force?: boolean;
}): Promise<NativeStatus> {
  try {
    const kind = runtimeKind(requestedRuntime());
    if (!force && installedRuntime() === kind) return { installed: true };
    const wheel = supportedWheel(kind);
    // Before the download, which would be for nothing without.
    const compiler = await findCompiler();
    const folder = runtimeFolder(kind);
    await ensureLibraries(wheel, folder, log);
    const cuda = kind === 'cuda' ? await ensureCuda(log) : undefined;
    log('compiling the TensorFlow addon for Node');
    await buildAddon(compiler, folder, Object.keys(wheel.libraries), cuda);
    const description = await selfCheck();
    log(`TensorFlow ${TENSORFLOW_VERSION} is ready${kind === 'cuda' ? `: ${description}` : ''}`);
    return { installed: true };
  } catch (error) {
    const status = failed(error);
    log(status.message);
    return status;
  }
}

/** @throws NativeSetupError SETTING */
function runtimeKind(requested: string): RuntimeKind {
  const kind = RUNTIME_KINDS.find((one) => one === requested);
  if (kind !== undefined) return kind;
  const kinds = RUNTIME_KINDS.join(' or ');
  throw new NativeSetupError('SETTING', `GLOCAL_RUNTIME is "${requested}"`, `set it to ${kinds}`);
}

/** @throws NativeSetupError PLATFORM, before anything is downloaded. */
function supportedWheel(kind: RuntimeKind): NativeWheel {
  const wheel = nativeWheel(kind);
  if (wheel === undefined) {
    const platforms = kind === 'cuda' ? 'x64 with CUDA' : 'x64 and arm64';
    throw new NativeSetupError('PLATFORM', `it is for Linux on ${platforms}, and this is ${platform()}`);
  }
  const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  const [major = 0, minor = 0] = (header.glibcVersionRuntime ?? '').split('.').map(Number);
  if (major < GLIBC[0] || (major === GLIBC[0] && minor < GLIBC[1])) {
    throw new NativeSetupError(
      'PLATFORM',
      `it needs glibc ${GLIBC.join('.')} or newer, and this system has ${header.glibcVersionRuntime ?? 'another C library'}`,
    );
  }
  return wheel;
}

/**
 * Loads the runtime in a process of its own, where a crash does no harm, and differentiates a convolution. A runtime
 * that fails is removed.
 * @returns what computed, for people.
 * @throws NativeSetupError SELF_CHECK
 */
async function selfCheck(): Promise<string> {
  const check = (env: NodeJS.ProcessEnv = {}) =>
    execa(process.execPath, [SELF_CHECK], { reject: false, timeout: SELF_CHECK_TIMEOUT_MS, env });
  const first = await check();
  if (!first.failed) return first.stdout.trim();
  // Again, with TensorFlow's own messages: what it lacks may be said there only.
  const second = await check({ TF_CPP_MIN_LOG_LEVEL: '0' });
  await rm(addonFile(), { force: true });
  const result = second.failed ? second : first;
  const how = result.timedOut ? 'no answer' : result.signal;
  const said = result.stderr.trim().split('\n').at(-1);
  throw new NativeSetupError(
    'SELF_CHECK',
    `the runtime does not work here: ${[how, said].filter(Boolean).join(', ') || result.shortMessage}`,
    SET_UP,
  );
}

function failed(error: unknown): NativeStatus & { installed: false } {
  const known = error instanceof NativeSetupError ? error : undefined;
  const reason = error instanceof Error ? error.message : String(error);
  const remedy = known?.reason === 'PLATFORM' ? undefined : (known?.remedy ?? SET_UP);
  const kept = installedRuntime();
  const instead =
    kept === undefined
      ? `no native TensorFlow, so training runs on wasm, ${WASM_COST}`
      : `the native TensorFlow stays as it was (${kept})`;
  return {
    installed: false,
    code: known?.reason ?? 'FILES',
    reason,
    message: [`${instead}: ${reason}`, ...(remedy === undefined ? [] : [`To change that: ${remedy}`])].join(
      '. ',
    ),
  };
}
