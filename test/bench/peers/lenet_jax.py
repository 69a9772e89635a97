"""LeNet's steps and its validation gradient in JAX, compiled by `jit`. Started by run.ts."""

import jax
import jax.numpy as jnp
from jax import lax
from peer import Problem, compare

problem = Problem()
examples = jax.tree.map(jnp.asarray, {"batch": problem.batch, "validation": problem.validation})
values = jnp.asarray(problem.values)
directions = jnp.asarray(problem.directions)


def block(x, kernel, bias):
    convolved = lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    count, height, width, channels = convolved.shape
    # Faster, as are its derivatives, than `lax.reduce_window`.
    pooled = convolved.reshape(count, height // 2, 2, width // 2, 2, channels).max((2, 4))
    return jax.nn.leaky_relu(pooled + bias, problem.slope)


def mean_loss(weights, images, labels):
    kernel1, bias1, kernel2, bias2, kernel3, bias3, kernel4, bias4 = weights
    features = block(block(images, kernel1, bias1), kernel2, bias2)
    hidden = jax.nn.leaky_relu(features.reshape(len(images), -1) @ kernel3 + bias3, problem.slope)
    logits = hidden @ kernel4 + bias4
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1))


gradient_of = jax.grad(mean_loss)


def sgd(state, values, batch):
    """The next weights and momentum."""
    weights, momentum = state
    lr, mu, decay = values
    gradient = gradient_of(weights, *batch)
    momentum = jax.tree.map(lambda v, g, w: mu * v + g + decay * w, momentum, gradient, weights)
    return jax.tree.map(lambda w, v: w - lr * v, weights, momentum), momentum


@jax.jit
def step(state, batch):
    return sgd(state, values, batch)


@jax.jit
def step_with_tangents(state, tangents, batch):
    """The next state, and its derivatives by all learned values: forward over reverse."""

    def along(tangent, direction):
        return jax.jvp(lambda *point: sgd(*point, batch), (state, values), (tangent, direction))

    # Faster than `jax.vmap`, which makes grouped convolutions of them; what they share is compiled once.
    pushed = [along(tangent, direction) for tangent, direction in zip(tangents, directions)]
    return pushed[0][0], [tangent for _, tangent in pushed]


@jax.jit
def hypergradient(weights, tangents, validation):
    gradient = gradient_of(weights, *validation)
    return jnp.stack([sum(map(jnp.vdot, moving, gradient)) for moving, _ in tangents])


weights = [jnp.asarray(part) for part in problem.weights]
state = (weights, jax.tree.map(jnp.zeros_like, weights))
tangents = [jax.tree.map(jnp.zeros_like, state) for _ in directions]

compare(
    f"JAX {jax.__version__} jit",
    problem,
    (state, tangents),
    loss=lambda state, which: float(mean_loss(state[0], *examples[which])),
    step=lambda state: jax.block_until_ready(step(state, examples["batch"])),
    step_with_tangents=lambda *point: jax.block_until_ready(step_with_tangents(*point, examples["batch"])),
    hypergradient=lambda state, tangents: hypergradient(state[0], tangents, examples["validation"]).tolist(),
)
