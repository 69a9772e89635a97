/** `glocal serve`: a trainer on this machine. */

import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { interruption } from '../command-line.ts';
import { toJson } from '../json.ts';
import { requireTrainer, startTrainer, wellEnded } from '../trainer.ts';
import { trainerCommand } from '../trainer-command.ts';

const READY = /listening on (\S+)$/;

export const serve = (): Command =>
  trainerCommand(
    'serve',
    {
      description: 'runs the trainer that is installed here until Ctrl-C; all flags are its own, see --help',
      usage: '[flags of the trainer]',
      example: 'glocal serve --listen 127.0.0.1:50070 --store studies.db',
    },
    async (args, json) => {
      const trainer = requireTrainer();
      const signal = interruption();
      const child = startTrainer(trainer, ['--exit-with-stdin=yes', ...args], json ? 'pipe' : 'inherit');
      signal.addEventListener('abort', () => child.kill('SIGTERM'));
      if (child.stdout !== null) {
        createInterface({ input: child.stdout }).on('line', (line) => {
          const [, address] = line.match(READY) ?? [];
          if (address === undefined) return;
          process.stdout.write(`${toJson({ address, pid: child.pid, version: trainer.version })}\n`);
        });
      }
      await wellEnded(child);
    },
  );
