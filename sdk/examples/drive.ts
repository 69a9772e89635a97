/**
 * Decides after each window of a training run itself: Adam with a trust region moves learning rate and momentum.
 *
 * What the next program needs to go on is kept in a file as long as the study runs: the id that the study was asked for with, and before
 * each decision what the optimizer knows. A program that was interrupted, or killed, is started again with the same command, and goes on
 * as if nothing had happened: `studies.create()` gives it the same study, and `study.drive()` the window that was open. When the study
 * has ended the file is removed, and the next start is a study of its own.
 *
 * Run it with `node sdk/examples/drive.ts` beside a trainer (`npm run trainer`). The file is `drive-state.json` beside this one, or
 * what `STATE` names; remove it to begin anew.
 */

import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { adam, float, GlocalClient, space, trustRegion } from '@glocal/sdk';

/** What is in the file. */
interface Kept {
  readonly requestId: string;
  /** Name of the study that the optimizer's state is of; neither is there before the first decision. */
  readonly study?: string;
  readonly optimizer?: unknown;
}

const file = process.env.STATE ?? fileURLToPath(new URL('drive-state.json', import.meta.url));

/** Whole or not at all, whenever the program is killed. */
function keep(kept: Kept): void {
  writeFileSync(`${file}.new`, JSON.stringify(kept));
  renameSync(`${file}.new`, file);
}

const kept: Kept = existsSync(file)
  ? JSON.parse(readFileSync(file, 'utf8'))
  : { requestId: crypto.randomUUID() };
const { requestId } = kept;
keep(kept);

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
  { requestId },
);

const optimizer = trustRegion(adam({ rate: 0.3, clipNorm: 1 }), { radius: 0.5, maxRadius: 1 });
// Another trainer, or one whose studies are gone, has made a new study.
if (kept.study === study.name) optimizer.restore(kept.optimizer);

for await (const window of study.drive()) {
  const values = optimizer.next(window);
  keep({ requestId, study: study.name, optimizer });
  const { step, validation, nextValues } = await window.set(values);
  const { lr, momentum } = nextValues;
  console.log(
    `step ${step}: loss ${validation.loss.toFixed(4)}, lr → ${lr.toFixed(5)}, momentum → ${momentum.toFixed(4)}`,
  );
}

const { state, validation } = await study.trial();
// PAUSED, as no decision came in time, it goes on with the same command.
if (state !== 'PAUSED') rmSync(file);
console.log(`${state}, validation loss ${validation?.loss.toFixed(4)}`);
