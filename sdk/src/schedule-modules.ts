/** The modules that `schedule.toCode()` writes. Each holds the changes of every setting and looks up the one before a step. */

import type { Change } from './schedule-rows.ts';

/** Changes of one value, or of one for each layer. */
export type Setting = readonly Change[] | ReadonlyMap<string, readonly Change[]>;

/** Of each setting, by the framework's name of it. */
export type Settings = ReadonlyMap<string, Setting>;

const isOfLayers = (setting: Setting): setting is ReadonlyMap<string, readonly Change[]> => 'get' in setting;

/** Whether a setting has a value for each layer. */
const hasLayers = (settings: Settings): boolean => [...settings.values()].some(isOfLayers);

const LINE = 100;

export const pytorchCode = (settings: Settings): string => `\
"""A Glocal schedule for PyTorch.

    schedule = GlocalSchedule(optimizer)
    for ...:
        optimizer.step()
        schedule.step()

${pytorchGroups(settings)} SGD of torch.optim moves as Glocal's \`sgd\` does.
"""

${pythonChanges(settings)}

class GlocalSchedule:
    def __init__(self, optimizer, steps_done=0):
        self.optimizer = optimizer
        self.steps_done = steps_done
        self._set()

    def step(self):
        """Sets the values of the next step; after each \`optimizer.step()\`."""
        self.steps_done += 1
        self._set()

    def state_dict(self):
        return {"steps_done": self.steps_done}

    def load_state_dict(self, state):
        self.steps_done = state["steps_done"]
        self._set()

    def _set(self):
${pytorchLookUp(settings)}
${pytorchBetas(settings)}            missing = values.keys() - group.keys()
            if missing:
                raise ValueError(f"the optimizer has no {', '.join(sorted(missing))}")
            group.update(values)
`;

const pytorchGroups = (settings: Settings): string =>
  hasLayers(settings)
    ? `A parameter group gets the values of its layer, which is told as \`{"params": model.conv1.parameters(), "layer": "conv1"}\`; one without is
that of its position, "0" for the first.`
    : 'All parameter groups get the values.';

const pytorchLookUp = (settings: Settings): string =>
  hasLayers(settings)
    ? `\
        for position, group in enumerate(self.optimizer.param_groups):
            values = values_at(self.steps_done, group.get("layer", str(position)))`
    : `\
        for group in self.optimizer.param_groups:
            values = values_at(self.steps_done)`;

/** PyTorch has both in one setting. */
function pytorchBetas(settings: Settings): string {
  const betas = ['beta1', 'beta2'];
  if (!betas.some((beta) => settings.has(beta))) return '';
  const parts = betas.map((beta, i) =>
    settings.has(beta) ? `values.pop("${beta}")` : `group["betas"][${i}]`,
  );
  return `            values["betas"] = (${parts.join(', ')})\n`;
}

export const kerasCode = (settings: Settings): string => `\
"""A Glocal schedule for Keras 3.

    model.compile(optimizer, loss)
    model.fit(x, y, callbacks=[GlocalSchedule()])

Make the optimizer with \`**values_at(0)\`: Keras keeps no momentum for one that was made without. With the backends TensorFlow and
JAX a compiled step keeps all values but the learning rate: where others move, compile the model with \`run_eagerly=True\`. Keras
decouples weight decay (Glocal's \`sgdw\` and \`adamw\`), and its momentum is of steps, not of gradients: a learning rate that
moves takes some steps to arrive.
"""

${pythonChanges(settings, 'import keras')}

class GlocalSchedule(keras.callbacks.Callback):
    def __init__(self, steps_done=0):
        super().__init__()
        self.steps_done = steps_done
        self.values = None

    def on_train_begin(self, logs=None):
        moving = [name for name, changes in CHANGES.items() if name != "learning_rate" and len(changes) > 1]
        if moving and keras.backend.backend() != "torch" and not self.model.run_eagerly:
            raise ValueError(f"{', '.join(moving)} would not move: compile the model with run_eagerly=True")

    def on_train_batch_begin(self, batch, logs=None):
        values = values_at(self.steps_done)
        self.steps_done += 1
        if values == self.values:
            return
        self.values = values
        if keras.backend.backend() == "jax":
            # What is set while training has the state of the optimizer would be lost.
            self.model.jax_state_sync()
        for name, value in values.items():
            if not hasattr(self.model.optimizer, name):
                raise ValueError(f"the optimizer has no {name}")
            setattr(self.model.optimizer, name, value)
`;

export const optaxCode = (settings: Settings): string => `\
"""A Glocal schedule for optax.

    optimizer = with_schedule(optax.sgd${hasLayers(settings) ? ', layer_of' : ''})

Of a function of yours, the arguments are named as below; the same steps as Glocal's \`sgd\` makes

    def sgd(learning_rate, momentum, weight_decay):
        return optax.chain(
            optax.add_decayed_weights(weight_decay), optax.sgd(learning_rate, momentum)
        )
"""

import jax.numpy as jnp
import optax

${changesIn(settings, python)}

${hasLayers(settings) ? OPTAX_OF_LAYERS : OPTAX_OF_ALL}

def hold(changes):
    """A schedule of optax that is constant from each change to the next."""
    steps, values = zip(*changes)
    steps, values = jnp.asarray(steps), jnp.asarray(values)
    return lambda count: values[jnp.searchsorted(steps, count, side="right") - 1]
`;

const OPTAX_OF_ALL = `\
def with_schedule(make_optimizer):
    """\`make_optimizer\` with the values of each update, counted from 0, as optax counts them."""
    return optax.inject_hyperparams(make_optimizer)(**{name: hold(of) for name, of in CHANGES.items()})
`;

