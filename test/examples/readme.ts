/** Runs the commands of an example's README, as they are written there. */

import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';

export const EXAMPLES = join(import.meta.dirname, '../../sdk/examples');

/**
 * @param folder of the example
 * @param heading of the part of the README that has the commands
 * @param options.bin where its programs are, before all others
 * @returns lines that they printed
 */
export async function runReadme(
  folder: string,
  heading: string,
  { address, bin = '' }: { readonly address: string; readonly bin?: string },
): Promise<string[]> {
  const readme = readFileSync(join(EXAMPLES, folder, 'README.md'), 'utf8');
  const part = readme.slice(readme.indexOf(`# ${heading}\n`));
  const [, commands] = part.match(/```sh\n([\s\S]*?)```/) ?? [];
  if (commands === undefined) throw new Error(`${folder}/README.md has no commands under ${heading}`);
  const { stdout } = await execa('bash', ['-e', '-c', commands], {
    cwd: join(EXAMPLES, folder),
    env: { GLOCAL_ADDRESS: address, PATH: [bin, process.env.PATH].join(delimiter) },
  });
  return stdout.split('\n');
}
