/** `glocal completion`: what a shell needs to complete the command line. */

import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';

const HELP = `
Install it once:
  bash   glocal completion bash > ~/.local/share/bash-completion/completions/glocal
  zsh    glocal completion zsh > "\${fpath[1]}/_glocal"
  fish   glocal completion fish > ~/.config/fish/completions/glocal.fish`;

/**
 * Adds the command for people, and the hidden one that shells ask at each press of the key.
 * @param program complete but for these.
 */
export function addCompletion(program: Command): void {
  const known = tab(program, { completionCommandName: 'completion' });
  program.commands
    .find((command) => command.name() === 'completion')
    ?.description('prints the script that lets a shell complete commands and flags')
    .addHelpText('after', HELP);
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

const find = (program: Command, path: string): Command | undefined =>
  path
    .split(' ')
    .reduce<Command | undefined>(
      (command, name) => command?.commands.find((child) => child.name() === name),
      program,
    );