const OPTAX_OF_LAYERS = `\
LAYERS = list(dict.fromkeys(layer for of in CHANGES.values() if isinstance(of, dict) for layer in of))


def with_schedule(make_optimizer, layer_of):
    """\`make_optimizer\` with the values of each update, counted from 0, as optax counts them.

    \`layer_of\` is a tree like the parameters' with the layer of each, or a function that makes one of them.
    """
    return optax.partition({layer: of_layer(make_optimizer, layer) for layer in LAYERS}, layer_of)


def of_layer(make_optimizer, layer):
    own = {name: of[layer] if isinstance(of, dict) else of for name, of in CHANGES.items()}
    return optax.inject_hyperparams(make_optimizer)(**{name: hold(of) for name, of in own.items()})
`;

export const tfjsCode = (settings: Settings): string => `\
/**
 * A Glocal schedule for TensorFlow.js.
 *
 *     await model.fit(x, y, { callbacks: glocalSchedule(optimizer) });
 *
 * Without \`model.fit\`: \`setValues(optimizer, step)\` before each step. \`tf.train.momentum\` moves as Glocal's \`sgd\` does.
 */

${settings.has('momentum') ? "import * as tf from '@tensorflow/tfjs';\n\n" : ''}${changesIn(settings, javascript)}
/** The values that a step is made with, counted from 0. */
export const valuesAt = (step) =>
  Object.fromEntries(
    Object.entries(CHANGES).map(([name, changes]) => [name, changes.findLast(([from]) => from <= step)[1]]),
  );

/** Callbacks of \`model.fit\`. */
export function glocalSchedule(optimizer, stepsDone = 0) {
  let step = stepsDone;
  return { onBatchBegin: () => setValues(optimizer, step++) };
}

export function setValues(optimizer, step) {
  const { ${[...settings.keys()].join(', ')} } = valuesAt(step);
${[...settings.keys()].map((name) => TFJS_SETTERS[name]).join('')}}
`;

const TFJS_SETTERS: Readonly<Record<string, string>> = {
  learningRate: `\
  if (optimizer.setLearningRate) optimizer.setLearningRate(learningRate);
  else optimizer.learningRate = learningRate;
`,
  momentum: `\
  if (optimizer.momentum === undefined) throw new Error('the optimizer has no momentum');
  optimizer.momentum = momentum;
  // tf.train.momentum computes with a tensor, which its setMomentum does not renew.
  if (optimizer.m) {
    optimizer.m.dispose();
    optimizer.m = tf.keep(tf.scalar(momentum));
  }
`,
};

/** How a language writes what a module begins with. */
interface Language {
  readonly about: string;
  readonly open: string;
  readonly close: string;
  readonly indent: string;
  readonly key: (name: string) => string;
  readonly change: (change: Change) => string;
}

const WHAT =
  'The first step, counted from 0, that is made with a value, and the value: it holds until the next.';

const python: Language = {
  about: `# ${WHAT}`,
  open: 'CHANGES = {',
  close: '}\n',
  indent: '    ',
  key: (name) => `"${name}"`,
  // A number of Python's that is written without a point is an integer.
  change: ({ step, value }) => `(${step}, ${Number.isInteger(value) ? value.toFixed(1) : value})`,
};

const javascript: Language = {
  about: `/** ${WHAT} */`,
  open: 'const CHANGES = {',
  close: '};\n',
  indent: '  ',
  key: (name) => name,
  change: ({ step, value }) => `[${step}, ${value}]`,
};

function changesIn(settings: Settings, { about, open, close, indent, key, change }: Language): string {
  const entry = (name: string, changes: readonly Change[], margin: string): string => {
    const items = changes.map(change);
    const inOne = `${margin}${name}: [${items.join(', ')}],\n`;
    return inOne.length <= LINE
      ? inOne
      : `${margin}${name}: [\n${wrapped(items, margin + indent)}${margin}],\n`;
  };
  const entries = [...settings].map(([name, setting]) => {
    if (!isOfLayers(setting)) return entry(key(name), setting, indent);
    const layers = [...setting].map(([layer, of]) => entry(JSON.stringify(layer), of, indent.repeat(2)));
    return `${indent}${key(name)}: {\n${layers.join('')}${indent}},\n`;
  });
  return `${about}\n${open}\n${entries.join('')}${close}`;
}

/** As many on a line as it has room for. */
function wrapped(items: readonly string[], indent: string): string {
  const lines: string[] = [];
  for (const item of items) {
    const line = lines.at(-1);
    if (line === undefined || line.length + item.length + 2 > LINE) lines.push(`${indent}${item},`);
    else lines[lines.length - 1] = `${line} ${item},`;
  }
  return lines.map((line) => `${line}\n`).join('');
}

/** The head of a module of Python's that looks values up itself. */
const pythonChanges = (settings: Settings, ...imports: string[]): string => `\
from bisect import bisect_right
${imports.map((line) => `\n${line}\n`).join('')}
${changesIn(settings, python)}

${hasLayers(settings) ? VALUES_OF_LAYER : VALUES_AT}`;

const VALUES_AT = `\
def values_at(step):
    """The values that a step is made with, counted from 0."""
    latest = {name: bisect_right(of, (step, float("inf"))) - 1 for name, of in CHANGES.items()}
    return {name: CHANGES[name][i][1] for name, i in latest.items()}
`;

const VALUES_OF_LAYER = `\
def values_at(step, layer):
    """The values that a step is made with, counted from 0, for the weights of a layer."""
    values = {}
    for name, of in CHANGES.items():
        if isinstance(of, dict):
            if layer not in of:
                raise ValueError(f"the schedule has no {name} for {layer!r}, only for {', '.join(of)}")
            of = of[layer]
        values[name] = of[bisect_right(of, (step, float("inf"))) - 1][1]
    return values
`;
