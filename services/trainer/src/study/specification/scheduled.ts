/** A hyperparameter that follows a schedule. */

import {
  type CooldownSchedule,
  type CosineSchedule,
  Estimator,
  Grouping,
  type PointsSchedule,
  type ScheduledParameter,
} from '@glocal/proto/glocal/v1/study';
import type { HyperparameterInfo } from '@glocal/proto/glocal/v1/study_service';
import type { Replayed } from '../replays.ts';
import type { Checker } from './checker.ts';
import { cooldownSteps as defaultCooldown } from './defaults.ts';
import { inDomain } from './domain.ts';
import { finiteNumber } from './float.ts';

/** Points that a schedule may have. */
export const MAX_POINTS = 10_000;

const INT32_MAX = 2 ** 31 - 1;

/** What a schedule is checked against. */
export interface ScheduleContext {
  readonly infos: readonly HyperparameterInfo[];
  readonly estimator: Estimator;
  /** Inner steps of the training, as they were asked for. */
  readonly steps: number;
  /** What came of reading the trial that is to be replayed. */
  readonly replayed: Replayed | undefined;
}

/** @returns the schedule with its defaults; a replay as points. */
export function completeScheduled(
  { schedule }: ScheduledParameter,
  path: string,
  context: ScheduleContext,
  check: Checker,
): ScheduledParameter {
  const { infos, estimator, replayed } = context;
  check.require(estimator === Estimator.FIXED, path, 'follows a schedule, which goes with FIXED only');
  const isVector = infos.some(({ groupings, size }) => size || !groupings.includes(Grouping.NONE));
  check.require(!isVector, path, 'has several values, and a schedule is of one');
  const fields = new ScheduleFields(path, context, check);
  switch (schedule?.$case) {
    case 'points':
      return { schedule: { $case: 'points', value: fields.points(schedule.value) } };
    case 'cosine':
      return { schedule: { $case: 'cosine', value: fields.cosine(schedule.value) } };
    case 'cooldown':
      return { schedule: { $case: 'cooldown', value: fields.cooldown(schedule.value) } };
    case 'replay': {
      if (replayed === undefined || 'refused' in replayed) {
        const { field = 'trial', refused = 'cannot be read here' } = replayed ?? {};
        check.require(false, `${path}.replay.${field}`, refused);
        return { schedule };
      }
      const fits = replayed.points.every(({ value }) => fields.number(value, 'replay'));
      return { schedule: fits ? { $case: 'points', value: { points: [...replayed.points] } } : schedule };
    }
    default:
      check.require(false, path, 'has no schedule; give points, cosine, cooldown or replay');
      return { schedule };
  }
}

/** Checks the fields of schedules. */
class ScheduleFields {
  readonly #path: string;
  readonly #infos: readonly HyperparameterInfo[];
  /** As many as there can be while they are not known. */
  readonly #steps: number;
  readonly #check: Checker;

  constructor(path: string, { infos, steps }: ScheduleContext, check: Checker) {
    this.#path = path;
    this.#infos = infos;
    this.#steps = steps >= 1 ? steps : INT32_MAX;
    this.#check = check;
  }

  /** Records a value that is not finite or outside the domain; tells whether it is neither. */
  number(value: number, field: string): boolean {
    const path = `${this.#path}.${field}`;
    return finiteNumber(value, path, this.#check) && inDomain(value, path, this.#infos, this.#check);
  }

  points({ points }: PointsSchedule): PointsSchedule {
    const path = `${this.#path}.points.points`;
    const { length } = points;
    const fits = this.#check.require(
      length >= 1 && length <= MAX_POINTS,
      path,
      `${length} points are not from 1 to ${MAX_POINTS}`,
    );
    if (fits) {
      points.every(({ step, value }, i) => {
        const before = points[i - 1]?.step ?? -1;
        return (
          this.#check.whole(step, [0, this.#steps - 1], `${path}[${i}].step`, 'steps') &&
          this.#check.require(
            step > before,
            `${path}[${i}].step`,
            `${step} does not come after the step of the point before, ${before}`,
          ) &&
          this.number(value, `points.points[${i}].value`)
        );
      });
    }
    return { points };
  }

  cosine({ peak, final, warmupSteps }: CosineSchedule): CosineSchedule {
    this.number(peak, 'cosine.peak');
    this.number(final, 'cosine.final');
    this.#stepsIn(warmupSteps, this.#steps - 1, 'cosine.warmup_steps');
    return { peak, final, warmupSteps };
  }

  cooldown({ value, cooldownSteps: requested, warmupSteps }: CooldownSchedule): CooldownSchedule {
    const cooldownSteps = requested || defaultCooldown(this.#steps);
    this.number(value, 'cooldown.value');
    this.#stepsIn(cooldownSteps, this.#steps, 'cooldown.cooldown_steps');
    this.#stepsIn(warmupSteps, this.#steps - cooldownSteps, 'cooldown.warmup_steps');
    return { value, cooldownSteps, warmupSteps };
  }

  #stepsIn(steps: number, most: number, field: string): void {
    this.#check.whole(steps, [0, Math.max(0, most)], `${this.#path}.${field}`, 'steps');
  }
}
