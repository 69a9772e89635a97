/** A hyperparameter that follows a schedule. */

import {
  type CooldownSchedule,
  type CosineSchedule,
  Estimator,
  Grouping,
  type PointsSchedule,
  type ScheduledParameter,
  type ScheduleKnot,
} from '@glocal/proto/glocal/v1/study';
import type { HyperparameterInfo } from '@glocal/proto/glocal/v1/study_service';
import type { Replayed } from '../replays.ts';
import type { Checker } from './checker.ts';
import { cooldownSteps as defaultCooldown } from './defaults.ts';
import { inDomain } from './domain.ts';
import { checkCount } from './fixed.ts';
import { completeGrouping, finiteNumber } from './float.ts';
import { MAX_COMPONENTS } from './size.ts';

/** Points that a schedule may have. */
export const MAX_POINTS = 10_000;

const INT32_MAX = 2 ** 31 - 1;

/** What a schedule is checked against. */
export interface ScheduleContext {
  readonly infos: readonly HyperparameterInfo[];
  readonly estimator: Estimator;
  /** Inner steps of the training, as they were asked for. */
  readonly steps: number;
  /** What came of reading the trial that is to be replayed; `unread` for a client, whose server reads it. */
  readonly replayed: Replayed | 'unread' | undefined;
}

/** Points as they were given, or read of another trial. */
type PointsGiven = Pick<PointsSchedule, 'grouping'> & { readonly points: readonly ScheduleKnot[] };

/** @returns the schedule with its defaults; a replay as points. */
export function completeScheduled(
  { schedule }: ScheduledParameter,
  path: string,
  context: ScheduleContext,
  check: Checker,
): ScheduledParameter {
  const { infos, estimator, replayed } = context;
  check.require(estimator === Estimator.FIXED, path, 'follows a schedule, which goes with FIXED only');
  const mayBeVector = schedule?.$case === 'points' || schedule?.$case === 'replay';
  const isVector = infos.some(({ groupings, size }) => size || !groupings.includes(Grouping.NONE));
  check.require(
    mayBeVector || schedule === undefined || !isVector,
    path,
    'has several values, which only points and a replay have',
  );
  const fields = new ScheduleFields(path, context, check);
  switch (schedule?.$case) {
    case 'points':
      return { schedule: { $case: 'points', value: fields.points(schedule.value, atPoints).points } };
    case 'cosine':
      return { schedule: { $case: 'cosine', value: fields.cosine(schedule.value) } };
    case 'cooldown':
      return { schedule: { $case: 'cooldown', value: fields.cooldown(schedule.value) } };
    case 'replay': {
      if (replayed === 'unread') return { schedule };
      if (replayed === undefined || 'refused' in replayed) {
        const { field = 'trial', refused = 'cannot be read here' } = replayed ?? {};
        check.require(false, `${path}.replay.${field}`, refused);
        return { schedule };
      }
      const { points, fits } = fields.points(replayed, () => 'replay');
      return { schedule: fits ? { $case: 'points', value: points } : schedule };
    }
    default:
      check.require(false, path, 'has no schedule; give points, cosine, cooldown or replay');
      return { schedule };
  }
}

/** What violations of points call a field of them. */
type Naming = (field: string) => string;

const atPoints: Naming = (field) => `points.${field}`;

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

  /** @returns them with their grouping, and whether they are as they may be. */
  points(
    { points, grouping: requested }: PointsGiven,
    naming: Naming,
  ): { readonly points: PointsSchedule; readonly fits: boolean } {
    const at = (field: string) => `${this.#path}.${naming(field)}`;
    const { length: found } = this.#check.violations;
    const grouping = completeGrouping(requested, at('grouping'), this.#infos, this.#check);
    const { length } = points;
    const count = points[0]?.values.length ?? 0;
    if (
      this.#check.require(
        length >= 1 && length <= MAX_POINTS,
        at('points'),
        `${length} points are not from 1 to ${MAX_POINTS}`,
      ) &&
      this.#check.require(
        length * count <= MAX_COMPONENTS,
        at('points'),
        `${length} points of ${count} values have more than ${MAX_COMPONENTS} in all`,
      ) &&
      this.#mayHave(count, grouping, at('points[0].values'))
    ) {
      points.every(({ step, value, values }, i) => {
        const before = points[i - 1]?.step ?? -1;
        return (
          this.#check.whole(step, [0, this.#steps - 1], at(`points[${i}].step`), 'steps') &&
          this.#check.require(
            step > before,
            at(`points[${i}].step`),
            `${step} does not come after the step of the point before, ${before}`,
          ) &&
          this.#check.require(
            values.length === count,
            at(`points[${i}].values`),
            `has ${values.length} values, and the first point ${count}`,
          ) &&
          this.#valuesAt({ value, values }, (field) => naming(`points[${i}].${field}`))
        );
      });
    }
    return { points: { points: [...points], grouping }, fits: this.#check.violations.length === found };
  }

  /** Whether points may have so many values; 0 where each has one value. */
  #mayHave(count: number, grouping: Grouping, field: string): boolean {
    const size = this.#infos[0]?.size ?? 0;
    if (size > 0) return checkCount(count, size, field, this.#check);
    return this.#check.require(
      count === 0 || grouping !== Grouping.NONE || this.#infos.length === 0,
      field,
      'are for a vector; say by grouping what each is for, or give one value',
    );
  }

  /** Records what is not finite or outside of the domain, and a value that is not used. */
  #valuesAt({ value, values }: Pick<ScheduleKnot, 'value' | 'values'>, naming: Naming): boolean {
    if (values.length === 0) return this.number(value, naming('value'));
    return (
      this.#check.require(
        value === 0,
        `${this.#path}.${naming('value')}`,
        `${value} is not used where values are given; leave it out`,
      ) && values.every((each, i) => this.number(each, naming(`values[${i}]`)))
    );
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
