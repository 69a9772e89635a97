"""Reads what was exported with the packages that it is for, and prints it as JSON."""

import json
import sys

kind, where = sys.argv[1:3]
if kind == "tensorboard":
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(where, size_guidance={"scalars": 0, "tensors": 0})
    events.Reload()
    tags = events.Tags()
    text = events.Tensors("specification/text_summary")[0].tensor_proto.string_val[0].decode()
    print(
        json.dumps(
            {
                "scalars": {
                    tag: [[point.step, point.value] for point in events.Scalars(tag)]
                    for tag in tags["scalars"]
                },
                "text": text,
            }
        )
    )
else:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=where)
    experiment = client.get_experiment_by_name(sys.argv[3])
    runs = client.search_runs([experiment.experiment_id])
    print(
        json.dumps(
            [
                {
                    "name": run.info.run_name,
                    "status": run.info.status,
                    "params": run.data.params,
                    "tags": run.data.tags,
                    "metrics": {
                        key: [[m.step, m.value] for m in client.get_metric_history(run.info.run_id, key)]
                        for key in run.data.metrics
                    },
                }
                for run in runs
            ]
        )
    )
