/** What two runs of the same trial must have in common. */

import type { OuterStep, ParameterMap } from '@glocal/sdk';

/** All there is to outer steps, but for names and times. */
export const trajectoryOf = <P extends ParameterMap>(outerSteps: readonly OuterStep<P>[]) =>
  outerSteps.map(({ name: _name, trial: _trial, timing: _timing, report, ...rest }) => ({
    ...rest,
    report: report && { ...report, computeTime: 0 },
  }));
