/** The values of a hyperparameter that follows a schedule, at an inner step. */

import type {
  CooldownSchedule,
  CosineSchedule,
  PointsSchedule,
  ScheduledParameter,
  ScheduleKnot,
} from '@glocal/proto/glocal/v1/study';

/**
 * @param schedule complete: without a trial to be replayed.
 * @param step inner steps done before it, from 0 on; `steps` for the value after the last one.
 * @param steps inner steps of the training.
 * @returns those of a vector where its points have them, and one value else
 * @throws TypeError when there is no such schedule.
 */
export function scheduledValues({ schedule }: ScheduledParameter, step: number, steps: number): number[] {
  switch (schedule?.$case) {
    case 'points':
      return throughPoints(schedule.value, step);
    case 'cosine':
      return [alongCosine(schedule.value, step, steps)];
    case 'cooldown':
      return [coolingDown(schedule.value, step, steps)];
    default:
      throw new TypeError('there is no schedule that could be followed; the study was not completed');
  }
}

/** Whether its points have a value for each component of a vector. */
export const hasValues = ({ schedule }: ScheduledParameter): boolean =>
  schedule?.$case === 'points' && schedule.value.points.some(({ values }) => values.length > 0);

function throughPoints({ points }: PointsSchedule, step: number): number[] {
  const next = points.findIndex((point) => point.step > step);
  const before = points[next === -1 ? points.length - 1 : next - 1];
  const after = next === -1 ? undefined : points[next];
  if (before === undefined || after === undefined) return valuesAt(before ?? after);
  const ends = valuesAt(after);
  return valuesAt(before).map((value, i) => {
    const end = ends[i] ?? Number.NaN;
    return value + ((end - value) * (step - before.step)) / (after.step - before.step);
  });
}

/** Of a point: as many as it has. */
const valuesAt = ({ value = Number.NaN, values = [] }: Partial<ScheduleKnot> = {}): number[] =>
  values.length > 0 ? [...values] : [value];

function alongCosine({ peak, final, warmupSteps }: CosineSchedule, step: number, steps: number): number {
  if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps;
  const done = (step - warmupSteps) / (steps - warmupSteps);
  return final + ((peak - final) * (1 + Math.cos(Math.PI * done))) / 2;
}

function coolingDown(
  { value, cooldownSteps, warmupSteps }: CooldownSchedule,
  step: number,
  steps: number,
): number {
  if (step < warmupSteps) return (value * (step + 1)) / warmupSteps;
  const fallen = step - (steps - cooldownSteps);
  return fallen <= 0 ? value : value * (1 - Math.sqrt(fallen / cooldownSteps));
}
