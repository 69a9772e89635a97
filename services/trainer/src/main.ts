#!/usr/bin/env node
/** The trainer as a program: which of its commands is asked for, and what it ends with. */

import { readFileSync } from 'node:fs';
import { check } from './commands/check.ts';
import { data } from './commands/data.ts';
import { CommandError, SOFTWARE, UNAVAILABLE } from './commands/exit.ts';
import { setup } from './commands/setup.ts';
import { token } from './commands/token.ts';
import { ConfigError, readConfig } from './config.ts';
import { DmdConnectionError } from './dmd/errors.ts';
import { DmdStartError } from './dmd/process.ts';
import { ModelError } from './model/errors.ts';
import { ObjectStoreError } from './objects/errors.ts';
import { ProblemError } from './problem/errors.ts';
import { ListenError } from './resource/listen-error.ts';
import { serve } from './serve.ts';
import { StoreError } from './store/errors.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  token,
  setup,
  data,
  check: (args) => check(args, (given) => readConfig(given, version)),
};

try {
  const [first = '', ...others] = process.argv.slice(2);
  const command = Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : undefined;
  if (command === undefined) process.exit(await serve(process.argv.slice(2), version));
  await command(others);
  process.exit(0);
} catch (error) {
  if (error instanceof ConfigError || error instanceof CommandError) {
    if (error.message !== '') process.stderr.write(`glocal-trainer: ${error.message}\n`);
    process.exit(error.exitCode);
  }
  const expected = [
    ...[ListenError, StoreError, ObjectStoreError, DmdStartError, DmdConnectionError],
    ...[ModelError, ProblemError],
  ];
  if (expected.some((kind) => error instanceof kind)) {
    process.stderr.write(`glocal-trainer: ${(error as Error).message}\n`);
    process.exit(UNAVAILABLE);
  }
  // The line that says what happened comes last, where whoever started the trainer looks for it.
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  process.stderr.write(
    `glocal-trainer: unexpected error: ${error instanceof Error ? error.message : error}\n`,
  );
  process.exit(SOFTWARE);
}
