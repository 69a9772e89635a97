/** The trajectory of a trial's hyperparameters, from its stored outer steps. */

import type { OuterStep, ParameterValue, Trial } from '@glocal/proto/glocal/v1/study';
import type { Schedule } from '@glocal/proto/glocal/v1/study_service';
import type { CompleteStudy } from '../resource/complete-study.ts';
import { initialValues } from '../resource/values.ts';
import type { Store } from '../store/store.ts';

/** One column for each value, and a row for each time that they changed. */
export async function exportSchedule(
  store: Store,
  { space }: Pick<CompleteStudy, 'space'>,
  trial: Trial,
): Promise<Schedule> {
  const limit = Math.max(1, trial.outerStepsDone);
  const { records: steps } = await store.listOuterSteps(trial.name, { limit });
  // As they were written; the entries of vectors are known once the first step has been stored.
  const start = initialValues(space).map((initial, i) => {
    const first = steps[0]?.values[i];
    return first !== undefined && first.values.length > 0 ? first : initial;
  });
  const points = [{ step: 0, values: start.flatMap(numbers) }];
  for (const { step, nextValues } of steps) {
    // After a roll back training goes on from an earlier step: what was planned from there on did not happen.
    while ((points.at(-1)?.step ?? -1) >= step) points.pop();
    points.push({ step, values: nextValues.flatMap(numbers) });
  }
  return { parameters: start.flatMap((value) => columns(value, steps[0])), points, nextPageToken: '' };
}

const numbers = ({ value, values }: ParameterValue): readonly number[] =>
  values.length > 0 ? values : [value];

/** Names of a hyperparameter's values, as the window's components have them where it moves. */
function columns({ name, values }: ParameterValue, step: OuterStep | undefined): string[] {
  if (values.length === 0) return [name];
  const components = step?.window?.components.filter((component) => component.startsWith(`${name}/`)) ?? [];
  return components.length === values.length ? components : values.map((_, i) => `${name}/${i}`);
}
