/** Work for a fleet while it is disturbed, and an account of it. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { GlocalClient, Study } from '@glocal/sdk';
import type { Finding } from '../../faults/finding.ts';
import { accountFor, type EndedTrial, type Told } from '../../scale/account.ts';
import { endedTrials } from '../../scale/ended.ts';
import { type ScaleSpace, scaleStudy } from '../../scale/study.ts';
import { Watching } from '../../scale/watching.ts';

/** Trials of a study, and the outer steps of each: longer than a worker needs to be there again. */
export const SEEDS = 3;
export const OUTER_STEPS = 20;
/** Studies that have not ended, while the fleet is disturbed. */
const AT_ONCE = 2;
const LOOK_MS = 200;

interface Given {
  readonly study: Study<ScaleSpace>;
  readonly told: Promise<Told>;
  ended: boolean;
}

export interface Account {
  readonly trials: number;
  readonly outerSteps: number;
  /** Times that a trial was begun or gone on with. */
  readonly attempts: number;
  readonly findings: readonly Finding[];
}

/** Keeps a fleet at work while `disturb` runs, and waits for the rest. @param expected trials that nobody disturbed, by seed. */
export async function workWhile(
  client: GlocalClient,
  expected: ReadonlyMap<number, EndedTrial>,
  disturb: () => Promise<void>,
): Promise<Account> {
  const given: Given[] = [];
  const watching = new Watching();
  const never = new AbortController();
  let disturbing = true;
  const give = async () => {
    const study = await client.studies.create(scaleStudy(SEEDS, OUTER_STEPS));
    const told = watching.watch(study, never.signal);
    const one: Given = { study, told, ended: false };
    const done = () => {
      one.ended = true;
    };
    void told.then(done, done);
    given.push(one);
  };
  const disturbed = disturb().finally(() => {
    disturbing = false;
  });
  disturbed.catch(() => {});
  while (disturbing) {
    if (given.filter(({ ended }) => !ended).length < AT_ONCE) await give();
    else await sleep(LOOK_MS);
  }
  await disturbed;
  const findings: Finding[] = [];
  let [trials, outerSteps, attempts] = [0, 0, 0];
  for (const { study, told } of given) {
    const heard = await told;
    const ended = await endedTrials(study);
    findings.push(...accountFor(study.name, SEEDS, ended, heard, expected));
    trials += ended.length;
    outerSteps += ended.reduce((sum, { steps }) => sum + steps.length, 0);
    for await (const trial of study.trials()) attempts += trial.attempts;
  }
  return { trials, outerSteps, attempts, findings };
}
