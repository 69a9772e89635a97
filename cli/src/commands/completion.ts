/** `glocal completion`: what a shell needs to complete the command line. */

import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';
import { helpEnd, JSON_FLAG, print } from '../output.ts';

const HELP = `
Install it once, with glocal on PATH:
  bash   glocal completion bash > ~/.local/share/bash-completion/completions/glocal
         (it needs the package bash-completion)
  zsh    glocal completion zsh > "\${fpath[1]}/_glocal"
  fish   glocal completion fish > ~/.config/fish/completions/glocal.fish`;

/** Those that the help says how to install it for. */
const SHELLS = ['bash', 'zsh', 'fish'];

const NAME = 'completion';
/** What the scripts call. */
const REQUEST = 'complete';

/**
 * Adds the command for people, and the hidden one that shells ask at each press of the key.
 * @param program complete but for these.
 */
export function addCompletion(program: Command): void {
  const known = tab(program, { completionCommandName: NAME });
  const [flag, about] = JSON_FLAG;
  const command = find(program, NAME);
  const [shell] = command?.registeredArguments ?? [];
  if (shell !== undefined) {
    shell.description = 'whose script it is';
    shell.choices(SHELLS);
  }
  // In place of what the library does, which prints the script and nothing else.
  command
    ?.description('prints the script that lets a shell complete commands and flags')
    .option(flag, about)
    .addHelpText('after', HELP)
    .addHelpText('after', helpEnd('glocal completion bash'))
    .action((shell: string, { json }: { readonly json?: boolean }) => {
      const script = scriptOf(known, program.name(), shell);
      print(json, { shell, script }, () => script);
    });
  // What names a file is left to the shell.
  find(program, REQUEST)?.action((words: readonly string[]) => {
    if (wantsFile(program, words)) process.stdout.write(':0\n');
    else known.parse([...words]);
  });
  known.commands
    .get(NAME)
    ?.option(flag.slice('--'.length), about)
    .argument('shell', (complete) => {
      for (const name of SHELLS) complete(name, '');
    });
  for (const [path, command] of known.commands) {
    for (const { long, argChoices } of find(program, path)?.options ?? []) {
      const option = command.options.get(long?.slice('--'.length) ?? '');
      // What it may be, where that is a few words.
      if (option !== undefined && argChoices !== undefined) {
        option.handler = (complete) => {
          for (const choice of argChoices) complete(choice, '');
        };
      }
    }
  }
}

/** The library writes it to the console, and nowhere else. */
function scriptOf(known: ReturnType<typeof tab>, program: string, shell: string): string {
  const written: string[] = [];
  const { log } = console;
  console.log = (text: string) => void written.push(text);
  try {
    known.setup(program, program, shell);
  } finally {
    console.log = log;
  }
  return (
    written
      .join('\n')
      // Where there is nothing to propose, bash proposes files only when it is told to; the other shells do.
      .replace(/^complete -F /m, 'complete -o default -F ')
      // A shell may read the script again.
      .replaceAll(/^readonly /gm, '')
  );
}

/** Whether the last of these words, which may be empty, is to be the name of a file or a folder. */
function wantsFile(program: Command, words: readonly string[]): boolean {
  const [before = '', last = ''] = words.slice(-2);
  let command = program;
  let operands = 0;
  for (const word of words.slice(0, -1)) {
    const child = command.commands.find((candidate) => candidate.name() === word);
    if (child !== undefined) command = child;
    else if (!word.startsWith('-')) operands += 1;
  }
  const option = command.options.find(({ short, long }) => before === short || before === long);
  if (option !== undefined) return isFile(option.flags);
  return !last.startsWith('-') && isFile(`<${command.registeredArguments[operands]?.name()}>`);
}

const isFile = (text: string): boolean => /<(file|folder)>/.test(text);

const find = (program: Command, path: string): Command | undefined =>
  path
    .split(' ')
    .reduce<Command | undefined>(
      (command, name) => command?.commands.find((child) => child.name() === name),
      program,
    );
