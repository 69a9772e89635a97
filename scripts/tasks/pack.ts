/** `npm run pack`: what others install, as tarballs. */
import { join } from 'node:path';
import { root } from '../root.ts';
import { packAll } from '../steps/packages.ts';

/** @param folder where to put them @default dist in the checkout's top folder */
export async function pack([folder = join(root, 'dist')]: readonly string[]): Promise<number> {
  for (const tarball of await packAll(folder)) console.log(tarball);
  return 0;
}
