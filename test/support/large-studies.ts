/** Many studies, and long ones with many components, that no training is needed for: a client reports their hypergradients. */

import { float, type ParameterMap, type Study, space, vector } from '@glocal/sdk';
import type { TestTrainer } from './trainer.ts';

/** Steps of a window, each of which is reported. */
const WINDOW = 8;

/** Flags of a trainer that has room for so many studies while they are made. */
export const roomFor = (studies: number): string[] => ['--max-active-studies', String(studies + 1)];

/** Studies that are called by their numbers and have ended. */
export async function manyStudies({ client }: TestTrainer, count: number): Promise<void> {
  const searched = space({ lr: float({ min: 1e-4, max: 1, init: 0.01, scale: 'log' }) });
  let next = 0;
  const make = async (): Promise<void> => {
    while (next < count) {
      const study = await client.studies.create({
        ...{ displayName: `study ${next++}`, mode: 'external', space: searched },
        training: { steps: WINDOW },
        method: { estimator: 'mean', window: WINDOW, sigma: WINDOW },
      });
      await study.cancel();
    }
  };
  await Promise.all(Array.from({ length: 64 }, make));
}

/** A study that has ended after so many outer steps. @param components 3 numbers, or one vector of more */
export async function longStudyOf(
  { client }: TestTrainer,
  outerSteps: number,
  components: number,
): Promise<Study> {
  const parameters: ParameterMap =
    components === 3
      ? {
          a: float({ min: -1, max: 1, init: 0, scale: 'linear' }),
          b: float({ min: 0, max: 1, init: 0.5 }),
          c: float({ min: 1e-4, max: 1, init: 0.01, scale: 'log' }),
        }
      : { x: vector({ size: components, min: 0, max: 1, init: 0.5 }) };
  const steps = outerSteps * WINDOW;
  const loop = await client.external({ space: space(parameters), steps, window: WINDOW, sigma: WINDOW });
  for (let step = 0; step < steps; step += WINDOW) {
    const rows = Array.from({ length: WINDOW }, (_, i) =>
      Float64Array.from(
        { length: components },
        (_, j) => Math.sin(j + step / 99) * 0.9 ** i + 0.1 * Math.cos(i * j),
      ),
    );
    await Promise.all(rows.map((row, i) => loop.report(step + i, row)));
  }
  await loop.study.result({ schedules: false });
  return loop.study as Study;
}
