/** Errors of the backends: why one cannot be set up or used, and what to do about it. */

/** Why the native runtime could not be set up. */
export type NativeSetupReason =
  /** There is no such build of TensorFlow as was asked for. */
  | 'SETTING'
  /** TensorFlow publishes no libraries for this operating system, processor or C library. */
  | 'PLATFORM'
  /** There is no usable C++ compiler, or it refused the addon. */
  | 'COMPILER'
  /** The libraries could not be fetched. */
  | 'DOWNLOAD'
  /** What was fetched is not what it should be. */
  | 'CHECKSUM'
  /** The runtime is in place, but does not load or computes wrongly. */
  | 'SELF_CHECK'
  /** A file could not be written or read. */
  | 'FILES';

/** The native runtime could not be set up; the message is one line that says why. */
export class NativeSetupError extends Error {
  override readonly name = 'NativeSetupError';
  readonly reason: NativeSetupReason;
  /** What the user can do, a clause for the end of a sentence; undefined when nothing on this machine helps. */
  readonly remedy: string | undefined;

  constructor(reason: NativeSetupReason, message: string, remedy?: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
    this.remedy = remedy;
  }
}

/** Why a backend cannot be used. */
export type BackendReason =
  /** Another version of tfjs is installed than the one that this code is written for. */
  | 'TFJS_VERSION'
  /** The native runtime was asked for, but it is not set up. */
  | 'NOT_INSTALLED'
  /** The backend is installed, but does not start. */
  | 'LOAD_FAILED';

/** A backend cannot be used; the message says why and what to do. */
export class BackendError extends Error {
  override readonly name = 'BackendError';
  readonly reason: BackendReason;

  constructor(reason: BackendReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
