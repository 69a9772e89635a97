/** Watching a study from the command line, to its end or to the first Ctrl-C, which leaves it running. */

import { GlocalError, type Study, type Trial } from '@glocal/sdk';
import { interruption } from '../command-line.ts';
import { CommandError, FAILED, INTERRUPTED } from '../exit.ts';
import { commandOf } from '../invocation.ts';
import { toJson } from '../json.ts';
import { shortName } from '../names.ts';
import { progressBoard } from '../terminal.ts';
import { trialTable } from './trial-words.ts';
import { StudyView } from './view.ts';

export interface WatchFlags {
  readonly json?: boolean | undefined;
  readonly cursor?: string | undefined;
  /** Arguments with which to come back, for the message after Ctrl-C. */
  readonly connection: readonly string[];
}

/**
 * Shows progress on standard error and a table of the trials on standard output; with `json` every event as a line of JSON
 * there instead.
 * @throws CommandError unless the study COMPLETED
 */
export async function watchStudy(study: Study, flags: WatchFlags): Promise<void> {
  const signal = interruption();
  try {
    if (flags.json) await events(study, flags, signal);
    else await progress(study, flags, signal);
  } catch (error) {
    if (!(error instanceof GlocalError && signal.aborted)) throw error;
    const command = (verb: string) => commandOf('study', verb, shortName(study.name), ...flags.connection);
    const state = study.state === 'PAUSED' ? `stays PAUSED until \`${command('resume')}\`` : 'goes on';
    throw new CommandError(`${study.name} ${state}; to come back: ${command('watch')}`, INTERRUPTED);
  }
  if (study.state !== 'COMPLETED') {
    throw new CommandError(`${study.name} is ${study.state}: ${study.stateReason}`, FAILED);
  }
}

async function events(study: Study, { cursor }: WatchFlags, signal: AbortSignal): Promise<void> {
  for await (const event of study.watch({ cursor, signal })) process.stdout.write(`${toJson(event)}\n`);
}

async function progress(study: Study, { cursor }: WatchFlags, signal: AbortSignal): Promise<void> {
  const board = progressBoard();
  const view = new StudyView(study, await trialsOf(study, signal), board);
  const onDisconnect = (error: GlocalError) => board.note(`connection lost, trying again: ${error.message}`);
  try {
    for await (const event of study.watch({ cursor, signal, onDisconnect })) view.show(event);
  } finally {
    board.stop();
  }
  // Verdicts of what came before a cursor were not seen.
  const verdicts = cursor === undefined ? view.verdicts : undefined;
  process.stdout.write(`\n${trialTable(await trialsOf(study, signal), verdicts)}\n`);
}

async function trialsOf(study: Study, signal: AbortSignal): Promise<Trial[]> {
  return Array.fromAsync(study.trials({ signal }));
}
