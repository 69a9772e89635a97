/**
 * Names of a problem's fields in a search space, where they make trials. They are written as in `problem`
 * (`batchSize`, `augmentation.cropPadding`), while the contract has them as its fields are called. Names of hyperparameters
 * are the same in both.
 */

import { Augmentation, Problem } from '@glocal/proto/glocal/v1/study';

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const ofSdk: readonly string[] = [
  ...Object.keys(Problem.create()),
  ...Object.keys(Augmentation.create()).map((name) => `augmentation.${name}`),
];
const toContract = new Map(ofSdk.map((name) => [name, snake(name)]));
const toSdk = new Map(ofSdk.map((name) => [snake(name), name]));

/** The contract's name of what makes trials. */
export const contractName = (name: string): string => toContract.get(name) ?? name;

/** The SDK's name of what makes trials. */
export const sdkName = (name: string): string => toSdk.get(name) ?? name;
