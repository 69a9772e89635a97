"""What the peers share: the problem as `problem.ts` writes it, and the check and the times that `run.ts` reads."""

import json
import sys
import time
from pathlib import Path

import numpy as np


class Problem:
    """Weights and examples as arrays, and the numbers of problem.json, from the folder that the program is given."""

    def __init__(self):
        self.folder = Path(sys.argv[1])
        description = json.loads((self.folder / "problem.json").read_text())
        self.slope = description["slope"]
        self.values = np.array(description["values"], np.float32)
        # Row k is the direction of the values along learned component k.
        self.directions = np.diag(np.array(description["slopes"], np.float32))
        self.check_steps = description["checkSteps"]
        self.rounds = description["rounds"]
        self.weights = self._weights(description["shapes"])
        self.batch = self._examples("batch", description["image"])
        self.validation = self._examples("validation", description["image"])

    def _weights(self, shapes):
        ends = np.cumsum([np.prod(shape) for shape in shapes])
        parts = np.split(self._read("weights", np.float32, [-1]), ends[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, shapes)]

    def _examples(self, name, image):
        """Images `[n, height, width, channels]`, and their classes `[n]`."""
        return self._read(f"{name}-images", np.float32, [-1, *image]), self._read(f"{name}-labels", np.int32, [-1])

    def _read(self, name, dtype, shape):
        return np.fromfile(self.folder / name, dtype).reshape(shape)


def compare(name, problem, start, loss, step, step_with_tangents, hypergradient):
    """Checks and times a peer, and prints both as JSON (`Peer` of answer.ts).

    start: state and its tangents before the first step, both as the peer likes.
    loss(state, examples): a number; examples are "batch" or "validation".
    step(state): the next state.
    step_with_tangents(state, tangents): the next of both.
    hypergradient(state, tangents): q numbers.
    All return when their result is there.
    """
    plain, tangents = start
    learning = plain
    check = {"loss": loss(plain, "batch")}
    for _ in range(problem.check_steps):
        plain = step(plain)
        learning, tangents = step_with_tangents(learning, tangents)
    check["plainLoss"] = loss(plain, "validation")
    check["learningLoss"] = loss(learning, "validation")
    check["hypergradient"] = hypergradient(learning, tangents)

    # Always from the same state: what the numbers are does not change the time.
    times = interleaved(
        problem.rounds,
        {
            "plain": lambda: step(plain),
            "learning": lambda: step_with_tangents(learning, tangents),
            "validation": lambda: hypergradient(learning, tangents),
        },
    )
    print(json.dumps({"name": name, "check": check, "times": times}))


def interleaved(rounds, tasks):
    """Milliseconds of each task in each measured round, which take turns, as `interleaved` of timing.ts has it."""
    times = {name: [] for name in tasks}
    for number in range(rounds["warmUp"] + rounds["measured"]):
        for name, task in tasks.items():
            clock, processor = time.perf_counter(), time.process_time()
            task()
            took = {
                "clock": 1e3 * (time.perf_counter() - clock),
                "processor": 1e3 * (time.process_time() - processor),
            }
            if number >= rounds["warmUp"]:
                times[name].append(took)
    return times
