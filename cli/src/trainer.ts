/** The trainer that is installed on this machine, if there is one, and running it. */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { CommandError, type ExitCode, INTERRUPTED, SOFTWARE, UNAVAILABLE } from './exit.ts';
import { note } from './output.ts';

const PACKAGE = '@glocal/trainer';

/** How to get a trainer, in one sentence. */
export const HOW_TO_GET_ONE = `no trainer is installed here: npm install ${PACKAGE}, or give the address of one that runs elsewhere with --address`;

/** Fields of its manifest that say what to run. */
interface Manifest {
  readonly version: string;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, unknown>>;
}

/** A trainer that can be started. */
export interface InstalledTrainer {
  /** Its program, for Node to run. */
  readonly program: string;
  readonly version: string;
}

/**
 * Looks where this program is installed, then where it is called from.
 * @param from modules or folders to look from
 * @returns undefined when there is none
 */
export function findTrainer(
  from: readonly string[] = [
    import.meta.url,
    ...workingFolder().map((folder) => join(folder, 'package.json')),
  ],
): InstalledTrainer | undefined {
  for (const origin of from) {
    const manifestPath = resolveFrom(origin, `${PACKAGE}/package.json`);
    if (manifestPath === undefined) continue;
    const { version, bin, exports }: Manifest = JSON.parse(readFileSync(manifestPath, 'utf8'));
    // As a package it has a program; in the repository that it comes from its source is one.
    const program = bin?.['glocal-trainer'] ?? exports?.['./main'];
    if (typeof program === 'string') return { program: resolve(dirname(manifestPath), program), version };
  }
  return undefined;
}

/** Empty where it was deleted. */
export function workingFolder(): string[] {
  try {
    return [process.cwd()];
  } catch {
    return [];
  }
}

function resolveFrom(origin: string, name: string): string | undefined {
  try {
    const path = createRequire(origin).resolve(name);
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

/** @throws CommandError saying how to get one */
export function requireTrainer(): InstalledTrainer {
  const found = findTrainer();
  if (found === undefined) throw new CommandError(HOW_TO_GET_ONE, UNAVAILABLE);
  return found;
}

/**
 * Starts it with these arguments, out of reach of the terminal's Ctrl-C: it is told to end once, by us, and ends by itself when
 * this process does.
 * @param output whether what it prints is read here, with {@link wellEnded} for what it complains of, or goes to ours.
 */
export function startTrainer(
  { program }: InstalledTrainer,
  args: readonly string[],
  output: 'pipe' | 'inherit',
): ChildProcess {
  return spawn(process.execPath, [program, ...args], {
    stdio: ['pipe', output, output],
    detached: true,
  });
}

/** What it ends with where it cannot go on. */
const COMPLAINT = /^glocal-trainer: (.+)$/;

/**
 * Resolves when it has ended with exit code 0. What it says on standard error goes to ours, unless that is what it ended with.
 * @throws CommandError with its exit code, and with its last words where they are read here, else with no message, as it has said
 *   itself what was wrong; one that is asked to end before it listens for that counts as interrupted, and of one that is killed the
 *   signal is told
 */
export function wellEnded(child: ChildProcess): Promise<void> {
  const lastWords = child.stderr === null ? () => undefined : passedOn(child.stderr);
  return new Promise((resolveEnd, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      const complaint = lastWords();
      if (code === 0) resolveEnd();
      else if (code !== null) reject(new CommandError(complaint ?? '', code as ExitCode));
      else if (signal === 'SIGTERM' || signal === 'SIGINT') reject(new CommandError('', INTERRUPTED));
      else reject(new CommandError(`the trainer was ended by ${signal}`, SOFTWARE));
    });
  });
}

/** @returns what it complained of last, once it has ended */
function passedOn(stderr: Readable): () => string | undefined {
  let held: string | undefined;
  createInterface({ input: stderr }).on('line', (line) => {
    if (held !== undefined) note(held);
    held = COMPLAINT.test(line) ? line : undefined;
    if (held === undefined) note(line);
  });
  return () => held?.match(COMPLAINT)?.[1];
}
