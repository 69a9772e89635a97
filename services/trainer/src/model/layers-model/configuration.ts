/** Checks the configuration of a model's layers against what is implemented, and brings it into the form that tfjs takes. */

import { printable, startOf } from '../../resource/quote.ts';
import { ModelError } from '../errors.ts';
import type { Description } from './artifacts.ts';
import { COMMON, CONTAINERS, LAYERS, type Option, OWN } from './layer-options.ts';

type Json = Readonly<Record<string, unknown>>;

/** A layer in a model's topology. */
interface LayerNode extends Json {
  readonly class_name: string;
  readonly config: Json;
}

/** The inputs of one call of a layer: of which layer they are, of which of its calls, which output of it; and arguments. */
type Call = readonly (readonly [layer: unknown, call: unknown, output: unknown, given?: unknown])[];

export interface Configuration {
  /** For tfjs. */
  readonly topology: Json;
  /** The file's regularizers and constraints, as `layer.option`. They belong to a training of Keras's own. */
  readonly penalties: readonly string[];
}

/**
 * @param where for messages, the file.
 * @throws ModelError FORMAT, UNKNOWN_LAYER, OPTION
 */
export function readConfiguration({ topology, generatedBy }: Description, where: string): Configuration {
  const reader = new Reader(where);
  if (/^keras v?[3-9]\b/i.test(generatedBy ?? ''))
    throw reader.ofKeras3(`generatedBy is ${shortened(generatedBy ?? '')}`);
  return { topology: reader.model(topology), penalties: reader.penalties };
}

class Reader {
  readonly penalties: string[] = [];
  readonly #where: string;

  constructor(where: string) {
    this.#where = where;
  }

  model(topology: Json): LayerNode {
    const version = String(topology.keras_version);
    if (/^[3-9]\b/.test(version)) throw this.ofKeras3(`its keras_version is ${shortened(version)}`);
    const node = this.#node(topology.model_config ?? topology, 'the model');
    if (!CONTAINERS.has(node.class_name)) throw this.#unknown(node);
    return this.#container(node, true);
  }

  /** @param trainable whether the models around it are; a frozen one freezes all in it. */
  #container(node: LayerNode, trainable: boolean): LayerNode {
    const { class_name: className, config } = node;
    const layers: unknown = Array.isArray(config) ? config : config.layers;
    if (!Array.isArray(layers)) throw this.#misfit(`${titleOf(node)} has no list of layers`);
    const nodes = layers.map((layer, i) => this.#node(layer, `layer ${i + 1} of ${titleOf(node)}`));
    const isTrainable = trainable && this.#isTrainable(node);
    const read = nodes.map((layer) => this.#layer(layer, isTrainable));
    if (className !== 'Sequential') this.#checkConnections(nodes);
    return {
      ...node,
      config: Array.isArray(config) ? (read as unknown as Json) : { ...config, layers: read },
    };
  }

  #isTrainable(model: LayerNode): boolean {
    const { trainable } = withOneSpelling(model.config, COMMON);
    this.#checkOption(model, 'trainable', trainable);
    return trainable !== false;
  }

