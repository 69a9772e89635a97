/** Schedules of other trials that a study is to follow, read before the study is checked. */

import { type ScheduleKnot, type Study, TrialState } from '@glocal/proto/glocal/v1/study';
import type { Caller, SchedulePoint } from '@glocal/proto/glocal/v1/study_service';
import { mayKnow } from '../resource/caller.ts';
import { isTrialName, studyOf } from '../resource/names.ts';
import { quote } from '../resource/quote.ts';
import type { Store } from '../store/store.ts';
import { pathOf } from './conditions.ts';
import { exportSchedule } from './schedule.ts';
import { MAX_POINTS } from './specification/scheduled.ts';
import { studyOfTrial } from './trial-study.ts';

const PAGE_BYTES = 1024 * 1024;

/** What came of reading one: its points, or what is wrong with a field of the request for it. */
export type Replayed =
  | { readonly points: readonly ScheduleKnot[] }
  | { readonly refused: string; readonly field: 'trial' | 'parameter' };

/** By what messages call the parameters that are to follow them. */
export type Replays = ReadonlyMap<string, Replayed>;

type ReplayStore = Pick<Store, 'getStudy' | 'getTrial' | 'listOuterSteps'>;

/** What belongs to somebody else is refused as if it were not there. */
export async function readReplays(
  { space, training }: Study,
  store: ReplayStore,
  caller: Readonly<Caller>,
): Promise<Replays> {
  const replays = new Map<string, Replayed>();
  const parameters = space?.parameters ?? [];
  for (const one of parameters) {
    const { name, kind } = one;
    if (kind?.$case !== 'scheduled' || kind.value.schedule?.$case !== 'replay') continue;
    const { trial, parameter } = kind.value.schedule.value;
    const wanted = { trial, parameter: parameter || name, steps: training?.steps ?? 0 };
    replays.set(pathOf(one, parameters), await readReplay(wanted, store, caller));
  }
  return replays;
}

interface Wanted {
  readonly trial: string;
  readonly parameter: string;
  readonly steps: number;
}

async function readReplay(
  { trial: name, parameter, steps }: Wanted,
  store: ReplayStore,
  caller: Readonly<Caller>,
): Promise<Replayed> {
  const ofTrial = (refused: string): Replayed => ({ refused, field: 'trial' });
  if (!isTrialName(name)) return ofTrial(`${quote(name)} is not of the form studies/{study}/trials/{trial}`);
  const study = await store.getStudy(studyOf(name));
  const trial = await store.getTrial(name);
  if (!study || !trial || !mayKnow(caller, study.owner)) return ofTrial(`there is no ${quote(name)}`);
  if (trial.state !== TrialState.SUCCEEDED) return ofTrial(`${name} has not SUCCEEDED`);
  if (trial.stepsDone < steps) {
    return ofTrial(`${name} has ${trial.stepsDone} inner steps, fewer than training.steps = ${steps}`);
  }
  const ofParameter = (refused: string): Replayed => ({ refused, field: 'parameter' });
  const seen = studyOfTrial(study, trial);
  const kind = seen.space?.parameters.find((each) => each.name === parameter)?.kind;
  if (kind === undefined) return ofParameter(`${name} has no hyperparameter ${quote(parameter)}`);
  if (kind.$case === 'scheduled') {
    return ofParameter(`${parameter} of ${name} follows a schedule itself; give the same one`);
  }
  const points = await pointsOf(store, seen, name, parameter);
  if (points === undefined)
    return ofParameter(`${parameter} of ${name} is a vector, and a schedule is of one value`);
  const knots = knotsOf(points, steps);
  return knots.length <= MAX_POINTS
    ? { points: knots }
    : ofTrial(
        `${name} has moved ${parameter} so often that its schedule takes more than ${MAX_POINTS} points`,
      );
}

/** When a value took effect. Undefined where there is no single one. */
async function pointsOf(
  store: ReplayStore,
  study: Study,
  name: string,
  parameter: string,
): Promise<ScheduleKnot[] | undefined> {
  const points: ScheduleKnot[] = [];
  let after: number | undefined;
  do {
    const page = await exportSchedule(
      store,
      study,
      { name },
      { after, limit: MAX_POINTS, maxBytes: PAGE_BYTES },
    );
    const column = page.parameters.indexOf(parameter);
    if (column === -1) return undefined;
    points.push(
      ...page.points.map(({ step, values }: SchedulePoint) => ({
        step,
        value: values[column] ?? Number.NaN,
      })),
    );
    after = page.next;
  } while (after !== undefined);
  return points;
}

/** Values that are constant from one point to the next as points that lines go through: the first and the last step of each. */
export function knotsOf(points: readonly ScheduleKnot[], steps: number): ScheduleKnot[] {
  const changes = points.filter(({ step, value }, i) => step < steps && value !== points[i - 1]?.value);
  return changes.flatMap(({ step, value }, i) => {
    const next = changes[i + 1];
    // Constant after the last one anyway.
    return next === undefined || next.step - 1 === step
      ? [{ step, value }]
      : [
          { step, value },
          { step: next.step - 1, value },
        ];
  });
}
