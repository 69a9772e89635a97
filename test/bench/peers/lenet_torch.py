"""LeNet's steps and its validation gradient in PyTorch, by `torch.func`. Started by run.ts."""

import torch
import torch.nn.functional as F
from peer import Problem, compare
from torch.func import grad, jvp, vmap

problem = Problem()
values = torch.from_numpy(problem.values)
directions = torch.from_numpy(problem.directions)


def channels_first(images, labels):
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(labels).long()


examples = {"batch": channels_first(*problem.batch), "validation": channels_first(*problem.validation)}


def block(x, kernel, bias):
    return F.leaky_relu(F.max_pool2d(F.conv2d(x, kernel, bias), 2), problem.slope)


def mean_loss(weights, images, labels):
    kernel1, bias1, kernel2, bias2, kernel3, bias3, kernel4, bias4 = weights
    features = block(block(images, kernel1, bias1), kernel2, bias2)
    hidden = F.leaky_relu(F.linear(features.flatten(1), kernel3, bias3), problem.slope)
    return F.cross_entropy(F.linear(hidden, kernel4, bias4), labels)


gradient_of = grad(mean_loss)


def sgd(weights, momentum, values):
    """The next weights and momentum."""
    lr, mu, decay = values.unbind()
    gradient = gradient_of(weights, *examples["batch"])
    momentum = [mu * v + g + decay * w for v, g, w in zip(momentum, gradient, weights)]
    return [w - lr * v for w, v in zip(weights, momentum)], momentum


def step(state):
    return sgd(*state, values)


def step_with_tangents(state, tangents):
    """The next state, and its derivatives by all learned values: forward over reverse."""

    def along(*tangent):
        return jvp(sgd, (*state, values), tangent)

    return vmap(along, out_dims=(None, 0))(*tangents, directions)


def hypergradient(state, tangents):
    gradient = gradient_of(state[0], *examples["validation"])
    return sum(torch.tensordot(rows, part, part.ndim) for rows, part in zip(tangents[0], gradient)).tolist()


def channels_first_weights():
    """Kernels `[out, in, height, width]` and `[out, in]`; what comes out of the second block has its channels first."""
    kernel1, bias1, kernel2, bias2, kernel3, bias3, kernel4, bias4 = map(torch.from_numpy, problem.weights)
    channels, side = len(bias2), int((len(kernel3) / len(bias2)) ** 0.5)
    kernel3 = kernel3.reshape(side, side, channels, -1).permute(3, 2, 0, 1).flatten(1)
    kernels = [kernel1.permute(3, 2, 0, 1), kernel2.permute(3, 2, 0, 1), kernel3, kernel4.T]
    biases = [bias1, bias2, bias3, bias4]
    return [part.contiguous() for pair in zip(kernels, biases) for part in pair]


weights = channels_first_weights()
state = (weights, [torch.zeros_like(part) for part in weights])
tangents = tuple([torch.zeros(len(directions), *part.shape) for part in member] for member in state)

compare(
    f"PyTorch {torch.__version__} torch.func",
    problem,
    (state, tangents),
    loss=lambda state, which: mean_loss(state[0], *examples[which]).item(),
    step=step,
    step_with_tangents=step_with_tangents,
    hypergradient=hypergradient,
)
