"""LeNet in PyTorch, whose learning rate, momentum and weight decay Glocal moves while it trains.

    python lenet.py [--hold]

The training loop is this program's own: SGD as torch.optim has it, written as a function, so that `torch.func.jvp` carries the
derivatives of weights and momentum by the three values along with every step (forward mode). `--hold` trains with the
values of the start, to compare.
"""

import argparse
import gzip
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from glocal.v1 import study_pb2
from glocal_loop import ExternalTrial, external_study, moving
from torch import nn
from torch.func import functional_call, grad, grad_and_value, jvp, vmap

FASHION = Path(__file__).parents[3] / "services/trainer/data/fashion-mnist-10k"
BATCH, VALIDATION = 64, 500
WINDOWS, WINDOW, SIGMA = 10, 20, 10
NAMES = ["lr", "momentum", "weight_decay"]
START = {"lr": 0.005, "momentum": 0.3, "weight_decay": 1e-3}

model = nn.Sequential(
    *(nn.Conv2d(1, 6, 5, padding=2), nn.LeakyReLU(), nn.MaxPool2d(2)),
    *(nn.Conv2d(6, 16, 5), nn.LeakyReLU(), nn.MaxPool2d(2)),
    *(nn.Flatten(), nn.Linear(400, 32), nn.LeakyReLU(), nn.Linear(32, 10)),
)


class State(NamedTuple):
    """Of the training: weights and momentum by the names of the model's parameters."""

    weights: dict
    momentum: dict


def read_idx(path, header):
    return torch.frombuffer(bytearray(gzip.decompress(path.read_bytes())[header:]), dtype=torch.uint8)


def examples():
    """Images, and their classes."""
    images = read_idx(FASHION / "train-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)
    labels = read_idx(FASHION / "train-labels-idx1-ubyte.gz", 8)
    return images.float() / 255, labels.long()


def loss(weights, images, labels):
    return F.cross_entropy(functional_call(model, weights, images), labels)


def sgd(state, values, images, labels):
    """The next state, and the training loss before it."""
    lr, momentum, weight_decay = values
    gradient, train_loss = grad_and_value(loss)(state.weights, images, labels)
    velocity = {
        name: momentum * state.momentum[name] + gradient[name] + weight_decay * weight
        for name, weight in state.weights.items()
    }
    weights = {name: weight - lr * velocity[name] for name, weight in state.weights.items()}
    return State(weights, velocity), train_loss


def sgd_with_derivatives(state, derivatives, values, images, labels):
    """The same, and the derivatives of the next state by each of the values: row k of each is along value k."""

    def along(derivative, direction):
        def step(state, values):
            return sgd(state, values, images, labels)

        return jvp(step, (state, values), (derivative, direction))

    # The state is the same in all directions.
    (next_state, train_loss), (next_derivatives, _) = vmap(along, out_dims=(None, 0))(
        derivatives, torch.eye(len(NAMES))
    )
    return next_state, next_derivatives, train_loss


def hypergradient(state, derivatives, validation):
    """Derivative of the validation loss by the values: its gradient by the weights, times theirs."""
    gradient = grad(loss)(state.weights, *validation)
    return sum(
        derivatives.weights[name].flatten(1) @ part.flatten() for name, part in gradient.items()
    ).tolist()


def zeros(state, *rows):
    return State(*({name: torch.zeros(*rows, *of.shape) for name, of in part.items()} for part in state))


class Training:
    """The loop that there was before: it makes steps with whatever values it is given."""

    def __init__(self, seed=0):
        torch.manual_seed(seed)
        for layer in model:
            if hasattr(layer, "reset_parameters"):
                layer.reset_parameters()
        weights = {name: weight.detach().clone() for name, weight in model.named_parameters()}
        self.state = State(weights, {name: torch.zeros_like(of) for name, of in weights.items()})
        images, labels = examples()
        self.images, self.labels = images[:-VALIDATION], labels[:-VALIDATION]
        self.validation = images[-VALIDATION:], labels[-VALIDATION:]
        self.order = torch.Generator().manual_seed(seed)

    def batch(self):
        chosen = torch.randint(len(self.labels), (BATCH,), generator=self.order)
        return self.images[chosen], self.labels[chosen]

    def window(self, values):
        """Returns the last `SIGMA` hypergradients and the mean training loss."""
        values = torch.tensor([values[name] for name in NAMES])
        derivatives = zeros(self.state, len(NAMES))
        rows, losses = [], []
        for step in range(WINDOW):
            self.state, derivatives, train_loss = sgd_with_derivatives(
                self.state, derivatives, values, *self.batch()
            )
            losses.append(train_loss.item())
            if step >= WINDOW - SIGMA:
                rows.append(hypergradient(self.state, derivatives, self.validation))
        return rows, sum(losses) / WINDOW

    def plain_window(self, values):
        """The same steps, of which no derivative is wanted."""
        values = torch.tensor([values[name] for name in NAMES])
        for _ in range(WINDOW):
            self.state, _ = sgd(self.state, values, *self.batch())

    def evaluate(self):
        images, labels = self.validation
        with torch.no_grad():
            logits = functional_call(model, self.state.weights, images)
        accuracy = (logits.argmax(1) == labels).float().mean().item()
        mean = F.cross_entropy(logits, labels).item()
        return study_pb2.Evaluation(loss=mean, accuracy=accuracy, examples=len(labels))


def tune(training):
    """Trains with the values that Glocal moves."""
    parameters = [
        moving("lr", 1e-4, 1, START["lr"], study_pb2.SCALE_LOG),
        moving("momentum", 0, 0.99, START["momentum"]),
        moving("weight_decay", 1e-6, 0.1, START["weight_decay"], study_pb2.SCALE_LOG),
    ]
    study = external_study("LeNet, PyTorch", parameters, WINDOWS, WINDOW, SIGMA)
    with ExternalTrial(study) as trial:
        while trial.ended is None:
            values, before = trial.values, training.state
            rows, train_loss = training.window(values)
            figures = training.evaluate()
            outer_step = trial.report(rows, train_loss, figures)
            if outer_step.update.rolled_back:
                training.state = before
            tell(outer_step.index, values, figures)


def hold(training):
    """Trains with the values of the start."""
    for window in range(WINDOWS):
        training.plain_window(START)
        tell(window + 1, START, training.evaluate())


def tell(window, values, figures):
    told = " ".join(f"{name} {values[name]:.5f}" for name in NAMES)
    print(f"window {window}: {told} loss {figures.loss:.4f} accuracy {figures.accuracy:.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="LeNet in PyTorch, tuned by Glocal")
    parser.add_argument("--hold", action="store_true", help="train with the values of the start, to compare")
    run = hold if parser.parse_args().hold else tune
    run(Training())
