/** `glocal study list` and `glocal study get`. */

import { type Study, type StudyState, space } from '@glocal/sdk';
import type { Command } from 'commander';
import { severalOf, shortName, toCount, toLabel } from '../names.ts';
import { print } from '../output.ts';
import { listing, table } from '../terminal.ts';
import { reasonWords, trialTable } from '../watch/trial-words.ts';
import { costWords, counted } from '../words.ts';
import { type OnlineFlags, online, withClient, withStudy } from './online.ts';

type State = Lowercase<Exclude<StudyState, 'UNKNOWN'>>;
const STATES: readonly State[] = ['active', 'paused', 'completed', 'cancelled', 'failed'];

interface ListFlags extends OnlineFlags {
  readonly state?: readonly State[];
  readonly label?: Readonly<Record<string, string>>;
  readonly limit: number;
}

export const list = (): Command =>
  online('list', 'studies, newest first', 'glocal study list --state active --limit 10')
    .addOption(severalOf('--state <state>', 'only studies in this state; may be repeated', STATES))
    .option('--label <key=value>', 'only studies with this label; may be repeated', toLabel)
    .option('--limit <n>', 'how many at most', toCount, 50)
    .action((flags: ListFlags) =>
      withClient(flags, async ({ studies }) => {
        const { state, label: labels, limit, json } = flags;
        const states = state?.map((name) => name.toUpperCase() as Uppercase<State>);
        const found: Study[] = [];
        for await (const study of studies.list({ states, labels })) {
          if (found.length >= limit) break;
          found.push(study);
        }
        print(json, found, () => (found.length === 0 ? 'no studies' : studyTable(found)));
      }),
    );

export const get = (): Command =>
  online('get', 'a study and its trials', 'glocal study get STUDY --json')
    .argument('<study>', 'its name, with or without studies/')
    .action((name: string, flags: OnlineFlags) =>
      withStudy(name, flags, async (study) => {
        const trials = await Array.fromAsync(study.trials());
        print(flags.json, { ...study, trials }, () =>
          [studyWords(study), String(space(study.space.parameters)), trialTable(trials), reasonWords(trials)]
            .filter(Boolean)
            .join('\n\n'),
        );
      }),
    );

const studyTable = (studies: readonly Study[]): string =>
  table(
    ['study', 'state', 'created', 'name', 'labels'],
    studies.map(({ name, state, createTime, displayName, labels }) => [
      shortName(name),
      state,
      timeWords(createTime),
      displayName,
      labelWords(labels),
    ]),
    { left: 5 },
  );

/** What a study is, one thing a line. */
export function studyWords(study: Study): string {
  const { problem, training, method, labels, mode, owner } = study;
  const { steps, seeds = [] } = training;
  const windows = `${method.window} steps${method.interval === method.window ? '' : `, one every ${method.interval}`}`;
  const lines: [string, string][] = [
    ['study', study.name],
    ['name', study.displayName],
    ['labels', labelWords(labels)],
    ['owner', owner],
    ['state', [study.state, study.stateReason].filter(Boolean).join(': ')],
    ['mode', mode],
    [
      'problem',
      [problem.dataset, problem.model, problem.optimizer, problem.module].filter(Boolean).join(' · '),
    ],
    [
      'training',
      [`${steps} steps`, counted(seeds.length, 'seed'), costWords(study)].filter(Boolean).join(', '),
    ],
    ['method', `${method.estimator}, windows of ${windows}`],
    ['created', timeWords(study.createTime)],
  ];
  return listing(lines.filter(([, value]) => value !== ''));
}

const labelWords = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([key, value]) => (value === '' ? key : `${key}=${value}`))
    .join(' ');

/** In the time zone of whoever reads it. */
const timeWords = (time: Date): string => time.toLocaleString('sv');