  #layer(written: LayerNode, trainable: boolean): LayerNode {
    const { class_name: className } = written;
    const implemented = own(LAYERS, className);
    if (isCustom(written) || (implemented === undefined && !CONTAINERS.has(className)))
      throw this.#unknown(written);
    this.#checkCalls(written);
    if (implemented === undefined) return this.#container(written, trainable);
    const { options, defaults, rewritten, needsOwn } = implemented;
    const config = withOneSpelling(written.config, { ...COMMON, ...options });
    const node = { ...written, config };
    for (const [key, value] of Object.entries({ ...defaults, ...config }))
      this.#checkOption(node, key, value, own(options, key));
    const isTrainable = trainable && config.trainable !== false;
    const given: Json = { ...defaults, ...plain(config) };
    const inner = ['layer', 'cell']
      .filter((key) => key in options)
      .map((key) => [
        key,
        this.#layer(this.#node(config[key], `the ${key} of ${titleOf(node)}`), isTrainable),
      ]);
    return {
      ...node,
      class_name: needsOwn?.(given) ? OWN + className : className,
      config: {
        ...given,
        ...rewritten?.(given),
        ...this.#inputOf(node),
        ...Object.fromEntries(inner),
        trainable: isTrainable,
      },
    };
  }

  #checkOption(node: LayerNode, key: string, value: unknown, option = own(COMMON, key)): void {
    if (value === null || value === undefined || key === 'dtype' || key.endsWith('_initializer')) return;
    if (isPenalty(key)) {
      this.penalties.push(shortened(`${node.config.name ?? node.class_name}.${key}`));
      return;
    }
    if (option?.allows(value)) return;
    if (option !== undefined) {
      throw new ModelError(
        'OPTION',
        `${this.#where}: ${titleOf(node)}: ${key} is ${textOf(value)}, and only ${option.implemented} is implemented; ` +
          option.remedy,
      );
    }
    if (value === false || value === 'none') return;
    if (node.class_name === 'InputLayer' && key === 'batch_shape') {
      throw this.ofKeras3(`${titleOf(node)} has the option batch_shape`);
    }
    throw new ModelError(
      'OPTION',
      `${this.#where}: ${titleOf(node)} has the option ${shortened(key)} (${textOf(value)}), which ${shortened(node.class_name)} ` +
        'does not have in Keras 2, so that what it changes would be left out; save the model with Keras 2 (package ' +
        'tf_keras) or without the option',
    );
  }

  /** What a layer takes: numbers of float32, or whole ones where it is the input; any number of examples at a time. */
  #inputOf(node: LayerNode): Json {
    const { dtype, batch_input_shape: shape } = node.config;
    if (classOf(dtype) === 'DTypePolicy')
      throw this.ofKeras3(`${titleOf(node)} has a DTypePolicy for its dtype`);
    const name = typeof dtype === 'object' && dtype !== null ? nameOf(dtype) : (dtype ?? 'float32');
    const isWhole = node.class_name === 'InputLayer' && typeof name === 'string' && /^u?int\d+$/.test(name);
    if (!isWhole && name !== 'float32') {
      throw new ModelError(
        'OPTION',
        `${this.#where}: ${titleOf(node)}: dtype is ${textOf(name)}, and only "float32" is implemented; build the ` +
          'model with it and save it again',
      );
    }
    return {
      dtype: isWhole ? 'int32' : 'float32',
      ...(Array.isArray(shape) ? { batch_input_shape: [null, ...shape.slice(1)] } : {}),
    };
  }

  /** tfjs takes no notice of the arguments that a layer is called with besides its inputs. */
  #checkCalls(node: LayerNode): void {
    for (const call of this.#callsOf(node)) {
      for (const [, , , given] of call) {
        const effective = Object.entries((given ?? {}) as Json).find(
          ([, value]) => value !== null && value !== false,
        );
        if (effective === undefined) continue;
        const [key, value] = effective;
        throw new ModelError(
          'OPTION',
          `${this.#where}: ${titleOf(node)} is called with ${shortened(key)} = ${textOf(value)}, and only inputs are ` +
            'implemented; call it without, and save the model again',
        );
      }
    }
  }

  #callsOf(node: LayerNode): readonly Call[] {
    const calls = node.inbound_nodes ?? [];
    if (Array.isArray(calls) && calls.every((call) => Array.isArray(call) && call.every(Array.isArray))) {
      return calls as unknown as Call[];
    }
    const isOfKeras3 = Array.isArray(calls) && calls.some((call) => own(call, 'args') !== undefined);
    if (isOfKeras3) throw this.ofKeras3(`${titleOf(node)} has inbound_nodes with args`);
    throw this.#misfit(`the inbound_nodes of ${titleOf(node)} are not lists of inputs`);
  }

  /** tfjs waits forever for an input that is not there, and for one of a layer whose name another has. */
  #checkConnections(nodes: readonly LayerNode[]): void {
    const namesake = nodes.find(
      ({ name, config }, i) => name !== config.name || nodes.findIndex((other) => other.name === name) < i,
    );
    if (namesake !== undefined) throw this.#misfit(`the name of ${titleOf(namesake)} is not its own`);
    const called = new Map(
      nodes.map(({ name, class_name: className }) => [
        name,
        className === 'InputLayer' || CONTAINERS.has(className) ? 1 : 0,
      ]),
    );
    let waiting = nodes.flatMap((node) => this.#callsOf(node).map((call) => ({ node, call })));
    for (let before = Number.POSITIVE_INFINITY; waiting.length < before; ) {
      before = waiting.length;
      waiting = waiting.filter(({ node, call }) => {
        if (!call.every(([layer, index]) => Number(index) < (called.get(layer) ?? 0))) return true;
        called.set(node.name, (called.get(node.name) ?? 0) + 1);
        return false;
      });
    }
    const [left] = waiting;
    if (left === undefined) return;
    const inputs = left.call.map(([layer]) => textOf(layer)).join(', ');
    throw this.#misfit(
      `the inputs of ${titleOf(left.node)}, from ${inputs}, are not those of layers before it`,
    );
  }

  #node(value: unknown, what: string): LayerNode {
    const { class_name: className, config } = (value ?? {}) as Partial<LayerNode>;
    if (typeof className === 'string' && typeof config === 'object' && config !== null)
      return value as LayerNode;
    throw this.#misfit(`${what} has no class_name and config`);
  }

  #unknown(node: LayerNode): ModelError {
    return new ModelError(
      'UNKNOWN_LAYER',
      `${this.#where}: ${titleOf(node)} is not a layer that can be used; write the model with the layers that ` +
        'docs/models.md lists, or in code',
    );
  }

  #misfit(problem: string): ModelError {
    return new ModelError(
      'FORMAT',
      `${this.#where}: its layers do not fit together: ${problem}; save the model again`,
    );
  }

  ofKeras3(sign: string): ModelError {
    return new ModelError(
      'FORMAT',
      `${this.#where} was saved by Keras 3 (${sign}), whose layers have other options than those of Keras 2, which is ` +
        'read here: build the model with the package tf_keras, give it the weights (load_weights of a .weights.h5), save ' +
        'it as .h5, and convert that',
    );
  }
}

