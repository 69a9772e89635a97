/** Installs the npm dependencies when they are not what package-lock.json says. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from './errors.mjs';
import { withSetupLock } from './lock.mjs';
import { showStep } from './progress.mjs';
import { runQuietly } from './run-process.mjs';

/**
 * @typedef {{ version?: string, integrity?: string, link?: boolean, optional?: boolean, devOptional?: boolean }} Entry
 *   One package in a lockfile.
 */

/**
 * Makes node_modules what package-lock.json says, unless it is. `npm install --no-save` and not `npm ci`: neither changes
 * the lockfile, but this one keeps what is installed already, and does not refuse a lockfile that was written against a
 * registry without some optional packages for other platforms.
 *
 * @param {string} root
 * @throws {SetupError} npm failed, or the lockfile is not up to date
 */
export async function ensureDependencies(root) {
  if (areInstalled(root)) return;
  await withSetupLock(root, async () => {
    if (areInstalled(root)) return;
    await showStep('dependencies', 'installing what package-lock.json lists', () =>
      runQuietly(
        'The npm dependencies could not be installed (see above).',
        'npm',
        // Everything is built and tested from source here, so the development dependencies are always needed.
        ['install', '--no-save', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'],
        { cwd: root },
      ),
    );
    if (!areInstalled(root)) {
      throw new SetupError(
        'package.json and package-lock.json disagree: run `npm install` and commit the lockfile with the package.json.',
      );
    }
  });
}

/**
 * npm writes what it installed into node_modules/.package-lock.json, as the last thing that it does.
 *
 * @param {string} root
 */
function areInstalled(root) {
  const installed = packagesIn(join(root, 'node_modules', '.package-lock.json'));
  const wanted = packagesIn(join(root, 'package-lock.json'));
  return installed !== undefined && wanted !== undefined && agree(wanted, installed);
}

/**
 * Whether the installed packages are the wanted ones. Optional packages may be missing (they are for other platforms).
 *
 * @param {Record<string, Entry>} wanted
 * @param {Record<string, Entry>} installed
 */
export function agree(wanted, installed) {
  for (const [path, entry] of Object.entries(wanted)) {
    // The empty path is the root package itself, which npm does not list as installed.
    if (path === '') continue;
    const found = installed[path];
    if (found === undefined) {
      if (entry.optional || entry.devOptional) continue;
      return false;
    }
    if (found.version !== entry.version || found.integrity !== entry.integrity || found.link !== entry.link)
      return false;
  }
  return Object.keys(installed).every((path) => path in wanted);
}

/**
 * @param {string} file
 * @returns {Record<string, Entry> | undefined} undefined when there is no such file
 */
function packagesIn(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : undefined;
}
