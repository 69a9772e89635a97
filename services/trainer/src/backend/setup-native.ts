/** Program: sets the native runtime up. `--force` does it again. */

import { setUpNative } from './native-setup.ts';

const status = await setUpNative({
  log: (line) => process.stderr.write(`${line}\n`),
  force: process.argv.includes('--force'),
});
process.exit(status.installed ? 0 : 1);
