/** A process of its own that reports windows for some seconds, and tells how many. */

import { Estimator, type OuterStep, RunMode, Study } from '@glocal/proto/glocal/v1/study';
import type { ReportPosition } from '@glocal/proto/glocal/v1/study_service';
import { Reporter } from '../support/reporter.ts';
import type { ReporterResult, ReporterTask } from './service-external.ts';

const SIGMA = 20;
const COMPONENTS = ['lr', 'momentum', 'weightDecay'];

const study = Study.fromPartial({
  mode: RunMode.EXTERNAL,
  space: {
    parameters: COMPONENTS.map((name) => ({
      name,
      kind: {
        $case: 'float' as const,
        value: { min: 0, max: 1, initial: 0.5, scale: 0, grouping: 0, initials: [], size: 0 },
      },
    })),
  },
  training: { steps: 5_000_000 },
  method: { estimator: Estimator.GLOCAL },
});

/** Hypergradients that settle, with noise: as costly to analyze as those of a training. */
const rowsAt = ({ values }: Pick<ReportPosition, 'values'>): number[][] =>
  Array.from({ length: SIGMA }, (_, row) =>
    values.map(({ value }) => (value - 0.3) * (1 - 0.8 ** (row + 1)) + 0.01 * (Math.random() - 0.5)),
  );

async function roundTrips({ address, seconds }: ReporterTask): Promise<number> {
  using reporter = new Reporter(address);
  let at: Pick<ReportPosition, 'outerStep' | 'values'> = await reporter.position(
    await reporter.create(study),
  );
  const end = performance.now() + seconds * 1_000;
  let count = 0;
  for (; performance.now() < end; count++) {
    const answer = await reporter.report({ outerStep: at.outerStep, rows: rowsAt(at) });
    const { index, nextValues } = answer.value as OuterStep;
    at = { outerStep: index + 1, values: nextValues };
  }
  return count;
}

process.once('message', (task: ReporterTask) => {
  roundTrips(task).then(
    (count) => process.send?.({ roundTrips: count } satisfies ReporterResult),
    (error: unknown) => {
      throw error;
    },
  );
});
process.send?.('ready');
