import type { OuterStep } from '@glocal/proto/glocal/v1/study';
import { expect, it } from 'vitest';
import { after, externalStudy, Reporter, rowsAt, SIGMA } from '../support/reporter.ts';
import { TestTrainer } from '../support/trainer.ts';

const SIZE = 100_000;

it('a client reports hypergradients of 100,000 components, in rows and in parts, within the message limit', {
  timeout: 300_000,
}, async () => {
  await using trainer = await TestTrainer.start();
  using reporter = new Reporter(trainer.address);
  const name = await reporter.create(externalStudy({ windows: 3, size: SIZE }));
  let at: Parameters<typeof rowsAt>[0] = await reporter.position(name);
  for (let window = 1; window <= 3; window++) {
    const rows = rowsAt(at);
    const half = SIZE / 2;
    let answer: Awaited<ReturnType<Reporter['next']>> | undefined;
    for (const [firstRow, row] of rows.entries()) {
      const report = { outerStep: window, firstRow };
      await reporter.report({ ...report, firstComponent: 0, rows: [row.slice(0, half)] });
      answer = await reporter.report({ ...report, firstComponent: half, rows: [row.slice(half)] });
    }
    const outerStep = answer?.value as OuterStep;
    expect(outerStep).toMatchObject({ index: window, window: { rows: SIGMA }, update: { fellBack: false } });
    expect(outerStep.nextValues[0]?.values).toHaveLength(SIZE);
    at = after(outerStep);
  }
  expect(await reporter.next()).toMatchObject({ $case: 'ended' });
  const [mix] = at.values;
  expect(mix?.values[0]).toBeLessThan(0.5);
});
