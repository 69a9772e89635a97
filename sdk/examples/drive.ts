/**
 * Decides after each window of a training run itself: Adam with a trust region moves learning rate and momentum.
 *
 * What the optimizer knows is kept in a file before each decision, so that a program which is interrupted, or killed, goes on as if
 * nothing had happened: the same call of `study.drive()` is asked about the window that was open.
 *
 * Run it with `node sdk/examples/drive.ts` beside a trainer (`npm run trainer`). `STATE` names the file, `RUN` the study.
 */

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { adam, float, GlocalClient, space, trustRegion } from '@glocal/sdk';

const file = process.env.STATE ?? 'drive-state.json';

await using client = await GlocalClient.connect();
const study = await client.studies.create(
  {
    displayName: 'driven by a client',
    space: space({
      lr: float({ min: 1e-4, max: 1, init: 0.01, scale: 'log' }),
      momentum: float({ min: 0, max: 0.95, init: 0.1 }),
    }),
    problem: {
      dataset: 'fashion-mnist-10k',
      model: 'mlp',
      optimizer: 'sgd',
      batchSize: 32,
      validationExamples: 200,
    },
    training: { steps: 60 },
    method: { estimator: 'glocal', window: 10, sigma: 8, dmd: { delays: 2 } },
    mode: 'driven',
  },
  { requestId: process.env.RUN ?? crypto.randomUUID() },
);

const optimizer = trustRegion(adam({ rate: 0.3, clipNorm: 1 }), { radius: 0.5, maxRadius: 1 });
if (existsSync(file)) optimizer.restore(JSON.parse(readFileSync(file, 'utf8')));

for await (const window of study.drive()) {
  const values = optimizer.next(window);
  // Whole or not at all, whenever the program is killed.
  writeFileSync(`${file}.new`, JSON.stringify(optimizer));
  renameSync(`${file}.new`, file);
  const { step, validation, nextValues } = await window.set(values);
  const { lr, momentum } = nextValues;
  console.log(
    `step ${step}: loss ${validation.loss.toFixed(4)}, lr → ${lr.toFixed(5)}, momentum → ${momentum.toFixed(4)}`,
  );
}

const { state, validation } = await study.trial();
console.log(`${state}, validation loss ${validation?.loss.toFixed(4)}`);
