/** The hyperparameters of one training run: checked, completed, and as they enter a step. */

import { InnerTrainingError, type InnerTrainingReason } from './errors.ts';
import {
  type Grouping,
  type HyperparameterInfo,
  type HyperparameterValues,
  type LearnedComponent,
  layersOf,
} from './hyperparameter.ts';
import type { Objective } from './objective.ts';
import type { InnerOptimizer } from './optimizer.ts';
import type { Numbers } from './update.ts';
import { nextShare, SHARE } from './weight-average.ts';

/** A learned component with the derivative of its value, as it enters the step, by its coordinate phi. */
export interface LearnedValue extends LearnedComponent {
  readonly derivative: number;
}

/** What one step uses. */
export interface StepValues {
  /** Values of the optimizer's hyperparameters as they enter its update. */
  readonly optimizer: Numbers;
  /** Values of those hyperparameters of the loss that have an effect or are learned. */
  readonly loss: Numbers;
  /** In the order of the hypergradient's components. */
  readonly learned: readonly LearnedValue[];
  /** Of the optimizer's average: Σw up to and with this step, as many as it has weights w; none without an average. */
  readonly averageSum: Float64Array;
}

/** What a hyperparameter is part of. */
type Part = 'optimizer' | 'loss';

/** The hyperparameters that an optimizer and a training loss have, and which of their values are learned. */
export class Hyperparameters {
  readonly learned: readonly LearnedComponent[];
  readonly #optimizer: InnerOptimizer;
  readonly #infos: ReadonlyMap<string, HyperparameterInfo & { readonly part: Part }>;
  /** Numbers of values that a hyperparameter may have by grouping; of a network for those without one. */
  readonly #sizes: Readonly<Record<Grouping | 'network', number>>;

