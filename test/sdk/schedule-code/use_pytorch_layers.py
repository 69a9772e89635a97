"""Both weights after each step, of the loss (a^2 + b^2) / 2 with SGD of PyTorch that has a rate for each."""

import json

import torch
from glocal_layers import GlocalSchedule
from steps import STEPS

a, b = (torch.nn.Parameter(torch.ones(1, dtype=torch.float64)) for _ in range(2))
optimizer = torch.optim.SGD([{"params": [b], "layer": "dense1"}, {"params": [a], "layer": "conv1"}], lr=1.0)
schedule = GlocalSchedule(optimizer)
weights = []
for _ in range(STEPS):
    optimizer.zero_grad()
    ((a**2 + b**2) / 2).sum().backward()
    optimizer.step()
    schedule.step()
    weights.append([a.item(), b.item()])

try:
    GlocalSchedule(torch.optim.SGD([a], lr=1.0))
except ValueError as error:
    refusal = str(error)
print(json.dumps({"weights": weights, "refusal": refusal}))
