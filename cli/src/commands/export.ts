/** `glocal export`: studies for the pages that a team has already. */

import { Command } from 'commander';
import type { Run } from '../export/run.ts';
import { studyName } from '../names.ts';
import { print } from '../output.ts';
import { writing } from '../writing.ts';
import { type OnlineFlags, online, withClient } from './online.ts';

/** Every trial of the studies, each given to `write`, which says where it went. */
async function written(
  names: readonly string[],
  flags: OnlineFlags,
  write: (run: Run) => Promise<string>,
): Promise<void> {
  const { runsOf } = await import('../export/run.ts');
  await withClient(flags, async ({ studies }) => {
    const runs: { trial: string; to: string }[] = [];
    for (const name of names)
      for await (const run of runsOf(await studies.get(studyName(name))))
        runs.push({ trial: run.trial, to: await write(run) });
    print(flags.json, { runs }, () => runs.map(({ trial, to }) => `${trial} → ${to}`).join('\n'));
  });
}

const tensorboard = (): Command =>
  online(
    'tensorboard',
    'event files, a folder for each trial; `tensorboard --logdir DIR` shows them',
    'glocal export tensorboard runs STUDY',
  )
    .argument('<dir>', 'where to write them')
    .argument('<studies...>', 'their names, with or without studies/')
    .action(async (folder: string, names: readonly string[], flags: OnlineFlags) => {
      const { writeTensorBoard } = await import('../export/tensorboard.ts');
      await written(names, flags, (run) => writing('<dir>', () => writeTensorBoard(folder, run)));
    });

const mlflow = (): Command =>
  online(
    'mlflow',
    'runs at a tracking server of MLflow; those that were exported before are replaced',
    'glocal export mlflow http://localhost:5000 STUDY',
  )
    .argument('<uri>', 'the tracking server, http://host:port')
    .argument('<studies...>', 'their names, with or without studies/')
    .option('--experiment <name>', 'of MLflow, made where it is not there', 'glocal')
    .addHelpText(
      'after',
      '\nMLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and _PASSWORD, say who you are to it.',
    )
    .action(
      async (uri: string, names: readonly string[], flags: OnlineFlags & { readonly experiment: string }) => {
        const { MlflowServer } = await import('../export/mlflow.ts');
        const server = new MlflowServer(uri);
        const experiment = await server.experiment(flags.experiment);
        await written(names, flags, (run) => server.write(experiment, run));
      },
    );

export const exportStudies = (): Command =>
  new Command('export')
    .description(
      'studies as TensorBoard and MLflow have them: figures over inner steps, and what was asked for',
    )
    .addCommand(tensorboard())
    .addCommand(mlflow());
