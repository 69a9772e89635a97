/** `glocal study pause`, `resume`, `cancel` and `delete`. */

import type { ResumePoint } from '@glocal/sdk';
import { type Command, InvalidArgumentError } from 'commander';
import { toTrial } from '../names.ts';
import { print } from '../output.ts';
import { type OnlineFlags, online, withStudy } from './online.ts';

/** @param flags of the example, after the study. */
const steering = (name: string, description: string, flags = ''): Command =>
  online(name, description, `glocal study ${name} STUDY${flags}`).argument(
    '<study>',
    'its name, with or without studies/',
  );

export const pause = (): Command =>
  steering('pause', 'stops its trials at their next outer step; they keep a checkpoint').action(
    (name: string, flags: OnlineFlags) =>
      withStudy(name, flags, async (study) => {
        await study.pause();
        print(flags.json, study, () => `${study.name} is ${study.state}`);
      }),
  );

export const resume = (): Command =>
  steering('resume', 'goes on with a paused study, or with some of its trials', ' --trial 2@5')
    .option(
      '--trial <n[@step]>',
      'a trial that is paused or has failed, by its position or name; with @ from that outer step, of which it keeps a ' +
        'checkpoint; may be repeated',
      toResumePoint,
    )
    .action((name: string, flags: OnlineFlags & { readonly trial?: readonly ResumePoint[] }) =>
      withStudy(name, flags, async (study) => {
        await study.resume({ trials: flags.trial });
        print(flags.json, study, () => `${study.name} is ${study.state}`);
      }),
    );

export const cancel = (): Command =>
  steering('cancel', 'ends a study and its trials now').action((name: string, flags: OnlineFlags) =>
    withStudy(name, flags, async (study) => {
      await study.cancel();
      print(flags.json, study, () => `${study.name} is ${study.state}`);
    }),
  );

export const deleteStudy = (): Command =>
  steering('delete', 'removes a study with all that belongs to it', ' --force')
    .option('--force', 'also one that has not ended')
    .action((name: string, flags: OnlineFlags & { readonly force?: boolean }) =>
      withStudy(name, flags, async (study) => {
        await study.delete({ force: flags.force });
        print(flags.json, { name: study.name, deleted: true }, () => `${study.name} is deleted`);
      }),
    );

function toResumePoint(text: string, before: readonly ResumePoint[] = []): ResumePoint[] {
  const [trial = '', outerStep, ...more] = text.split('@');
  if (trial === '' || more.length > 0 || !/^\d*$/.test(outerStep ?? '')) {
    throw new InvalidArgumentError('It must be a trial, like 0, or a trial and an outer step, like 0@12.');
  }
  return [...before, { trial: toTrial(trial), ...(outerStep && { outerStep: Number(outerStep) }) }];
}
