/** `glocal serve`: a trainer on this machine. */

import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { interruption } from '../command-line.ts';
import { CommandError, type ExitCode } from '../exit.ts';
import { toJson } from '../json.ts';
import { endOf, requireTrainer, startTrainer } from '../trainer.ts';

const READY = /listening on (\S+)$/;
const JSON_FLAG = '--json';

export const serve = (): Command =>
  new Command('serve')
    .description('runs the trainer that is installed here until Ctrl-C; all flags are its own, see --help')
    .argument('[flags...]')
    .usage('[--json] [flags of the trainer]')
    .allowUnknownOption()
    .passThroughOptions()
    .helpOption(false)
    .action(async (args: readonly string[]) => {
      const json = args.includes(JSON_FLAG);
      const given = args.filter((arg) => arg !== JSON_FLAG);
      const trainer = requireTrainer();
      const signal = interruption();
      const child = startTrainer(trainer, ['--exit-with-stdin', ...given], json ? 'pipe' : 'inherit');
      signal.addEventListener('abort', () => child.kill('SIGTERM'));
      if (child.stdout !== null) {
        createInterface({ input: child.stdout }).on('line', (line) => {
          const [, address] = line.match(READY) ?? [];
          if (address === undefined) return;
          process.stdout.write(`${toJson({ address, pid: child.pid, version: trainer.version })}\n`);
        });
      }
      const code = await endOf(child);
      // What was wrong it has said itself.
      if (code !== 0) throw new CommandError('', code as ExitCode);
    });
