/** Where the DMD service is that the trainer starts, when nobody says where. */

import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { IS_INSTALLED } from '../resource/installation.ts';

const NAME = 'glocal-dmd';
/** Of the trainer: in a checkout `services/trainer`. */
const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));
const BUILT = join(PACKAGE, '../../target/release', NAME);

/** For documents and messages. */
export const DMD_BINARY_IN_WORDS = IS_INSTALLED
  ? `\`${NAME}\` beside the command \`glocal-trainer\`, in the package's folder, or on PATH`
  : `\`target/release/${NAME}\``;

/** The first that there is, else the place where it should be. */
export function findDmdBinary(installed = IS_INSTALLED, path = process.env.PATH ?? ''): string {
  if (!installed) return BUILT;
  // As it was started, not where a link leads to: that is in the package's folder.
  const command = dirname(process.argv[1] ?? '');
  const folders = [command, PACKAGE, ...path.split(delimiter)].filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, NAME)).find((file) => existsSync(file)) ?? join(PACKAGE, NAME);
}
