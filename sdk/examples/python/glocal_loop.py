"""Glocal around a training loop of your own: hypergradients go out, the values to go on with come back.

The contract is proto/glocal/v1; `glocal.v1` is generated from it (README.md).
"""

import os
import queue
import struct
from contextlib import AbstractContextManager

import grpc
from glocal.v1 import study_pb2, study_service_pb2
from glocal.v1.study_service_pb2_grpc import StudyServiceStub


class ExternalTrial(AbstractContextManager):
    """The first trial of a new study whose `mode` is EXTERNAL, at the trainer that GLOCAL_ADDRESS names (localhost:50061).

    values: what to train with, by name, in natural units. They move at the end of each window.
    ended: the trial, once it has ended; None before.
    """

    def __init__(self, study):
        self._channel = grpc.insecure_channel(os.environ.get("GLOCAL_ADDRESS", "localhost:50061"))
        stub = StudyServiceStub(self._channel)
        created = stub.CreateStudy(study_service_pb2.CreateStudyRequest(study=study))
        self._steps = study.training.steps
        self.ended = None
        # What is put here is sent; None ends the requests.
        self._requests = queue.SimpleQueue()
        self._answers = stub.ReportHypergradients(iter(self._requests.get, None))
        start = study_service_pb2.ReportStart(trial=f"{created.name}/trials/0")
        position = self._ask(start=start).position
        self._outer_step = position.outer_step
        self.values = _by_name(position.values)

    def report(self, rows, train_loss=None, validation=None):
        """Reports a whole window: hypergradients with respect to the values, oldest first, each with a number for each
        parameter that moves, in the order of the space.

        Returns the OuterStep once it is stored. Where its `update.rolled_back` is set the window is to be trained again, from
        the weights that it began with, and the values to do it with are nearer to those before.
        """
        report = study_service_pb2.Report(
            outer_step=self._outer_step,
            hypergradients=b"".join(struct.pack(f"<{len(row)}d", *row) for row in rows),
            train_loss=train_loss,
            validation=validation,
        )
        outer_step = self._ask(report=report).outer_step
        self._outer_step = outer_step.index + 1
        self.values = _by_name(outer_step.next_values)
        if outer_step.step == self._steps:
            self.ended = next(self._answers).ended
        return outer_step

    def _ask(self, **request):
        self._requests.put(study_service_pb2.ReportHypergradientsRequest(**request))
        answer = next(self._answers)
        if answer.HasField("ended"):
            raise RuntimeError(f"the trial has ended: {answer.ended.state_reason}")
        return answer

    def __exit__(self, *error):
        self._requests.put(None)
        self._channel.close()


def moving(name, minimum, maximum, initial, scale=study_pb2.SCALE_LOGIT):
    """A parameter that hypergradients move, between two bounds."""
    bounds = study_pb2.FloatParameter(min=minimum, max=maximum, initial=initial, scale=scale)
    return study_pb2.Parameter(name=name, float=bounds)


def external_study(display_name, parameters, windows, window, sigma):
    """A study of `windows` windows of `window` inner steps, of which the last `sigma` have a hypergradient."""
    return study_pb2.Study(
        display_name=display_name,
        mode=study_pb2.RUN_MODE_EXTERNAL,
        space=study_pb2.SearchSpace(parameters=parameters),
        training=study_pb2.Training(steps=windows * window),
        method=study_pb2.Method(estimator=study_pb2.ESTIMATOR_GLOCAL, window=window, sigma=sigma),
    )


def _by_name(values):
    return {value.name: value.value for value in values}
