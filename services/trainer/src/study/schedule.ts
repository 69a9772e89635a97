/** The trajectory of a trial's hyperparameters, from its stored outer steps. */

import type { OuterStep, ParameterValue, Study, Trial } from '@glocal/proto/glocal/v1/study';
import type { SchedulePoint } from '@glocal/proto/glocal/v1/study_service';
import { type PageLimits, PageRoom } from '../resource/page-room.ts';
import { initialValues } from '../resource/values.ts';
import type { Store } from '../store/store.ts';

/** Outer steps that are read at a time, and their bytes. */
const READ = 100;
const READ_BYTES = 1024 * 1024;

/** Which points of a schedule to give. */
export interface ScheduleRequest extends PageLimits {
  /** Index of the outer step that the last point of the page before came from, 0 for the start; absent for the first page. */
  readonly after?: number | undefined;
}

/** Some points of a schedule. */
export interface SchedulePage {
  /** Names of the values. */
  readonly parameters: string[];
  readonly points: SchedulePoint[];
  /** Where the next page goes on; undefined on the last one. */
  readonly next: number | undefined;
}

/** A point that holds unless the outer step after it was rolled back. */
interface Candidate {
  readonly index: number;
  readonly point: SchedulePoint;
}

/**
 * A page of the schedule: one column for each value, and a row for each time that they changed.
 *
 * Steps never go backwards from one outer step to the next: an outer step ends further on, or, rolled back, where the one
 * before it ended, and then the values of that one have not been trained with. So a point holds when the next outer step
 * ended beyond it, and no page needs more than the outer steps of its own points and one more.
 */
export async function exportSchedule(
  store: Pick<Store, 'listOuterSteps'>,
  study: Pick<Study, 'space'>,
  { name: trial }: Pick<Trial, 'name'>,
  { after, limit, maxBytes }: ScheduleRequest,
): Promise<SchedulePage> {
  const [first] = (await store.listOuterSteps(trial, { limit: 1 })).records;
  // As they were written; the entries of vectors are known once the first step has been stored.
  const start = initialValues(study.space ?? { parameters: [] }).map((initial, i) => {
    const written = first?.values[i];
    return written !== undefined && written.values.length > 0 ? written : initial;
  });
  const parameters = start.flatMap((value) => columns(value, first));
  const room = new PageRoom({ limit, maxBytes: maxBytes - bytesOfNames(parameters) });
  const points: SchedulePoint[] = [];
  let candidate: Candidate | undefined =
    after === undefined ? { index: 0, point: { step: 0, values: start.flatMap(numbers) } } : undefined;
  let last = after ?? 0;
  for await (const { index, step, nextValues } of stepsAfter(store, trial, last)) {
    if (candidate !== undefined && step > candidate.point.step) {
      if (!room.take(bytesOf(candidate.point))) return { parameters, points, next: last };
      points.push(candidate.point);
      last = candidate.index;
    }
    candidate = { index, point: { step, values: nextValues.flatMap(numbers) } };
  }
  if (candidate !== undefined) {
    if (!room.take(bytesOf(candidate.point))) return { parameters, points, next: last };
    points.push(candidate.point);
  }
  return { parameters, points, next: undefined };
}

async function* stepsAfter(
  store: Pick<Store, 'listOuterSteps'>,
  trial: string,
  after: number,
): AsyncGenerator<OuterStep> {
  let last = after;
  for (;;) {
    const page = await store.listOuterSteps(trial, { after: last, limit: READ, maxBytes: READ_BYTES });
    yield* page.records;
    if (!page.more) return;
    last = page.records.at(-1)?.index ?? last;
  }
}

const numbers = ({ value, values }: ParameterValue): readonly number[] =>
  values.length > 0 ? values : [value];

/** Of an encoded point: 8 bytes for each value, and some for tags, lengths and step. */
const bytesOf = ({ values }: SchedulePoint): number => 8 * values.length + 24;

const bytesOfNames = (names: readonly string[]): number =>
  names.reduce((sum, name) => sum + Buffer.byteLength(name) + 4, 0);

/** Names of a hyperparameter's values, as the window's components have them where it moves. */
function columns({ name, values }: ParameterValue, step: OuterStep | undefined): string[] {
  if (values.length === 0) return [name];
  const components = step?.window?.components.filter((component) => component.startsWith(`${name}/`)) ?? [];
  return components.length === values.length ? components : values.map((_, i) => `${name}/${i}`);
}
