"""Step 4's agent: a trained network picks every GPU's clock from what the GPU shows and phi.

The network is three lines of arithmetic, so a step needs no library. Written by train.py:
{"signals": [..], "mean": [..], "scale": [..], "layers": [[weights, biases], ..]}; sigmoids between
the layers, and the last one gives the clock as a share of the top clock.
SPDX-License-Identifier: BSD-3-Clause"""
import json
import math


class MlAgent:
    """Clocks from a network trained on a sweep, as in GEOPM's Python tutorial."""

    name = "ml_agent"
    control = "GPU_CORE_FREQUENCY_MAX_CONTROL"
    policy = {"GPU_PHI": {"default": 0, "min": 0, "max": 1, "unit": "1",
                          "description": "0 performance .. 1 energy"}}
    period = 0.05

    def __init__(self, model="model.json"):
        with open(model, encoding="utf-8") as file:
            told = json.load(file)
        self.signals = told["signals"]
        self.mean, self.scale, self.layers = told["mean"], told["scale"], told["layers"]

    def start(self, parts, policy):
        self.parts = parts
        self.steps = self.unseen = 0

    def step(self, observation, policy):
        return [self.clock(part, gpu, policy["GPU_PHI"]) for part, gpu in zip(self.parts, observation)]

    def clock(self, part, gpu, phi):
        self.steps += 1
        inputs = [gpu[name] for name in self.signals] + [phi]
        if any(math.isnan(value) for value in inputs):
            self.unseen += 1
            return None  # what cannot be seen is left as it is
        values = [(x - m) / s for x, m, s in zip(inputs, self.mean, self.scale)]
        for depth, (weights, biases) in enumerate(self.layers):
            values = [sum(w * x for w, x in zip(row, values)) + b for row, b in zip(weights, biases)]
            if depth + 1 < len(self.layers):
                values = [1 / (1 + math.exp(-min(max(x, -60), 60))) for x in values]
        return part.nearest(values[0] * part.max)

    def report(self):
        return {"Steps": self.steps, "Steps Unseen": self.unseen}
