/** Setting the native runtime up: for npm's scripts, before anything else is there. Loads no tfjs. */

export { installedRuntime, requestedRuntime, TENSORFLOW_VERSION } from '../backend/native-runtime.ts';
export { setUpNative } from '../backend/native-setup.ts';
