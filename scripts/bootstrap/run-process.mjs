/** Starts one child process, passes signals on to it, and waits for it. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { SetupError } from './errors.mjs';

/** Where to get the tools that we start but do not install ourselves. */
const sources = new Map([
  ['cargo', 'install Rust from https://rustup.rs'],
  ['npm', 'it comes with Node: https://nodejs.org'],
]);

/**
 * Runs a command to its end.
 *
 * SIGTERM and SIGHUP are passed on to the child, and so is SIGINT unless a terminal has sent it to the whole process
 * group already. When the child has ended after such a signal, this process ends too, with exit code 128 + the signal.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {object} [options]
 * @param {string} [options.cwd]
 * @param {Record<string, string>} [options.env] added to this process's environment
 * @param {boolean} [options.capture] keep what the child prints instead of showing it
 * @param {(chunk: string) => void} [options.onStdout] sees each piece of standard output, decoded; implies that
 *   standard output is a pipe for the child
 * @param {(chunk: string) => void} [options.onStderr] the same for standard error
 * @returns {Promise<{ code: number, output: string }>} the exit code (128 + n for signal n), and, with `capture`, both
 *   streams as one text
 * @throws {SetupError} the command does not exist
 */
export function run(command, args, { cwd, env, capture = false, onStdout, onStderr } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: [
        capture ? 'ignore' : 'inherit',
        capture || onStdout ? 'pipe' : 'inherit',
        capture || onStderr ? 'pipe' : 'inherit',
      ],
    });

    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (/** @type {string} */ chunk) => {
      if (capture) output += chunk;
      onStdout?.(chunk);
    });
    child.stderr?.setEncoding('utf8').on('data', (/** @type {string} */ chunk) => {
      if (capture) output += chunk;
      onStderr?.(chunk);
    });

    /** @type {NodeJS.Signals | undefined} */
    let received;
    const forward = (/** @type {NodeJS.Signals} */ signal) => {
      received = signal;
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    };
    /** @type {readonly NodeJS.Signals[]} */
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, forward);
    const stopForwarding = () => {
      for (const signal of signals) process.off(signal, forward);
    };

    child.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
      stopForwarding();
      if (error.code !== 'ENOENT') return reject(error);
      const source = sources.get(command);
      reject(new SetupError(`${command} is missing${source === undefined ? '' : `: ${source}`}`));
    });
    child.on('close', (code, signal) => {
      stopForwarding();
      if (received !== undefined) process.exit(128 + constants.signals[received]);
      resolve({ code: code ?? 128 + (signal === null ? 0 : constants.signals[signal]), output });
    });
  });
}

/**
 * Runs a command whose output matters only when it fails.
 *
 * @param {string} failure the message when it fails: what did not work, and what to do
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Record<string, string> }} [options]
 * @returns {Promise<void>}
 * @throws {SetupError} the command is missing or ended with another exit code than 0
 */
export async function runQuietly(failure, command, args, options = {}) {
  const { code, output } = await run(command, args, { ...options, capture: true });
  if (code !== 0) throw new SetupError(failure, output);
}
