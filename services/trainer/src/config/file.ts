/** The configuration file: TOML, or JSON where its name ends so; keys as `max_steps`. */

import { readFileSync } from 'node:fs';
import { parse, TomlError } from 'smol-toml';
import { z } from 'zod';
import { ConfigError } from './errors.ts';
import { keyOf, type Settings, settings } from './settings.ts';
import { didYouMean } from './similar.ts';

/**
 * The settings that a file has.
 * @throws ConfigError naming the file and the key.
 */
export function readConfigFile(file: string): Partial<Settings> {
  const schema = z.strictObject(
    Object.fromEntries(settings().map(([name, { kind }]) => [keyOf(name), kind.schema.optional()])),
  );
  const checked = schema.safeParse(contentOf(file));
  if (!checked.success)
    throw new ConfigError(checked.error.issues.map((issue) => said(file, issue)).join('; '));
  const values = checked.data as Record<string, unknown>;
  const named = settings().map(([name]) => [name, values[keyOf(name)]] as const);
  return Object.fromEntries(named.filter(([, value]) => value !== undefined));
}

function contentOf(file: string): unknown {
  const text = readText(file);
  try {
    return file.endsWith('.json') ? JSON.parse(text) : parse(text);
  } catch (error) {
    const [what] = (error as Error).message.split('\n');
    const where = error instanceof TomlError ? `:${error.line}:${error.column}` : '';
    throw new ConfigError(`${file}${where}: ${what}`);
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`cannot read the configuration file: ${(error as Error).message}`);
  }
}

function said(file: string, issue: z.core.$ZodIssue): string {
  if (issue.code !== 'unrecognized_keys') {
    return `${[file, ...issue.path].join(': ')}: it ${issue.path.length === 0 ? 'must be a table of settings' : issue.message}`;
  }
  const known = settings().map(([name]) => keyOf(name));
  const unknown = issue.keys.map(
    (key) =>
      `${key}: no setting has this name; ${didYouMean(key, known, 'docs/settings.md lists those that do')}`,
  );
  return `${file}: ${unknown.join('; ')}`;
}
