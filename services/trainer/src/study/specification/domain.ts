/** What a hyperparameter may be: names, domains and groupings of the problem's optimizers and of its loss. */

import type { HyperparameterInfo, OptimizerInfo } from '@glocal/proto/glocal/v1/study_service';
import { REWEIGHTING } from '../../inner/reweighting-size.ts';
import type { Catalogue } from '../catalogue.ts';
import type { Checker } from './checker.ts';

/** What a parameter may be about. */
export interface Domain {
  /** Undefined for a client, who knows none: what it would say is left to the server. */
  readonly catalogue: Catalogue | undefined;
  /** Optimizers that trials have; none while they are not known. */
  readonly optimizers: readonly OptimizerInfo[];
  /** Inner steps of the training, as they were asked for. */
  readonly steps: number;
}

/**
 * What there is to know of a hyperparameter: an entry of the loss, or one of each optimizer. A name that is none of them, or
 * not with every optimizer, is recorded.
 */
export function infosOf(
  name: string,
  path: string,
  { optimizers, catalogue }: Domain,
  check: Checker,
): HyperparameterInfo[] {
  const loss = catalogue?.lossHyperparameters ?? [];
  const ofLoss = loss.find((info) => info.name === name);
  if (ofLoss !== undefined) return [ofLoss];
  return optimizers.flatMap(({ id, hyperparameters }) => {
    const info = hyperparameters.find((hyperparameter) => hyperparameter.name === name);
    const own = hyperparameters.map((hyperparameter) => hyperparameter.name).join(', ');
    const others = [...loss.map((hyperparameter) => hyperparameter.name), REWEIGHTING].join(', ');
    check.require(
      info !== undefined,
      path,
      `is a hyperparameter neither of ${id} (${own}) nor of the loss (${others})`,
    );
    return info ?? [];
  });
}

/** Records a value outside the domain of a hyperparameter; tells whether it is within. */
export function inDomain(
  value: number,
  field: string,
  infos: readonly HyperparameterInfo[],
  check: Checker,
): boolean {
  const outside = infos.find(({ min, max }) => !(value >= min && value <= max));
  return check.require(
    outside === undefined,
    field,
    `${value} is outside the domain of ${outside?.name}, [${outside?.min}, ${outside?.max}]`,
  );
}
