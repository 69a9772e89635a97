/** A DMD service of the experiment's own, for windows that are analysed with rows and options that no study had. */

import { fileURLToPath } from 'node:url';
import { ServerChild } from '@glocal/trainer';

const BUILT = fileURLToPath(new URL('../../../target/release/glocal-dmd', import.meta.url));

/** @throws ServerStartError */
export const startDmd = (): Promise<ServerChild> => {
  // It stops at a setting that it does not know, as those of the trainer are.
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('GLOCAL_'));
  return ServerChild.start({
    env: Object.fromEntries(others),
    command: process.env.GLOCAL_DMD_BINARY ?? BUILT,
    args: ['serve', '--listen', '127.0.0.1:0', '--exit-with-stdin'],
    log: (line) => process.stderr.write(`${line}\n`),
  });
};
