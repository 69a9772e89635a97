/** `glocal-trainer token`: makes a token for somebody who is to call the server. */

import { open } from 'node:fs/promises';
import { Role } from '@glocal/proto/glocal/v1/study_service';
import { Command, InvalidArgumentError } from 'commander';
import { ConfigError } from '../config/errors.ts';
import { parseArguments } from '../config/parse.ts';
import { ROLE_NAMES, roleNamed } from '../resource/caller.ts';
import { isTokenOwner, makeToken, tokenLine } from '../security/tokens.ts';

const DAY_MS = 86_400_000;

/**
 * Prints a new token, which nobody can read again, and the line for the file of tokens, or adds the line there.
 * @throws ConfigError
 */
export async function token(args: readonly string[]): Promise<void> {
  const command = new Command('glocal-trainer token')
    .description(
      'Makes a token, and its line for the file of --token-file, which has its hash and not the token.',
    )
    .requiredOption('--owner <name>', 'whose it is; studies made with it belong to them', toOwner)
    .option('--role <name>', `what it is good for: ${ROLE_NAMES.join(', ')}`, toRole, Role.WRITE)
    .option('--days <n>', 'days until it expires; by default it does not', toExpiry)
    .option('--file <file>', 'add the line to this file, and print the token alone');
  command.options.find(({ long }) => long === '--role')?.default(Role.WRITE, 'write');
  parseArguments(command, args);
  const { owner, role, days: expires, file } = command.opts();
  const made = makeToken();
  const line = tokenLine(made, { owner, role, expires });
  if (file !== undefined) {
    await addLine(file, line).catch((error: Error) => {
      throw new ConfigError(`--file: ${error.message}`);
    });
  }
  process.stdout.write(`${made}\n`);
  if (file === undefined) process.stdout.write(`\nIts line for the file of --token-file:\n${line}\n`);
}

/** The last line that somebody has written by hand may not be ended. */
async function addLine(file: string, line: string): Promise<void> {
  await using handle = await open(file, 'a+', 0o600);
  const text = await handle.readFile('utf8');
  await handle.appendFile(`${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`);
}

function toOwner(text: string): string {
  if (isTokenOwner(text)) return text;
  throw new InvalidArgumentError('It must have 1 to 200 visible characters, no spaces and no #.');
}

function toRole(text: string): Role {
  const role = roleNamed(text);
  if (role !== undefined) return role;
  throw new InvalidArgumentError(`It must be one of ${ROLE_NAMES.join(', ')}.`);
}

function toExpiry(text: string): Date {
  const days = Number(text);
  if (days > 0 && days <= 36_500) return new Date(Date.now() + days * DAY_MS);
  throw new InvalidArgumentError('It must be a number of days above 0, at most 36500.');
}
