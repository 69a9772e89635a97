/** What a classifier minimises: the training loss of `training-loss.ts`, validated by the plain cross-entropy of `loss.ts`. */

import type { Model } from '../model/model.ts';
import { checkExamples, type Examples, evaluate, inChunks, meanLoss } from './loss.ts';
import type { Batch, Objective } from './objective.ts';
import { networkSize } from './reweighting-size.ts';
import { type LossOptions, lossHyperparameters, TrainingLoss } from './training-loss.ts';

export function classification(model: Model, options: LossOptions): Objective {
  const { id, parameters, classes } = model;
  const { reweighting } = options;
  return {
    ...{ id, parameters, classes },
    hyperparameters: lossHyperparameters(options),
    networkSize: reweighting ? networkSize(reweighting) : 0,
    isMean: true,
    check: (batch) => checkExamples(model, asExamples(batch)),
    trainingLoss: (batch) => new TrainingLoss(model, asExamples(batch), options),
    validation(batch, weights) {
      const all = asExamples(batch);
      return inChunks(model, weights, all).map((chunk) => ({
        share: chunk.labels.size / all.labels.size,
        loss: meanLoss(model, chunk),
      }));
    },
    figures: (batch, weights) => evaluate(model, weights, asExamples(batch)),
  };
}

/** `check` says whether they are. */
const asExamples = (batch: Batch): Examples => batch as Examples;
