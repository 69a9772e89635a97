/** Finds Node 24, and installs it from npm (package `node`) when npm was started with another one. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { withSetupLock } from './lock.mjs';
import { showStep } from './progress.mjs';
import { runQuietly } from './run-process.mjs';

const major = 24;
/** Older 24s lack what the build tools need. */
const oldestMinor = 11;

/**
 * @param {string} root the checkout; its package.json names the version to install (`config.node`)
 * @returns {Promise<string>} the path of a Node 24 executable: this process's own, or the one in `.glocal/node`
 * @throws {import('./errors.mjs').SetupError} it could not be installed
 */
export async function ensureNode(root) {
  if (isSuitable(process.versions.node)) return process.execPath;

  /** @type {{ config: { node: string } }} */
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const wanted = manifest.config.node;
  const prefix = join(root, '.glocal', 'node');
  const packageFolder = join(prefix, 'node_modules', 'node');
  const executable = join(packageFolder, 'bin', 'node');
  // The executable is the last thing that the package's installer puts in place.
  const isInstalled = () =>
    existsSync(executable) && versionIn(join(packageFolder, 'package.json')) === wanted;

  if (!isInstalled()) {
    await withSetupLock(root, async () => {
      if (isInstalled()) return;
      await showStep('node', `installing Node ${wanted} in .glocal/node`, () =>
        install(prefix, packageFolder, wanted),
      );
    });
  }
  return executable;
}

/**
 * npm 11 may refuse a dependency's install script, and a user may have turned them off; so npm only fetches the
 * package, and its installer, which fetches the executable for this platform, is run by hand.
 *
 * @param {string} prefix
 * @param {string} packageFolder
 * @param {string} version
 */
async function install(prefix, packageFolder, version) {
  const failure =
    `Node ${version} could not be installed from npm (see above). ` +
    `Is the registry reachable? Starting npm with Node ${major} (${major}.${oldestMinor} or newer) needs no installation.`;
  rmSync(prefix, { recursive: true, force: true });
  await runQuietly(failure, 'npm', [
    'install',
    '--prefix',
    prefix,
    '--no-save',
    '--ignore-scripts',
    `node@${version}`,
  ]);
  await runQuietly(failure, process.execPath, ['installArchSpecificPackage.js'], { cwd: packageFolder });
}

/** @param {string} version */
function isSuitable(version) {
  const [ownMajor, ownMinor] = version.split('.').map(Number);
  return ownMajor === major && ownMinor !== undefined && ownMinor >= oldestMinor;
}

/** @param {string} manifest the path of a package.json */
function versionIn(manifest) {
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).version : undefined;
}
