"""The weight after each step, of the loss w^2 / 2 with SGD of Keras; what it says of a compiled step where that keeps values."""

import json

import keras
import numpy as np
from glocal_schedule import GlocalSchedule, values_at
from steps import STEPS

model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
examples = np.ones((STEPS, 1)), np.zeros((STEPS, 1))
weights = []


class Record(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if keras.backend.backend() == "jax":
            self.model.jax_state_sync()
        weights.append(self.model.get_weights()[0].item())



def train(**options):
    optimizer = keras.optimizers.SGD(**values_at(0))
    model.compile(optimizer, loss=lambda y, out: keras.ops.square(out - y) / 2, **options)
    model.fit(*examples, batch_size=1, shuffle=False, verbose=0, callbacks=[GlocalSchedule(), Record()])


refusal = None
if keras.backend.backend() != "torch":
    try:
        train()
    except ValueError as error:
        refusal = str(error)
train(run_eagerly=True)
print(json.dumps({"weights": weights, "refusal": refusal}))
