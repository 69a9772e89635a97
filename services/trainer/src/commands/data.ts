/** `glocal-trainer data`: where the files of data sets are, and downloading those that are not here, so that no trial has to. */

import { DatasetFilesState } from '@glocal/proto/glocal/v1/study_service';
import { Command } from 'commander';
import { parseArguments } from '../config/parse.ts';
import { DataError } from '../data/errors.ts';
import { filesOf } from '../data/files-of.ts';
import { findDatasets, loadDataset } from '../data/registry.ts';
import { CommandError } from './exit.ts';

const log = (line: string): void => void process.stderr.write(`${line}\n`);

/**
 * Without ids prints what there is, a line for each data set; with ids loads these, from where a trial would take them.
 * @throws CommandError for what cannot be loaded, ConfigError
 */
export async function data(args: readonly string[]): Promise<void> {
  const command = new Command('glocal-trainer data')
    .description(
      'Downloads data sets into the cache, and checks them, so that trials find them there; without a name lists the data ' +
        'sets and says whether their files are here.',
    )
    .argument('[names...]', 'as studies name them, for instance fashion-mnist')
    .addHelpText('after', '\nExample:\n  glocal-trainer data fashion-mnist cifar10');
  parseArguments(command, args);
  const ids = command.args;
  if (ids.length === 0) return list();
  const faults: string[] = [];
  for (const id of ids) {
    try {
      const { train, test } = await loadDataset(id, { log });
      print(id, `${train.count} training and ${test.count} test examples`);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      faults.push(error.message);
    }
  }
  if (faults.length > 0) throw new CommandError(faults.join('\n'));
}

async function list(): Promise<void> {
  for (const { id } of (await findDatasets({ log })).datasets) {
    const { state, missing } = await filesOf(id);
    if (state === DatasetFilesState.PRESENT) print(id, 'here');
    else {
      const why = state === DatasetFilesState.DOWNLOADABLE ? '; a trial would try to download it' : '';
      print(id, `lacks ${missing.join(', ')}${why}`);
    }
  }
}

const print = (id: string, what: string): void => void process.stdout.write(`${id.padEnd(20)} ${what}\n`);
