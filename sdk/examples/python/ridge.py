"""Ridge regression whose penalty Glocal tunes: ../ridge.ts in plain Python, with derivatives by hand.

    python ridge.py

Gradient descent minimises |Xw - y|^2 / 2n + penalty |w|^2 / 2. With it goes dw, the derivative of w by the penalty, so that the
derivative of the validation loss is its gradient by w times dw. X'X / n is the identity, so that the best penalty is known in
closed form.
"""

import math

from glocal.v1 import study_pb2
from glocal_loop import ExternalTrial, external_study, moving

POINTS, FEATURES = 64, 8
WINDOWS, WINDOW, SIGMA = 40, 50, 12
LEARNING_RATE = 0.1
ZERO = [0.0] * FEATURES


def noise(i):
    """Between -1 and 1; looks random, and is the same everywhere."""
    x = math.sin(12.9898 * i) * 43758.5453
    return 2 * (x - math.floor(x)) - 1


def measure(first):
    """Targets: a curve, and noise."""
    curve = (t * (1 - t) * math.cos(9 * t) for t in TIMES)
    return [value + 0.4 * noise(first + i) for i, value in enumerate(curve)]


def dot(a, b):
    return sum(x * y for x, y in zip(a, b))


def loss_and_gradient(w, targets):
    """|Xw - targets|^2 / 2n, and its gradient."""
    errors = [dot(row, w) - target for row, target in zip(X, targets)]
    gradient = [dot(errors, column) / POINTS for column in zip(*X)]
    return dot(errors, errors) / (2 * POINTS), gradient


TIMES = [(i + 0.5) / POINTS for i in range(POINTS)]
X = [[math.sqrt(2) * math.cos(math.pi * (j + 1) * t) for j in range(FEATURES)] for t in TIMES]
TRAINING, VALIDATION = measure(1), measure(1001)


def best_penalty():
    """w is a / (1 + penalty) in the end, for a = X'y / n of the training targets; nearest to that of the validation targets, b,
    where the derivative of their distance is 0."""
    a = loss_and_gradient(ZERO, TRAINING)[1]
    b = loss_and_gradient(ZERO, VALIDATION)[1]
    return dot(a, a) / dot(a, b) - 1


def train_window(w, penalty):
    """`WINDOW` steps. Returns weights, the last `SIGMA` hypergradients, mean training loss and validation loss."""
    dw, rows, train_loss = ZERO, [], 0.0
    for step in range(WINDOW):
        loss, gradient = loss_and_gradient(w, TRAINING)
        train_loss += loss / WINDOW
        # The Hessian of the first term is the identity.
        dw = [dwj - LEARNING_RATE * (dwj + penalty * dwj + wj) for wj, dwj in zip(w, dw)]
        w = [wj - LEARNING_RATE * (gj + penalty * wj) for wj, gj in zip(w, gradient)]
        validation_loss, validation_gradient = loss_and_gradient(w, VALIDATION)
        if step >= WINDOW - SIGMA:
            rows.append([dot(validation_gradient, dw)])
    return w, rows, train_loss, validation_loss


def main():
    penalty = moving("lambda", 1e-3, 10, 0.01, study_pb2.SCALE_LOG)
    study = external_study("ridge regression, Python", [penalty], WINDOWS, WINDOW, SIGMA)
    w = ZERO
    with ExternalTrial(study) as trial:
        while trial.ended is None:
            w, rows, train_loss, validation_loss = train_window(w, trial.values["lambda"])
            trial.report(rows, train_loss, study_pb2.Evaluation(loss=validation_loss, examples=POINTS))
        state = study_pb2.TrialState.Name(trial.ended.state)
        print(f"{state}: lambda {trial.values['lambda']:.4f}, best {best_penalty():.4f}")


if __name__ == "__main__":
    main()
