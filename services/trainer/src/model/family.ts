/** A kind of model, from which the model for a data set is built. */

import { ModelError } from './errors.ts';
import {
  defineModel,
  type Model,
  type ModelDefinition,
  type ModelParameter,
  type Task,
  weightCount,
} from './model.ts';

/** What can be said of a model without data. */
export interface ModelSummary {
  /** The id that a study names. */
  readonly id: string;
  /** For people. */
  readonly description: string;
  /** Number of weights; where that depends on the data, for those that the model is best known for. */
  readonly weights: number;
  /** Why there is no such model for this task, or undefined when there is. */
  rejects(task: Task): string | undefined;
  /** Its weights for a task that it does not reject. */
  parameters(task: Task): readonly ModelParameter[];
}

/** What a study names: the model's shapes follow from the data set that it is trained on. */
export interface ModelFamily extends ModelSummary {
  /** @throws ModelError UNSUITABLE when it rejects the task. */
  build(task: Task): Model;
}

/** What a family that is written in code is defined by; the rest follows. */
export interface FamilyDefinition extends Pick<ModelFamily, 'id' | 'description'> {
  /** The data that it is best known for. */
  readonly typical: Task;
  /** As in {@link ModelSummary}; without it, any shape will do. */
  rejects?(task: Task): string | undefined;
  /** The model for a task that is not rejected. */
  define(task: Task): Pick<ModelDefinition, 'parameters' | 'apply'>;
}

export function defineFamily(definition: FamilyDefinition): ModelFamily & { readonly typical: Task } {
  const { id, description, typical, define } = definition;
  const rejects = (task: Task) => rejectsAnyModel(task) ?? definition.rejects?.(task);
  return {
    id,
    description,
    typical,
    get weights() {
      return weightCount(define(typical));
    },
    rejects,
    parameters: (task) => define(task).parameters,
    build({ inputShape, classes }) {
      const why = rejects({ inputShape, classes });
      if (why !== undefined) throw new ModelError('UNSUITABLE', `model ${id} does not fit the data: ${why}`);
      return defineModel({ id, description, inputShape, classes, ...define({ inputShape, classes }) });
    },
  };
}

function rejectsAnyModel({ inputShape, classes }: Task): string | undefined {
  const isPositive = (size: number) => Number.isSafeInteger(size) && size > 0;
  if (inputShape.length === 0 || !inputShape.every(isPositive)) {
    return `examples of shape ${shapeText(inputShape)} have no values`;
  }
  return isPositive(classes - 1)
    ? undefined
    : `${classes} is not a number of classes; there must be at least 2`;
}

/** Height, width, channels. */
export type ImageShape = readonly [height: number, width: number, channels: number];

/** Why examples are not images with sides of at least this many pixels, or undefined when they are. */
export function rejectsImages(inputShape: readonly number[], leastSide: number): string | undefined {
  const [height = 0, width = 0] = inputShape;
  if (inputShape.length === 3 && Math.min(height, width) >= leastSide) return undefined;
  return (
    `it takes images (height × width × channels) of at least ${leastSide}×${leastSide}, ` +
    `and these are ${shapeText(inputShape)}`
  );
}

/** For people, for instance `28×28×1`. */
export const shapeText = (shape: readonly (number | null)[]): string =>
  shape.map((size) => size ?? '?').join('×');
