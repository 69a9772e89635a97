/** Installs the npm dependencies when they are not what package-lock.json says. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withSetupLock } from './lock.mjs';
import { showStep } from './progress.mjs';
import { runQuietly } from './run-process.mjs';

/**
 * @typedef {{ version?: string, integrity?: string, link?: boolean, optional?: boolean, devOptional?: boolean }} Entry
 *   One package in a lockfile.
 */

/**
 * Runs `npm ci` unless node_modules already agrees with package-lock.json.
 *
 * @param {string} root
 * @throws {import('./errors.mjs').SetupError} npm failed
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
        ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'],
        { cwd: root },
      ),
    );
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
