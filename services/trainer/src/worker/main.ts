/** The training process: told once what to do, it trains one trial and tells how it goes. It never touches the store. */

import { Evaluation, OuterStep, Study, Trial } from '@glocal/proto/glocal/v1/study';
import { initBackend } from '../backend/select.ts';
import { datasetSha256 } from '../data/digest.ts';
import { loadDataset } from '../data/registry.ts';
import { DmdClient } from '../dmd/client.ts';
import { runTrial } from '../loop/trial.ts';
import { getModel } from '../model/registry.ts';
import { asComplete } from '../resource/complete-study.ts';
import { assemble } from './assemble.ts';
import {
  type EndedMessage,
  type FromWorker,
  MAX_UNACKNOWLEDGED,
  type StartMessage,
  type ToWorker,
} from './messages.ts';
import { Unacknowledged } from './unacknowledged.ts';

const PROGRESS_EVERY_MS = 250;
const NO_FIGURES = { test: new Uint8Array(), averagedTest: new Uint8Array() };

const unacknowledged = new Unacknowledged(MAX_UNACKNOWLEDGED);

process.on('message', (message: ToWorker) => {
  if (message.type === 'acknowledged') return unacknowledged.acknowledged();
  train(message).then(end, (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
    const reason = error instanceof Error ? error.message : String(error);
    end({ type: 'ended', outcome: 'failed', reason, ...NO_FIGURES });
  });
});
// The server is gone, or has heard the end: nobody is left to train for.
process.once('disconnect', () => process.exit());

async function train(start: StartMessage): Promise<EndedMessage> {
  const log = (line: string) => process.stderr.write(`${line}\n`);
  const study = asComplete(Study.decode(start.study));
  const trial = Trial.decode(start.trial);
  const dataset = await loadDataset(study.problem.dataset, { log });
  const { description } = await initBackend({ backend: start.backend, log });
  const { shape: inputShape, classes } = dataset.train;
  const model = await getModel(study.problem.model, { inputShape, classes }, start.modelDir);
  const { space, learner, differentiation } = assemble(study, trial.seed, dataset, model);
  using _ = learner;
  tell({ type: 'started', backend: description, datasetSha256: datasetSha256(dataset) });

  const dmd = new DmdClient(start.dmd, start.dmdRetryBudgetMs);
  try {
    const parts = { study, trial: trial.name, space, learner, differentiation, dmd, listener: listener() };
    const ending = await runTrial(parts);
    const { outcome, reason } = ending;
    if (ending.outcome === 'infeasible') return { type: 'ended', outcome, reason, ...NO_FIGURES };
    return {
      type: 'ended',
      outcome,
      reason,
      test: Evaluation.encode(ending.test).finish(),
      averagedTest: Evaluation.encode(ending.averagedTest).finish(),
    };
  } finally {
    dmd.close();
  }
}

function listener(): Parameters<typeof runTrial>[0]['listener'] {
  let toldAt = Number.NEGATIVE_INFINITY;
  return {
    progress(stepsDone) {
      const now = performance.now();
      if (now - toldAt < PROGRESS_EVERY_MS) return;
      toldAt = now;
      tell({ type: 'progress', stepsDone });
    },
    async outerStep(outerStep) {
      const encoded = OuterStep.encode(outerStep).finish();
      tell({ type: 'outerStep', outerStep: encoded });
      await unacknowledged.sent(encoded.length);
    },
  };
}

/** The server ends the process once it has stored the end. */
function end(message: EndedMessage): void {
  tell(message);
}

function tell(message: FromWorker): void {
  // Without a channel the server is gone, and so is this process in a moment.
  if (process.connected) process.send?.(message);
}
