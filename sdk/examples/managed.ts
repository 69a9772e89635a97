/**
 * Lets the service do all of it: it trains, and moves learning rate and momentum after each window, while this program watches.
 *
 * Run it with `node sdk/examples/managed.ts` beside a trainer (`npm run trainer`).
 */

import { float, GlocalClient, space } from '@glocal/sdk';

await using client = await GlocalClient.connect();
const study = await client.studies.create({
  displayName: 'managed by the service',
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
});

for await (const event of study.watch()) {
  if (event.type !== 'outerStep') continue;
  const { step, values, nextValues, validation, verdict } = event;
  const moved = `lr ${values.lr.toFixed(5)} → ${nextValues.lr.toFixed(5)}`;
  console.log(`step ${step}: loss ${validation.loss.toFixed(4)}, ${moved}, ${verdict}`);
}

const { state, best } = await study.result();
console.log(`${state}, validation loss ${best?.validation?.loss.toFixed(4)}`);
console.log(best?.schedule.toCsv());
