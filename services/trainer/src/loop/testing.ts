/** For tests of the outer loop: a learner and a DMD service that follow a script. */

import { DmdOptions, Verdict, WindowReport } from '@glocal/proto/glocal/v1/dmd';
import { type Estimator, Grouping, type Method, Scale, Study } from '@glocal/proto/glocal/v1/study';
import { DmdError, type DmdErrorKind } from '../dmd/errors.ts';
import { SearchPoint } from '../hyper/search-point.ts';
import { asComplete } from '../resource/complete-study.ts';
import { encodeRows } from '../resource/rows.ts';
import type { Learner } from './learner.ts';
import type { LoopParts } from './outer-loop.ts';

export const WINDOW = 4;
export const SIGMA = 2;

/** What training shows in its windows, one after the other, retried ones included. */
export interface Script {
  /** Of the two hypergradients of each window, or of both; 1 by default. */
  readonly hypergradients?: readonly number[];
  /** Before training, then after each window; falling by default. */
  readonly validation?: readonly number[];
  /** The same at the averaged weights; as at the last ones by default. */
  readonly averaged?: readonly number[];
  /** Verdict of each window, or null while the service is away; TRUSTED by default. */
  readonly verdicts?: readonly (Verdict | null)[];
  /** Why the service gives no report when it is away. */
  readonly missing?: DmdErrorKind;
  /** Whether hypergradients come at the end of their window, as in reverse mode. */
  readonly atEnd?: boolean;
  /** The hyperparameter that is learned, from .5 in [.01, 1]; the momentum by default. */
  readonly learns?: 'lr' | 'momentum';
}

/** What the learner was asked for. */
export interface Observed {
  readonly askedAt: number[];
  readonly restored: number[];
  readonly points: number[];
  /** After how many steps each plain step came. */
  readonly plainAt: number[];
}

/**
 * The parts of a trial of as many steps as `windows` windows have, which lie side by side unless the method says otherwise.
 * @param after windows of the script that were trained before: for a loop that is resumed.
 */
export function scriptedParts(
  estimator: Estimator,
  windows: number,
  script: Script = {},
  method: Partial<Method> = {},
  after = 0,
): { readonly parts: LoopParts; readonly observed: Observed } {
  let started = after;
  let steps = 0;
  let asked = 0;
  const observed: Observed = { askedAt: [], restored: [], points: [], plainAt: [] };
  const row = () => Float64Array.of(script.hypergradients?.[started - 1] ?? 1);
  const learner: Learner = {
    startWindow(point) {
      started += 1;
      observed.points.push(point[0] ?? Number.NaN);
    },
    plainStep() {
      observed.plainAt.push(steps);
      steps += 1;
    },
    step() {
      steps += 1;
    },
    hypergradient() {
      observed.askedAt.push(steps);
      asked += 1;
      return script.atEnd ? undefined : row();
    },
    endWindow() {
      const rows = Array.from({ length: script.atEnd ? asked : 0 }, row);
      asked = 0;
      return rows;
    },
    takeTrainLoss: () => 1,
    evaluate: (_, at) => {
      const losses = (at === 'averaged' && script.averaged) || script.validation;
      return { loss: losses?.[started] ?? 10 - started, accuracy: 0.5, examples: 10 };
    },
    snapshot: () => ({ state: steps }),
    restore({ state }) {
      steps = state as number;
      observed.restored.push(steps);
    },
  };
  const space = {
    parameters: [
      {
        name: script.learns ?? 'momentum',
        kind: {
          $case: 'float' as const,
          value: {
            min: 0.01,
            max: 1,
            initial: 0.5,
            scale: Scale.LINEAR,
            grouping: Grouping.NONE,
            initials: [],
            size: 0,
          },
        },
      },
    ],
  };
  const study = asComplete(
    Study.fromPartial({
      space,
      problem: {},
      training: { steps: windows * WINDOW, seeds: [0] },
      method: {
        estimator,
        window: WINDOW,
        interval: WINDOW,
        warmupWindows: 1,
        warmupWindowSteps: method.window ?? WINDOW,
        sigma: SIGMA,
        stride: 1,
        dmd: DmdOptions.create({ delays: 1 }),
        outer: { rate: 0.1, beta1: 0, beta2: 0, epsilon: 1e-12 },
        ...method,
      },
    }),
  );
  const dmd: LoopParts['dmd'] = {
    openWindow: () => ({
      push() {},
      abandon() {},
      async report() {
        const verdict = script.verdicts?.[started - 1] ?? Verdict.TRUSTED;
        if (script.verdicts?.[started - 1] === null) {
          throw new DmdError('DMD service: no report', script.missing ?? 'away');
        }
        return WindowReport.fromPartial({
          verdict,
          verdictReason: 'because',
          glocal: encodeRows([Float64Array.of(-1)]),
          componentTrusted: [true],
        });
      },
    }),
  };
  const parts: LoopParts = {
    study,
    trial: 'studies/a/trials/0',
    space: new SearchPoint(space, { layers: [], classes: 2, initialNetwork: () => [] }),
    differentiation: undefined,
    learner,
    dmd,
    progress() {},
  };
  return { parts, observed };
}
