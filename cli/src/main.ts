#!/usr/bin/env node
/** `glocal`. */

import { runCommand } from './command-line.ts';
import { withoutEmptyVariables } from './connection.ts';
import { report } from './exit.ts';
import { glocal } from './program.ts';

// Whoever reads our output may have seen enough, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.env = withoutEmptyVariables(process.env);
const args = process.argv.slice(2);
const json = args.includes('--json');
try {
  await runCommand(glocal({ json }), args);
} catch (error) {
  process.exitCode = report(error, { json });
}
