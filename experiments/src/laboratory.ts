/** One experiment from its first study to its files. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Board, progressBoard } from '@glocal/cli/terminal';
import type { GlocalClient } from '@glocal/sdk';
import { datasetsOf, requireDatasets } from './datasets.ts';
import { type Arm, type Findings, isArm, type Lab, type LaterArms } from './experiment.ts';
import { accuracyFigures } from './figures/accuracy.ts';
import type { ExperimentOptions } from './options.ts';
import { type Finished, isOutcome, outcomeLine } from './outcome.ts';
import { showProgress } from './progress.ts';
import { accuracyTables } from './report/accuracy-table.ts';
import { differenceTables } from './report/differences.ts';
import { writeResults } from './report/files.ts';
import { Ledger } from './report/ledger.ts';
import { commitOf, thisMachine } from './report/machine.ts';
import { armsNamed, cancelOthers, finishArms, type Started, startArms } from './run.ts';

const SOURCES = fileURLToPath(new URL('.', import.meta.url));

/** What came out of it all. */
export interface Concluded extends Findings {
  readonly arms: readonly Finished[];
  /** Trials that neither succeeded nor diverged; the same command tries them again. */
  readonly failed: number;
}

/**
 * Runs an experiment, and writes what came out into its folder, which has to be there.
 *
 * @param owned whether the server is the experiment's own, so that nobody else has studies there.
 * @throws MissingDataError, NoRowError, ArmError; GlocalError CANCELLED after the signal
 */
export async function conduct(
  client: GlocalClient,
  options: ExperimentOptions,
  owned: boolean,
  signal: AbortSignal,
): Promise<Concluded> {
  const { name, experiment, size, seeds, only, out } = options;
  await requireDatasets(client, datasetsOf(experiment, size));
  const { version } = await client.serverInfo({ signal });
  const command = commandOf(options);
  const circumstances = { command, version, commit: await commitOf(SOURCES), machine: thisMachine() };
  const ledger = await Ledger.open(out, circumstances);
  const board = progressBoard();
  const isOther = owned && (await isOtherCommand(out, command));
  const arms: Finished[] = [];
  const start = (wanted: readonly Arm[]) => startArms(client, wanted, seeds, signal);
  const finish = async (started: readonly Started[]): Promise<Finished[]> => {
    const ended: Finished[] = [];
    await using _progress = showing(
      [...new Map(started.map((each) => [each.study.name, each])).values()],
      board,
      signal,
    );
    for await (const finished of finishArms(started, signal)) {
      ended.push(finished);
      await ledger.add(finished);
      for (const trial of finished.trials) board.note(`${finished.arm.id}  ${outcomeLine(trial)}`);
    }
    arms.push(...ended);
    return ended;
  };
  const lab: Lab = {
    ...{ client, size, seeds, out, signal },
    note: (text) => board.note(text),
    run: async (wanted) => finish(await start(wanted)),
  };
  try {
    const planned = armsNamed(await experiment.arms(lab), only);
    const started = await start(planned.filter(isArm));
    const later = planned.filter((row): row is LaterArms => !isArm(row));
    if (isOther)
      await cancelOthers(
        client,
        started,
        later.map(({ id }) => id),
      );
    const first = await finish(started);
    for (const row of later) await lab.run(await row.arms(lab));
    const found = (await experiment.analyse?.(lab, first)) ?? { tables: [], figures: [] };
    const compared = experiment.comparable === false ? [] : arms;
    const findings = {
      tables: [...accuracyTables(compared), ...differenceTables(compared), ...found.tables],
      figures: [...(await accuracyFigures(compared)), ...found.figures],
    };
    const shortened = size === 'quick' ? (experiment.shortened ?? []) : [];
    const results = { experiment: name, size, shortened, seeds, ...circumstances, arms };
    await writeResults(out, { ...results, ledger: ledger.entries }, findings);
    const failed = arms.flatMap(({ trials }) => trials.filter((trial) => !isOutcome(trial))).length;
    return { ...findings, arms, failed };
  } finally {
    board.stop();
  }
}

/** Progress until it is disposed of. Where it cannot be shown, that is told, and nothing else. */
function showing(started: readonly Started[], board: Board, signal: AbortSignal): AsyncDisposable {
  const controller = new AbortController();
  const until = AbortSignal.any([signal, controller.signal]);
  const shown = showProgress(started, board, until).catch((error: unknown) =>
    board.note(`no progress can be shown: ${error instanceof Error ? error.message : error}`),
  );
  return {
    async [Symbol.asyncDispose]() {
      controller.abort();
      await shown;
    },
  };
}

/** As one would type it. */
function commandOf({ name, size, seeds, only, parallel }: ExperimentOptions): string {
  const filter = only === '' ? '' : ` --only ${only}`;
  return `npm run experiment -- ${name} --${size} --seeds ${seeds} --parallel ${parallel}${filter}`;
}

/** Whether the folder has last been used by another command, whose studies nobody waits for any more. */
async function isOtherCommand(out: string, command: string): Promise<boolean> {
  const path = join(out, 'command.txt');
  const before = await readFile(path, 'utf8').catch(() => undefined);
  await writeFile(path, `${command}\n`);
  return before !== `${command}\n`;
}
