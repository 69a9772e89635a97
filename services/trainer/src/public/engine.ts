/** The hypergradient engine: derivatives of a loss, training runs, and the models and data that they are of. */

export { gradJvp } from '../ad/jvp.ts';
export { labelsOf, toFloat32 } from '../data/examples.ts';
export { loadDataset } from '../data/registry.ts';
export type { LearnedComponent } from '../inner/hyperparameter.ts';
export type { Examples } from '../inner/loss.ts';
export type { InnerOptimizer } from '../inner/optimizer.ts';
export { initialNetwork } from '../inner/reweighting.ts';
export { networkSize, REWEIGHTING } from '../inner/reweighting-size.ts';
export { sgd } from '../inner/sgd.ts';
export { TrainingRun } from '../inner/training-run.ts';
export { saveLayersModel } from '../model/layers-model/save.ts';
export { lenet } from '../model/lenet.ts';
export { mlp } from '../model/mlp.ts';
export { type Model, sizeOf } from '../model/model.ts';
export { BUILT_IN, getModel } from '../model/registry.ts';
export { wideResnet16x2 } from '../model/wide-resnet.ts';
