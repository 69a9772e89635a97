/**
 * What runs while faults happen: studies that the service trains and decides about, that it trains only, and neither. The first
 * kind is paused now and then.
 */

import { Estimator, RunMode, Scale, Study } from '@glocal/proto/glocal/v1/study';
import { ACCEPT, type Choice, Driver, HOLD, setting } from '../support/driver.ts';
import { after, externalStudy, Reporter, rowsAt } from '../support/reporter.ts';
import { Patience } from './patience.ts';
import { type Attend, Workload } from './workload.ts';

const OUTER_STEPS = 12;
const WINDOW = 20;
const EXTERNAL_WINDOWS = 60;

/** A small network, two trials. */
function trained(mode: RunMode): Study {
  const float = (name: string, min: number, max: number, initial: number, scale: Scale) => ({
    name,
    kind: { $case: 'float' as const, value: { min, max, initial, scale } },
  });
  return Study.fromPartial({
    displayName: 'faults',
    mode,
    space: {
      parameters: [float('lr', 1e-3, 1, 0.02, Scale.LOG), float('momentum', 0, 0.95, 0.1, Scale.LOGIT)],
    },
    problem: {
      ...{ dataset: 'fashion-mnist-10k', model: 'mlp', optimizer: 'sgd' },
      ...{ batchSize: 32, validationExamples: 100 },
    },
    training: { steps: OUTER_STEPS * WINDOW, seeds: [1, 2] },
    method: { estimator: Estimator.GLOCAL, window: WINDOW, sigma: 10, dmd: { delays: 3 } },
  });
}

/** Follows from the outer step alone, so that every run decides the same. */
const choice: Choice = ({ index }) => {
  if (index % 4 === 3) return { action: HOLD };
  if (index % 4 === 0) return { action: setting({ lr: 0.01 * index }) };
  return { action: ACCEPT };
};

const drive: Attend = async (address, trial, signal) => {
  const patience = new Patience(signal);
  for (;;) {
    try {
      using driver = new Driver(address, trial);
      signal.addEventListener('abort', () => driver[Symbol.dispose](), { once: true });
      // A trial may have to wait for its turn: that the server answers is enough.
      await driver.drive(choice, () => patience.renew());
      return;
    } catch (error) {
      await patience.bear(error);
    }
  }
};

const report: Attend = async (address, trial, signal) => {
  const patience = new Patience(signal);
  for (;;) {
    try {
      using reporter = new Reporter(address);
      let answer = await reporter.start(trial);
      while (answer.$case !== 'ended') {
        signal.throwIfAborted();
        patience.renew();
        const position = answer.$case === 'position' ? answer.value : after(answer.value);
        const firstRow = answer.$case === 'position' ? answer.value.rows : 0;
        const rows = rowsAt(position).slice(firstRow);
        answer = await reporter.report({ outerStep: position.outerStep, firstRow, rows });
      }
      return;
    } catch (error) {
      await patience.bear(error);
    }
  }
};

export const workloads = (): Workload[] => [
  new Workload({ name: 'managed', study: trained(RunMode.MANAGED), steered: true }),
  new Workload({ name: 'driven', study: trained(RunMode.DRIVEN), attend: drive }),
  new Workload({ name: 'external', study: externalStudy({ windows: EXTERNAL_WINDOWS }), attend: report }),
];
