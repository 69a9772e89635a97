/**
 * npm that is told to end does not pass that on to the script that it runs, and npm that is killed cannot: what the
 * script has started would stay.
 */
import { readFileSync } from 'node:fs';

const LOOK_EVERY_MS = 250;
/** npm starts a script through a shell, which may take the script's place. */
const MOST_ANCESTORS = 3;

/** Ends this process as a SIGTERM would, soon after the npm that has started it has ended. Without npm it does nothing. */
export function endWithNpm() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const before = upToNpm();
  const timer = setInterval(() => {
    if (`${upToNpm()}` === `${before}`) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, LOOK_EVERY_MS);
  timer.unref();
}

/**
 * Process ids of this process's ancestors, up to npm's. Where the system does not tell, the parent's alone.
 *
 * @returns {readonly number[]}
 */
function upToNpm() {
  const ancestors = [process.ppid];
  while (ancestors.length < MOST_ANCESTORS) {
    const last = /** @type {number} */ (ancestors.at(-1));
    const parent = isNpm(last) ? undefined : parentOf(last);
    if (parent === undefined) break;
    ancestors.push(parent);
  }
  return ancestors.some(isNpm) ? ancestors : [process.ppid];
}

/** @param {number} pid */
function isNpm(pid) {
  try {
    return /(^|\/)(npm|npm-cli\.js|npm run)\b/.test(
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '),
    );
  } catch {
    return false;
  }
}

/**
 * @param {number} pid
 * @returns {number | undefined}
 */
function parentOf(pid) {
  try {
    const [, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return Number(parent);
  } catch {
    return undefined;
  }
}