  /** @throws InnerTrainingError when a learned component is unknown or learned twice. */
  constructor(objective: Objective, optimizer: InnerOptimizer, learned: readonly LearnedComponent[]) {
    this.#optimizer = optimizer;
    const of = (part: Part, infos: readonly HyperparameterInfo[]) =>
      infos.map((info) => [info.name, { ...info, part }] as const);
    this.#infos = new Map([
      ...of('optimizer', optimizer.hyperparameters),
      ...of('loss', objective.hyperparameters),
    ]);
    this.#sizes = {
      none: 1,
      layer: layersOf(objective).length,
      class: objective.classes,
      network: objective.networkSize,
    };
    this.learned = learned.map(({ name, index }) => ({ name, index }));
    this.#checkLearned();
  }

  /**
   * @param t number of the step, from 1.
   * @param derivatives dvalue/dphi of each learned component.
   * @param averageSum of the step before; none before the first.
   * @throws InnerTrainingError when a value is unknown, missing, outside its domain or of a wrong length.
   */
  resolve(
    values: HyperparameterValues,
    derivatives: ArrayLike<number>,
    t: number,
    averageSum: Float64Array,
  ): StepValues {
    this.#checkNames(Object.keys(values));
    if (derivatives.length !== this.learned.length) {
      throw refused(
        'WRONG_LENGTH',
        `${this.learned.length} learned components have ${derivatives.length} derivatives`,
      );
    }
    const complete = new Map(
      [...this.#infos.values()].map((info) => [info.name, this.#complete(info, values)]),
    );
    this.learned.forEach(({ name, index }) => {
      const { length } = complete.get(name) ?? [];
      if (index >= length) {
        throw refused('WRONG_LENGTH', `${name}[${index}] is learned, but ${name} has ${length} values`);
      }
    });
    return this.#enter(complete, derivatives, t, averageSum);
  }

  /** Lets the optimizer's values in by its own transformations, and drops those of the loss that have no effect. */
  #enter(complete: Numbers, derivatives: ArrayLike<number>, t: number, averageSum: Float64Array): StepValues {
    const optimizer = new Map<string, Float64Array>();
    const loss = new Map<string, Float64Array>();
    const slopes = new Map<string, Float64Array>();
    const learnedNames = new Set(this.learned.map(({ name }) => name));
    for (const [name, values] of complete) {
      const info = this.#infos.get(name);
      const enters = this.#optimizer.enters?.[name];
      if (info?.part === 'loss') {
        if (learnedNames.has(name) || values.some((value) => value !== info.defaultValue)) {
          loss.set(name, values);
        }
      } else if (enters) {
        const entries = Array.from(values, (value) => enters(value, t));
        optimizer.set(
          name,
          Float64Array.from(entries, ({ value }) => value),
        );
        slopes.set(
          name,
          Float64Array.from(entries, ({ slope }) => slope),
        );
      } else if (!info?.isSetting) {
        optimizer.set(name, values);
      }
    }
    const learned = this.learned.map(({ name, index }, k) => ({
      name,
      index,
      derivative: (derivatives[k] ?? Number.NaN) * (slopes.get(name)?.[index] ?? 1),
    }));
    const { average } = this.#optimizer;
    if (average === undefined) return { optimizer, loss, learned, averageSum };
    const { share, sum } = nextShare(average, complete, t, averageSum);
    optimizer.set(SHARE, share);
    return { optimizer, loss, learned, averageSum: sum };
  }

  #complete(info: HyperparameterInfo, values: HyperparameterValues): Float64Array {
    const { name, min, max, defaultValue, groupings } = info;
    const sizes = this.#sizesOf(info);
    const given = values[name];
    if (given === undefined) {
      if (defaultValue === undefined) {
        throw refused('UNKNOWN_HYPERPARAMETER', `${name} has no default; give it a value`);
      }
      return new Float64Array(sizes[0] ?? 1).fill(defaultValue);
    }
    if (info.size !== undefined && given.length === 1) {
      return this.#complete(info, { [name]: new Float64Array(info.size).fill(given[0] as number) });
    }
    if (!sizes.includes(given.length)) {
      throw refused(
        'WRONG_LENGTH',
        `${name} has ${given.length} values; it takes ${sizes.join(' or ')}${hint(groupings)}`,
      );
    }
    const numbers = Float64Array.from(given);
    numbers.forEach((value, index) => {
      if (value >= min && value <= max) return;
      const which = numbers.length === 1 ? name : `${name}[${index}]`;
      throw refused('OUT_OF_DOMAIN', `${which} = ${value} is not between ${min} and ${max}`);
    });
    return numbers;
  }

  /** Numbers of values that it may have. */
  #sizesOf({ groupings, size }: HyperparameterInfo): number[] {
    if (size !== undefined) return [size];
    return groupings.length === 0 ? [this.#sizes.network] : groupings.map((group) => this.#sizes[group]);
  }

  #checkLearned(): void {
    this.#checkNames(this.learned.map(({ name }) => name));
    const seen = new Set<string>();
    for (const { name, index } of this.learned) {
      const component = `${name}[${index}]`;
      const most = Math.max(...this.#sizesOf(this.#infos.get(name) as HyperparameterInfo));
      if (!(Number.isInteger(index) && index >= 0 && index < most)) {
        throw refused('WRONG_LENGTH', `${component} cannot be learned: ${name} has at most ${most} values`);
      }
      if (this.#infos.get(name)?.isSetting) {
        throw refused('UNSUPPORTED', `${name} is a setting of ${this.#optimizer.id}: it cannot be learned`);
      }
      if (seen.has(component)) throw refused('UNKNOWN_HYPERPARAMETER', `${component} is learned twice`);
      seen.add(component);
    }
  }

  #checkNames(names: readonly string[]): void {
    const unknown = names.find((name) => !this.#infos.has(name));
    if (unknown === undefined) return;
    const known = [...this.#infos.keys()].join(', ');
    throw refused(
      'UNKNOWN_HYPERPARAMETER',
      `neither ${this.#optimizer.id} nor the loss has a hyperparameter "${unknown}"; one of ${known}`,
    );
  }
}

const refused = (reason: InnerTrainingReason, message: string): InnerTrainingError =>
  new InnerTrainingError(reason, message);

const GROUPS: Readonly<Record<Grouping, string>> = {
  none: 'one',
  layer: 'one a layer',
  class: 'one a class',
};

const hint = (groupings: readonly Grouping[]): string =>
  groupings.length === 0 ? '' : ` (${groupings.map((group) => GROUPS[group]).join(' or ')})`;
