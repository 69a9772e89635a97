/** Which servers this version of the SDK goes together with. */

import { GlocalError } from './error.ts';
import type { Log } from './logger.ts';

/** Of this package; a test compares it with package.json. */
export const VERSION = '0.1.0';

/** The server is of a version that this one of the SDK does not go together with. */
export class IncompatibleServerError extends GlocalError {
  declare readonly code: 'FAILED_PRECONDITION';
  declare readonly reason: 'INCOMPATIBLE';
  readonly serverVersion: string;
  readonly sdkVersion: string;

  constructor(address: string, serverVersion: string, sdkVersion: string) {
    const [server, sdk] = [majorOf(serverVersion) ?? 0, majorOf(sdkVersion) ?? 0];
    const newer = server > sdk;
    super(
      'FAILED_PRECONDITION',
      `the server at ${address} has version ${serverVersion}, this SDK ${sdkVersion}, which do not go together: ` +
        (newer
          ? `install @glocal/sdk@${server}`
          : `update the server to ${sdk}, or install @glocal/sdk@${server}`),
      { reason: 'INCOMPATIBLE' },
    );
    this.serverVersion = serverVersion;
    this.sdkVersion = sdkVersion;
  }
}

/**
 * The contract glocal.v1 only grows within a major version: minor ones go together either way, and so do 0 and 1, which have
 * the same contract. A version that is none, as of a server built by hand, is taken.
 * @throws IncompatibleServerError
 */
export function checkVersion(server: string, address: string, log: Log, sdk = VERSION): void {
  const [theirs, ours] = [contractOf(server), contractOf(sdk)];
  if (theirs !== undefined && ours !== undefined && theirs !== ours) {
    throw new IncompatibleServerError(address, server, sdk);
  }
  log('debug', 'the server has answered', { address, serverVersion: server, sdkVersion: sdk });
}

/** Number of the contract that a version has: glocal.v1 from the first one on. */
function contractOf(version: string): number | undefined {
  const major = majorOf(version);
  return major === undefined ? undefined : Math.max(1, major);
}

function majorOf(version: string): number | undefined {
  const [, major] = version.match(/^(\d+)(?:\.|$)/) ?? [];
  return major === undefined ? undefined : Number(major);
}
