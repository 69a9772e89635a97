/** Skips a step whose inputs and outputs are what they were when it last succeeded, judged by their contents. */
import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withSetupLock } from '../bootstrap/lock.mjs';
import { showStep } from '../bootstrap/progress.mjs';
import { root } from '../root.ts';

/** A step that turns files into files. Patterns are globs relative to the checkout; a trailing `**` means all files. */
export interface FileStep {
  readonly name: string;
  /** For the progress line, e.g. "building the SDK". */
  readonly doing: string;
  readonly inputs: readonly string[];
  /** Input files to leave out. */
  readonly except?: readonly string[];
  readonly outputs: readonly string[];
  /** @throws SetupError */
  readonly make: () => Promise<void>;
}

/** Runs the step unless it is up to date. At most one process makes it at a time. */
export async function ensure(step: FileStep): Promise<void> {
  if (isUpToDate(step)) return;
  await withSetupLock(root, async () => {
    if (isUpToDate(step)) return;
    const stamp = stampFile(step);
    rmSync(stamp, { force: true });
    const inputs = fingerprint(step.inputs, step.except);
    await showStep(step.name, step.doing, step.make);
    mkdirSync(join(stamp, '..'), { recursive: true });
    writeFileSync(stamp, stampText(inputs, fingerprint(step.outputs)));
  });
}

function isUpToDate(step: FileStep): boolean {
  let stamp: string;
  try {
    stamp = readFileSync(stampFile(step), 'utf8');
  } catch {
    return false;
  }
  return stamp === stampText(fingerprint(step.inputs, step.except), fingerprint(step.outputs));
}

function stampFile(step: FileStep): string {
  return join(root, '.glocal', 'stamps', step.name);
}

function stampText(inputs: string, outputs: string): string {
  return `inputs ${inputs}\noutputs ${outputs}\n`;
}

/**
 * SHA-256 over the names and contents of all files that the patterns match.
 *
 * @param base the folder that the patterns are relative to
 */
export function fingerprint(
  patterns: readonly string[],
  except: readonly string[] = [],
  base: string = root,
): string {
  const entries = globSync(patterns, { cwd: base, exclude: except, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const hash = createHash('sha256');
  for (const file of [...new Set(files)].sort()) {
    const content = readFileSync(file);
    hash.update(`${file.slice(base.length)}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}
