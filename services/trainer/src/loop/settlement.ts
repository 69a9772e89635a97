/**
 * What comes of a window: of what the policy concludes about it, or of what a driver decides instead
 * (docs/method.md, section 7). Pure.
 */

import { type Decision, type SetValues, Source, type Update } from '@glocal/proto/glocal/v1/study';
import { RATE, type SearchPoint } from '../hyper/search-point.ts';
import { StateError } from '../resource/errors.ts';
import { numbersOf } from '../resource/rows.ts';
import type { OuterOptimizer } from './outer-optimizer.ts';
import type { Conclusion } from './policy.ts';
import { MOST_BY_SIZE, normalized, type Rows } from './window.ts';

/** Why no window follows. */
export interface Ending {
  readonly outcome: 'infeasible' | 'stopped';
  readonly reason: string;
}

export interface Settlement {
  /** As it is afterwards. */
  readonly optimizer: OuterOptimizer;
  /** Absent where there is nothing to learn from and nobody decides. */
  readonly update: Update | undefined;
  /** Whether the trial goes back to where the window started, and the window does not count. */
  readonly goesBack: boolean;
  readonly ending: Ending | undefined;
}

/** What a settlement is made from. */
export interface Unsettled {
  readonly space: SearchPoint;
  /** As it was during the window; it is not changed. */
  readonly optimizer: OuterOptimizer;
  /** The share of the outer rate that an update at the end of this window is made with. */
  readonly rateShare: number;
  readonly conclusion: Conclusion;
  /** Whether losses and hypergradients of the window are numbers: training can go on from its end. */
  readonly sound: boolean;
  /** Of the window, by whose size the optimizer gets a hypergradient; undefined where it gets it as it is. */
  readonly scaledBy: Rows | undefined;
}

/**
 * What the policy concludes, done.
 * @param rate of a driver: of this update, and from it on as the schedule goes on.
 */
export function settle(
  { space, optimizer: before, rateShare, conclusion, scaledBy }: Unsettled,
  rate?: number,
): Settlement {
  const optimizer = before.copy();
  if (rate !== undefined && conclusion.action !== 'rollBack') optimizer.setRate(rate, rateShare);
  const after = { optimizer, goesBack: false, ending: undefined };
  switch (conclusion.action) {
    case 'observe':
      return { ...after, update: undefined };
    case 'move':
      optimizer.move(
        scaledBy ? normalized(conclusion.hypergradient, scaledBy) : conclusion.hypergradient,
        rateShare,
      );
      return { ...after, update: updateOf(space, optimizer, rateShare, conclusion) };
    case 'hold': {
      optimizer.hold();
      const sources = space.components.map(() => Source.HELD);
      return { ...after, update: updateOf(space, optimizer, rateShare, { ...conclusion, sources }) };
    }
    case 'rollBack':
      optimizer.retry(rate);
      return {
        ...after,
        update: { ...updateOf(space, optimizer, optimizer.lastShare, conclusion), rolledBack: true },
        goesBack: true,
      };
    case 'easeRates': {
      const sources = loweredSources(space);
      const upwards = new Float64Array(sources.length).fill(MOST_BY_SIZE);
      optimizer.moveOnly((k) => sources[k] === Source.LOWERED, upwards, rateShare);
      const reason = `${conclusion.reason}; the learning rate is pushed down`;
      return { ...after, update: updateOf(space, optimizer, rateShare, { reason, sources }) };
    }
    case 'lowerRates': {
      const { goesBack } = conclusion;
      optimizer.moveTo(space.lowerRates(before.point) ?? before.point);
      const reason = `${conclusion.reason}; the learning rate is lowered`;
      const sources = goesBack ? [] : loweredSources(space);
      const update = updateOf(space, optimizer, rateShare, { reason, sources });
      return { ...after, update: { ...update, rolledBack: goesBack }, goesBack };
    }
    case 'giveUp': {
      const ending = { outcome: 'infeasible', reason: conclusion.reason } as const;
      return { ...after, update: updateOf(space, optimizer, rateShare, conclusion), ending };
    }
  }
}

/** Where components come from after the learning rates alone were lowered. */
const loweredSources = ({ learned }: SearchPoint): Source[] =>
  learned.map(({ name }) => (name === RATE ? Source.LOWERED : Source.HELD));

/**
 * What a driver decides, done, and noted in the update. A window that the policy would take back is taken back by setting
 * values and by stopping, too.
 * @param decision checked against the study (`drive/check.ts`).
 * @throws StateError when it holds at the end of a window from where training cannot go on.
 */
export function settleAs(decision: Decision, unsettled: Unsettled): Settlement {
  const { space, optimizer: before, rateShare, conclusion, sound } = unsettled;
  const { action, outerRate } = decision;
  const optimizer = before.copy();
  if (outerRate !== undefined) optimizer.setRate(outerRate, rateShare);
  const goesBack =
    conclusion.action === 'lowerRates'
      ? conclusion.goesBack
      : ['rollBack', 'giveUp'].includes(conclusion.action);
  const held = space.components.map(() => Source.HELD);
  const made = (sources: readonly Source[], reason: string, rolledBack: boolean): Update => ({
    ...updateOf(space, optimizer, rateShare, { reason, sources }),
    rolledBack,
    decision,
  });
  switch (action?.$case) {
    case 'accept': {
      const accepted = settle(unsettled, outerRate);
      const nothing = { reason: 'nothing moves by itself with FIXED', sources: held };
      const update = accepted.update ?? updateOf(space, accepted.optimizer, rateShare, nothing);
      return { ...accepted, update: { ...update, decision } };
    }
    case 'setValues': {
      const { point, sources } = pointWith(space, before.point, action.value);
      optimizer.moveTo(point);
      const update = made(sources, 'the driver set values', goesBack);
      return { optimizer, update, goesBack, ending: undefined };
    }
    case 'hold': {
      if (!sound) throw new StateError('a window whose figures are not finite cannot be held');
      optimizer.hold();
      return {
        optimizer,
        update: made(held, 'the driver held all values', false),
        goesBack: false,
        ending: undefined,
      };
    }
    case 'stop': {
      const said = action.value.reason;
      const ending = { outcome: 'stopped', reason: said } as const;
      const reason = `the driver stopped the trial${said && `: ${said}`}`;
      return { optimizer, update: made(held, reason, goesBack), goesBack, ending };
    }
    default:
      throw new TypeError(`the decision about outer step ${decision.outerStep} has no action`);
  }
}

/** The point with the values that a driver sets, and where each of its components comes from. */
function pointWith(
  space: SearchPoint,
  before: Float64Array,
  { values }: SetValues,
): { point: Float64Array; sources: Source[] } {
  const names = new Set(values.map(({ name }) => name));
  return {
    point: space.replace(before, values),
    sources: space.learned.map(({ name }) => (names.has(name) ? Source.DRIVER : Source.HELD)),
  };
}

function updateOf(
  { components }: SearchPoint,
  { rate, clipped }: OuterOptimizer,
  rateShare: number,
  made: {
    readonly reason: string;
    readonly hypergradient?: Float64Array;
    readonly sources?: readonly Source[];
    readonly fellBack?: boolean;
  },
): Update {
  return {
    hypergradient: made.hypergradient ? numbersOf(made.hypergradient) : [],
    sources: made.sources?.slice() ?? [],
    rate: rate * rateShare,
    reason: made.reason,
    rolledBack: false,
    clipped: clipped.map((k) => components[k] ?? ''),
    fellBack: made.fellBack ?? false,
    decision: undefined,
  };
}
