/**
 * One set-up at a time in one checkout: a lock file that holds its owner's process id. A lock whose owner is gone is
 * taken over, so a killed set-up blocks nobody.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs `action` while this process alone holds the checkout's set-up lock; waits for as long as another one holds it.
 *
 * Check again inside `action` whether there is still something to do: the other process may have done it.
 *
 * @template T
 * @param {string} root the checkout
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
export async function withSetupLock(root, action) {
  const file = join(root, '.glocal', 'setup.lock');
  mkdirSync(dirname(file), { recursive: true });

  let told = false;
  while (!take(file)) {
    const owner = ownerOf(file);
    if (owner !== undefined && !isAlive(owner)) {
      takeOver(file, owner);
      continue;
    }
    if (!told && owner !== undefined)
      console.error(`Waiting for the set-up that process ${owner} is running (${file}) …`);
    told = true;
    await sleep(200);
  }

  const release = () => rmSync(file, { force: true });
  process.once('exit', release);
  try {
    return await action();
  } finally {
    process.off('exit', release);
    release();
  }
}

/**
 * Creates the file with this process's id, unless it exists.
 *
 * @param {string} file
 * @returns {boolean} whether it was created
 */
function take(file) {
  try {
    writeFileSync(file, `${process.pid}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

/**
 * Removes a dead owner's lock. Two waiters may both have seen the dead owner: only the one that holds a second lock
 * removes it, and only if it is still the dead owner's.
 *
 * @param {string} file
 * @param {number} deadOwner
 */
function takeOver(file, deadOwner) {
  const guard = `${file}.takeover`;
  if (!take(guard)) {
    const owner = ownerOf(guard);
    if (owner !== undefined && !isAlive(owner)) rmSync(guard, { force: true });
    return;
  }
  if (ownerOf(file) === deadOwner) rmSync(file, { force: true });
  rmSync(guard, { force: true });
}

/**
 * @param {string} file
 * @returns {number | undefined} undefined when there is no lock, or its owner has not written it yet
 */
function ownerOf(file) {
  try {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    return Number.isNaN(pid) ? undefined : pid;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return isErrno(error, 'EPERM');
  }
  return !isZombie(pid);
}

/**
 * A killed process whose parent does not collect it still answers signals; in a container without an init process that
 * can last for ever. Known on Linux only.
 *
 * @param {number} pid
 */
function isZombie(pid) {
  try {
    return /^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/**
 * @param {unknown} error
 * @param {string} code
 */
function isErrno(error, code) {
  return error instanceof Error && 'code' in error && error.code === code;
}
