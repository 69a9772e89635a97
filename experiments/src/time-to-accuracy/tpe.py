"""Optuna's tree-structured Parzen estimator, asked and told by lines of JSON.

The first line of standard input says {"seed", "space": {name: [low, high]}}, every parameter on a log scale. Each line of
output is a point to try; each further line of input says {"value"}, what it gave (less is better), or {"value": null}.
"""

import json
import sys

import optuna

optuna.logging.set_verbosity(optuna.logging.WARNING)
wanted = json.loads(sys.stdin.readline())
sampler = optuna.samplers.TPESampler(seed=wanted["seed"])
study = optuna.create_study(sampler=sampler)
distributions = {
    name: optuna.distributions.FloatDistribution(low, high, log=True)
    for name, (low, high) in wanted["space"].items()
}
trial = study.ask(distributions)
print(json.dumps(trial.params), flush=True)
for line in sys.stdin:
    value = json.loads(line)["value"]
    if value is None:
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
    else:
        study.tell(trial, value)
    trial = study.ask(distributions)
    print(json.dumps(trial.params), flush=True)
