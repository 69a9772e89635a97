"""The weight after each step, of the loss w^2 / 2 with SGD of PyTorch."""

import json

import torch
from glocal_schedule import GlocalSchedule, values_at
from steps import STEPS

w = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
optimizer = torch.optim.SGD([w], **values_at(0))
schedule = GlocalSchedule(optimizer)
weights = []
for step in range(STEPS):
    if step == STEPS // 2:
        # As from a checkpoint.
        state = schedule.state_dict()
        schedule = GlocalSchedule(optimizer)
        schedule.load_state_dict(state)
    optimizer.zero_grad()
    (w**2 / 2).sum().backward()
    optimizer.step()
    schedule.step()
    weights.append(w.item())
print(json.dumps(weights))
