"""Both weights after each step, of the loss (a^2 + b^2) / 2 with SGD of optax that has a rate for each."""

import json

import jax
import jax.numpy as jnp
import optax
from glocal_layers import with_schedule
from steps import STEPS


def sgd(learning_rate, momentum, weight_decay):
    return optax.chain(optax.add_decayed_weights(weight_decay), optax.sgd(learning_rate, momentum))


optimizer = with_schedule(sgd, {"a": "conv1", "b": "dense1"})
w = {"a": jnp.ones(()), "b": jnp.ones(())}
state = optimizer.init(w)


@jax.jit
def step(w, state):
    updates, state = optimizer.update(jax.grad(lambda w: (w["a"] ** 2 + w["b"] ** 2) / 2)(w), state, w)
    return optax.apply_updates(w, updates), state


weights = []
for _ in range(STEPS):
    w, state = step(w, state)
    weights.append([float(w["a"]), float(w["b"])])
print(json.dumps({"weights": weights}))
