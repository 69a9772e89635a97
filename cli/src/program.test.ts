/** What every command of the tree has. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { runCommand, UsageError } from './command-line.ts';
import { EXIT_CODES, report } from './exit.ts';
import { glocal } from './program.ts';
import { commandLine } from './testing.ts';

/** Commands whose flags the trainer checks. */
const OF_THE_TRAINER = ['serve', 'token'];

const README = readFileSync(fileURLToPath(new URL('../README.md', import.meta.url)), 'utf8');

/** Commands that do something, by their words, but for the one that shells ask. */
function leaves(command: Command, words: readonly string[] = []): [words: string, command: Command][] {
  if (command.commands.length === 0) return [[words.join(' '), command]];
  return command
    .createHelp()
    .visibleCommands(command)
    .flatMap((child) => (child.name() === 'help' ? [] : leaves(child, [...words, child.name()])));
}
const COMMANDS = leaves(glocal());

const line = commandLine((args) => runCommand(glocal(), args));

function helpOf(command: Command): string {
  command.outputHelp();
  return line.printed;
}

it('the tree has its commands', () => {
  expect(COMMANDS.map(([words]) => words)).toEqual([
    ...['init', 'serve'],
    ...['create', 'list', 'get', 'watch', 'pause', 'resume', 'cancel', 'delete', 'compare'].map(
      (name) => `study ${name}`,
    ),
    ...['schedule export', 'schedule plot', 'window show', 'window reanalyze'],
    ...['dashboard', 'export tensorboard', 'export mlflow'],
    ...['token', 'doctor', 'completion'],
  ]);
});

describe.each(COMMANDS)('glocal %s', (words, command) => {
  it('has --json', () => {
    expect(command.options.map(({ long }) => long)).toContain('--json');
  });

  it('says what it does, and what each of its arguments and flags is', () => {
    expect(command.description()).toMatch(/^\S.{10,}/);
    const described = [...command.options, ...command.registeredArguments];
    expect(described.filter(({ description }) => description === '')).toEqual([]);
  });

  it('has an example in its help that is a line of this command', async () => {
    const help = helpOf(command);
    const [, example = ''] = help.match(/^Example:\n {2}glocal (.+)$/m) ?? [];
    expect(example.startsWith(words)).toBe(true);
    const program = glocal();
    const done: string[] = [];
    for (const [name, leaf] of leaves(program)) leaf.action(() => void done.push(name));
    await runCommand(program, example.split(' '));
    expect(done).toEqual([words]);
  });

  it('says where its exit codes are', () => {
    expect(helpOf(command)).toContain('Exit codes: see glocal --help.');
  });

  it.skipIf(OF_THE_TRAINER.includes(words))('ends with 64 for a flag that it does not have', async () => {
    const refusal = await runCommand(glocal(), [...words.split(' '), '--no-such-flag']).catch(
      (error) => error,
    );
    expect(refusal).toBeInstanceOf(UsageError);
    expect(report(refusal, { json: false })).toBe(64);
  });

  it('is in the table of README', () => {
    const last = words.split(' ').at(-1) ?? '';
    const rows = README.match(/^\| `glocal .+$/gm) ?? [];
    const named = rows.flatMap((row) => {
      const [, group = '', names = ''] =
        row.match(/^\| `glocal (?:(study|schedule|window|export) )?(\S+?)[ `]/) ?? [];
      return names.split('\\|').map((name) => [group, name].filter(Boolean).join(' '));
    });
    expect(named, last).toContain(words);
  });
});

describe('with --json', () => {
  it('a wrong command line is told of as JSON, and by nobody else', async () => {
    const refusal = await runCommand(glocal({ json: true }), ['study', 'get', '--json']).catch(
      (error) => error,
    );
    expect(line.printed).toBe('');
    expect(report(refusal, { json: true })).toBe(64);
    expect(JSON.parse(line.printed)).toEqual({ error: { message: "missing required argument 'study'" } });
  });

  it.each([
    ['serve', '--lisen', 'x'],
    ['token', '--owner', 'a', '--role', 'foo'],
  ])('what the trainer refuses is, too: %j', async (...words) => {
    const refusal = await runCommand(glocal({ json: true }), [...words, '--json']).catch((error) => error);
    expect(line.printed).toBe('');
    expect(report(refusal, { json: true })).toBe(64);
    expect(JSON.parse(line.printed).error.message).toMatch(/^(unknown )?option '--(lisen|role)/);
  });

  it('a completion is a document', async () => {
    await runCommand(glocal(), ['completion', 'bash', '--json']);
    expect(JSON.parse(line.printed)).toEqual({ shell: 'bash', script: expect.stringContaining('glocal') });
  });
});

it('exit codes are in the help of the program', () => {
  const help = helpOf(glocal());
  for (const [code, meaning] of Object.entries(EXIT_CODES)) expect(help).toContain(`${code}  ${meaning}`);
});

it('help is that of all the words after it', async () => {
  await expect(runCommand(glocal(), ['help', 'study', 'create'])).rejects.toMatchObject({ exitCode: 0 });
  expect(line.printed).toMatch(/^Usage: glocal study create /);
});

it('only a table for a framework is about some of the parameters', async () => {
  const refusal = await runCommand(glocal(), ['schedule', 'export', 'STUDY', '--parameters', 'lr']).catch(
    (error) => error,
  );
  expect(report(refusal, { json: false })).toBe(64);
});

it.each([
  ['study', 'list', '--state', 'foo'],
  ['window', 'reanalyze', 'STUDY', '1', '--variant', 'foo'],
  ['window', 'reanalyze', 'STUDY', '1', '--delays', 'abc'],
  ['study', 'list', '--address', 'foo:bar:baz'],
  ['study', 'list', '--address', 'example.com:50061'],
  ['study', 'list', '--tls-cert', 'mine.pem'],
])('is a wrong command line: %j', async (...words) => {
  const refusal = await runCommand(glocal(), words).catch((error) => error);
  expect(report(refusal, { json: false })).toBe(64);
});
