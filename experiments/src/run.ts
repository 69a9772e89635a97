/** Runs the arms of an experiment; what has been run with the same settings is taken as it is. */

import { createHash } from 'node:crypto';
import type { GlocalClient, ParameterMap, Study, StudySpec } from '@glocal/sdk';
import type { Arm } from './experiment.ts';
import { type Finished, finish, isOutcome } from './outcome.ts';

/** A study did not come to its end; the message says why. */
export class ArmError extends Error {
  override readonly name = 'ArmError';
}

/** There are no such rows; the message names those that there are. */
export class NoRowError extends Error {
  override readonly name = 'NoRowError';
}

/**
 * The rows that have a text in their ids.
 * @throws NoRowError when none has.
 */
export function armsNamed<Row extends Pick<Arm, 'id'>>(arms: readonly Row[], text: string): readonly Row[] {
  const named = arms.filter(({ id }) => id.includes(text));
  if (named.length > 0 || text === '') return named;
  const rows = arms.map(({ id }) => `  ${id}`).join('\n');
  throw new NoRowError(`no row has ${JSON.stringify(text)} in its name; the rows are\n${rows}`);
}

/** An arm with the study that it is. */
export interface Started {
  readonly arm: Arm;
  readonly study: Study<ParameterMap>;
}

/** Creates all studies, or finds those of an earlier run. */
export async function startArms(
  client: Pick<GlocalClient, 'studies'>,
  arms: readonly Arm[],
  seeds: number,
  signal: AbortSignal,
): Promise<Started[]> {
  const started: Started[] = [];
  for (const arm of arms) started.push({ arm, study: await startOrFind(client, arm, seeds, signal) });
  return started;
}

/**
 * An earlier run with the same store was asked for more: what this one does not want would be in its way.
 * @param later what studies are called that it will want.
 */
export async function cancelOthers(
  client: Pick<GlocalClient, 'studies'>,
  started: readonly Started[],
  later: readonly string[],
): Promise<void> {
  const wanted = new Set(started.map(({ study }) => study.name));
  const called = new Set(later.map(titleOf));
  for await (const other of client.studies.list({ states: ['ACTIVE'] })) {
    if (!wanted.has(other.name) && !called.has(other.displayName)) await other.cancel();
  }
}

/** What a study is called. */
const titleOf = (training: string): string => training.slice(0, 200);

/**
 * Yields each arm in turn as it ends.
 * @throws ArmError when somebody has cancelled it; GlocalError CANCELLED after the signal.
 */
export async function* finishArms(
  started: readonly Started[],
  signal: AbortSignal,
): AsyncGenerator<Finished> {
  for (const { arm, study } of started) {
    const { trials } = await study.result({ signal, schedules: false });
    const cancelled = trials.find(({ state }) => state === 'CANCELLED');
    if (cancelled !== undefined) throw new ArmError(`${arm.id}: ${cancelled.stateReason}`);
    yield finish(arm, study, trials);
  }
}

/** The settings of an arm with its seeds. */
export function specOf(
  { spec, id, training = id, seeds: enough }: Arm,
  seeds: number,
): StudySpec<ParameterMap> {
  const seedsOfArm = Array.from({ length: Math.min(seeds, enough ?? seeds) }, (_, seed) => seed);
  return { ...spec, displayName: titleOf(training), training: { ...spec.training, seeds: seedsOfArm } };
}

/** The same settings are the same request, whose study is found again; one that failed or was cancelled is made anew. */
async function startOrFind(
  { studies }: Pick<GlocalClient, 'studies'>,
  arm: Arm,
  seeds: number,
  signal: AbortSignal,
): Promise<Study<ParameterMap>> {
  const spec = specOf(arm, seeds);
  const digest = createHash('sha256').update(JSON.stringify(spec)).digest('hex');
  for (let attempt = 1; ; attempt++) {
    const requestId = attempt === 1 ? digest : `${digest}-${attempt}`;
    const study = await studies.create(spec, { requestId, signal });
    if (!study.ended || (await Array.fromAsync(study.trials({ signal }))).every(isOutcome)) return study;
  }
}