const LONGEST_TEXT = 60;

/** Text of a file for a message: cut, and without control characters. */
const shortened = (text: string): string => printable(startOf(text, LONGEST_TEXT));

const textOf = (value: unknown): string => shortened(JSON.stringify(value) ?? String(value));

function titleOf({ class_name: className, config, name = config.name }: LayerNode): string {
  const type = shortened(className);
  return typeof name === 'string' ? `layer "${shortened(name)}" (${type})` : `a layer (${type})`;
}

/** A class of the user's own, which may have the name of one of Keras's. */
function isCustom({ module, registered_name: registered }: LayerNode): boolean {
  const isOfKeras = typeof module !== 'string' || /^(tf_)?keras\b/.test(module);
  return !isOfKeras || (typeof registered === 'string' && registered.includes('>'));
}

const isPenalty = (key: string): boolean => key.endsWith('_regularizer') || key.endsWith('_constraint');

/**
 * Options that are given, without what only Keras's own training uses, and initializers: the weights come from files.
 * None for an activation is the linear one, None for `merge_mode` a choice of its own, and any other None the default.
 */
function plain(config: Json): Json {
  const entries = Object.entries(config).flatMap(([key, value]): [string, unknown][] => {
    if (key.endsWith('_initializer')) return [[key, { class_name: 'Zeros', config: {} }]];
    if (key.endsWith('activation')) return [[key, value ?? 'linear']];
    if (isPenalty(key) || (value === null && key !== 'merge_mode')) return [];
    return [[key, value]];
  });
  return Object.fromEntries(entries);
}

/** A layer's configuration with the values that are written in several ways in one. */
const withOneSpelling = (config: Json, options: Readonly<Record<string, Option>>): Json =>
  Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key, own(options, key)?.read?.(value) ?? value]),
  );

const classOf = (value: unknown): unknown => own(value, 'class_name');
const nameOf = (policy: object): unknown => own(own(policy, 'config'), 'name');

/** A member of an object from a file, or of a table that is searched by a name from one. */
function own<T>(object: Readonly<Record<string, T>>, key: string): T | undefined;
function own(object: unknown, key: string): unknown;
function own(object: unknown, key: string): unknown {
  return typeof object === 'object' && object !== null && Object.hasOwn(object, key)
    ? (object as Json)[key]
    : undefined;
}
