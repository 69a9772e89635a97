/** Schedules of other trials that a study is to follow, read before the study is checked. */

import {
  Grouping,
  type Parameter,
  type ScheduleKnot,
  type Study,
  TrialState,
} from '@glocal/proto/glocal/v1/study';
import type { Caller, SchedulePoint } from '@glocal/proto/glocal/v1/study_service';
import { mayKnow } from '../resource/caller.ts';
import { isTrialName, studyOf } from '../resource/names.ts';
import { quote } from '../resource/quote.ts';
import type { Store } from '../store/store.ts';
import { pathOf } from './conditions.ts';
import { exportSchedule } from './schedule.ts';
import { MAX_POINTS } from './specification/scheduled.ts';
import { MAX_COMPONENTS } from './specification/size.ts';
import { studyOfTrial } from './trial-study.ts';

const PAGE_BYTES = 1024 * 1024;

/** What came of reading one: its points and what their values are for, or what is wrong with a field of the request for it. */
export type Replayed =
  | { readonly points: readonly ScheduleKnot[]; readonly grouping: Grouping }
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
  if (kind.$case === 'network') {
    return ofParameter(`${parameter} of ${name} is a network, whose weights follow no schedule`);
  }
  const changes = await changesOf(store, seen, { trial: name, parameter, steps });
  const knots = changes && knotsOf(changes, steps);
  return knots && hasRoom(knots)
    ? { points: knots, grouping: groupingOf(kind) }
    : ofTrial(
        `${name} has moved ${parameter} so often that its schedule takes more than ${MAX_POINTS} points, or ${MAX_COMPONENTS} values`,
      );
}

const groupingOf = (kind: NonNullable<Parameter['kind']>): Grouping =>
  // Those of studies that were stored before vectors could be fixed have none.
  ((kind.$case === 'float' || kind.$case === 'fixed') && kind.value.grouping) || Grouping.NONE;

/** Whether a schedule may have these points. */
const hasRoom = ({ length, 0: first }: readonly ScheduleKnot[]): boolean =>
  length <= MAX_POINTS && length * (first?.values.length ?? 0) <= MAX_COMPONENTS;

/** When values took effect that differ from those before. Undefined where they are more than a schedule has room for. */
async function changesOf(
  store: ReplayStore,
  study: Study,
  { trial: name, parameter, steps }: Wanted,
): Promise<ScheduleKnot[] | undefined> {
  const changes: ScheduleKnot[] = [];
  let after: number | undefined;
  do {
    const page = await exportSchedule(
      store,
      study,
      { name },
      { after, limit: MAX_POINTS, maxBytes: PAGE_BYTES },
    );
    for (const point of page.points) {
      const knot = knotAt(point, page.parameters, parameter);
      if (point.step >= steps) return changes;
      if (!isSame(knot, changes.at(-1))) changes.push(knot);
      if (!hasRoom(changes)) return undefined;
    }
    after = page.next;
  } while (after !== undefined);
  return changes;
}

/** The columns of one hyperparameter: one with its name, or those of a vector with `/` and what each is for. */
function knotAt(
  { step, values }: SchedulePoint,
  columns: readonly string[],
  parameter: string,
): ScheduleKnot {
  const single = columns.indexOf(parameter);
  if (single !== -1) return { step, value: values[single] ?? Number.NaN, values: [] };
  const own = values.filter((_, column) => columns[column]?.startsWith(`${parameter}/`));
  return { step, value: 0, values: own };
}

const isSame = (one: ScheduleKnot, other: ScheduleKnot | undefined): boolean =>
  one.value === other?.value && one.values.every((value, i) => value === other.values[i]);

/** Values that are constant from one point to the next as points that lines go through: the first and the last step of each. */
export function knotsOf(points: readonly ScheduleKnot[], steps: number): ScheduleKnot[] {
  const changes = points.filter((point, i) => point.step < steps && !isSame(point, points[i - 1]));
  return changes.flatMap((change, i) => {
    const next = changes[i + 1];
    // Constant after the last one anyway.
    return next === undefined || next.step - 1 === change.step
      ? [change]
      : [change, { ...change, step: next.step - 1 }];
  });
}
