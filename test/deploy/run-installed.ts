/** Runs a script in namespaces of its own, with manifests to install there (installation.ts). */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../support/trainer.ts';
import { runInside } from './inside.ts';

/**
 * @param texts of YAML; the script is told the file of each by a flag of its name.
 * @returns what it has printed, as JSON.
 */
export async function runInstalled<Seen>(
  script: string,
  texts: Readonly<Record<string, string>>,
  flags: readonly string[] = [],
): Promise<Seen> {
  await using folder = await temporaryFolder();
  const args: string[] = [...flags];
  for (const [name, text] of Object.entries(texts)) {
    const file = join(folder.path, `${name}.yaml`);
    await writeFile(file, text);
    args.push(`--${name}`, file);
  }
  return JSON.parse(await runInside(script, args)) as Seen;
}
