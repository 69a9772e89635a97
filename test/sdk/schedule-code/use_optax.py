"""The weight after each step, of the loss w^2 / 2 with SGD of optax."""

import json

import jax
import jax.numpy as jnp
import optax
from glocal_schedule import with_schedule
from steps import STEPS


def sgd(learning_rate, momentum, weight_decay):
    return optax.chain(optax.add_decayed_weights(weight_decay), optax.sgd(learning_rate, momentum))


optimizer = with_schedule(sgd)
w = jnp.ones(())
state = optimizer.init(w)


@jax.jit
def step(w, state):
    updates, state = optimizer.update(jax.grad(lambda w: w**2 / 2)(w), state, w)
    return optax.apply_updates(w, updates), state


weights = []
for _ in range(STEPS):
    w, state = step(w, state)
    weights.append(float(w))
print(json.dumps(weights))
