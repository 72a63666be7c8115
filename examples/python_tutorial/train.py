#!/usr/bin/python3
"""Step 3: fit a small network to the table: (signals of a GPU, phi) -> the clock that phi would have
chosen. Adam on the mean squared error; the same table gives the same network.
usage: train.py FOLDER [STEPS]. SPDX-License-Identifier: BSD-3-Clause"""
import json
import os
import sys

import numpy

import mete

SIGNALS = ["GPU_CORE_FREQUENCY_STATUS", "GPU_POWER", "GPU_UTILIZATION", "GPU_CORE_ACTIVITY", "GPU_UNCORE_ACTIVITY"]
PHIS = range(0, 101, 10)
HIDDEN = 12
RATE = 0.02


def examples(table):
    """Rows of inputs, and the clock that was right for each as a share of the top clock."""
    table = table[table["is-roi"].astype(bool)]
    columns = [next(c for c in table.columns if c == f"{name}-gpu-0") for name in SIGNALS]
    seen = table[columns].to_numpy(dtype=float)
    inputs, targets = [], []
    for phi in PHIS:
        inputs.append(numpy.column_stack([seen, numpy.full(len(seen), phi / 100)]))
        targets.append(table[f"energy_weight{phi}"].to_numpy(dtype=float))
    inputs, targets = numpy.concatenate(inputs), numpy.concatenate(targets)
    whole = numpy.isfinite(inputs).all(axis=1) & numpy.isfinite(targets)
    return inputs[whole], targets[whole] / table["gpu-frequency"].max()


def forward(layers, x):
    passed = [x]
    for depth, (weights, biases) in enumerate(layers):
        x = x @ weights.T + biases
        if depth + 1 < len(layers):
            x = 1 / (1 + numpy.exp(-x))
        passed.append(x)
    return passed


def gradients(layers, passed, error):
    out = []
    for depth in range(len(layers) - 1, -1, -1):
        out.append((error.T @ passed[depth], error.sum(axis=0)))
        if depth:
            error = (error @ layers[depth][0]) * passed[depth] * (1 - passed[depth])
    return out[::-1]


def fit(inputs, targets, steps, batch=500):
    random = numpy.random.default_rng(1)
    sizes = [inputs.shape[1], HIDDEN, HIDDEN, 1]
    layers = [[random.normal(0, m ** -0.5, (n, m)), numpy.zeros(n)] for m, n in zip(sizes, sizes[1:])]
    moments = [[numpy.zeros_like(p) for p in layer for _ in "mv"] for layer in layers]
    for step in range(1, steps + 1):
        rows = random.integers(0, len(inputs), batch)
        passed = forward(layers, inputs[rows])
        error = (passed[-1] - targets[rows, None]) * 2 / batch
        rate = RATE * (1 - 0.95 * step / steps)
        for layer, moment, grads in zip(layers, moments, gradients(layers, passed, error)):
            for i, grad in enumerate(grads):
                moment[2 * i] = 0.9 * moment[2 * i] + 0.1 * grad
                moment[2 * i + 1] = 0.999 * moment[2 * i + 1] + 0.001 * grad ** 2
                layer[i] -= (rate * moment[2 * i] / (1 - 0.9 ** step)
                             / (numpy.sqrt(moment[2 * i + 1] / (1 - 0.999 ** step)) + 1e-8))
    return layers


def main(folder, steps=3000):
    inputs, targets = examples(mete.load_sweep(os.path.join(folder, "sweep.h5")))
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0)
    scale[scale == 0] = 1
    scaled = (inputs - mean) / scale
    layers = fit(scaled, targets, steps)
    off = float(numpy.sqrt(numpy.mean((forward(layers, scaled)[-1][:, 0] - targets) ** 2)))
    guess = float(targets.std())
    output = os.path.join(folder, "model.json")
    with open(output, "w", encoding="utf-8") as file:
        json.dump({"signals": SIGNALS, "mean": mean.tolist(), "scale": scale.tolist(),
                   "layers": [[weights.tolist(), biases.tolist()] for weights, biases in layers]}, file)
    print(f"{output}: {len(targets)} examples; clocks are off by {off:.1%} of the top clock (a constant guess: {guess:.1%})")
    return off, guess


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
