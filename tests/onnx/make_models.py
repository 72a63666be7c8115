#!/usr/bin/python3
"""Writes the ONNX fixtures, and what torch itself counts in the same models.

    /usr/bin/python3 tests/onnx/make_models.py tests/fixtures/onnx      (Debian: python3-torchvision python3-onnx)

torchvision's architectures with random weights, exported by torch.onnx. The weights are then said to lie in a file of
their own ("weights.bin"), which is not written: counting a model needs only their shapes, and the files stay small.
counts.csv has parameters (the sum of numel) and multiply-adds (by hooks on the modules that multiply), by torch alone.
Only the models named in KEPT stay in the folder; --all keeps every one, to compare more of them by hand.
SPDX-License-Identifier: BSD-3-Clause
"""
import os
import sys
import warnings

import onnx
import torch
import torchvision
from onnx import TensorProto, external_data_helper

warnings.filterwarnings("ignore")

MODELS = {"alexnet": 224, "vgg16": 224, "resnet18": 224, "resnet50": 224, "densenet121": 224, "inception_v3": 299, "googlenet": 224,
          "mobilenet_v2": 224, "mobilenet_v3_large": 224, "squeezenet1_1": 224, "shufflenet_v2_x1_0": 224,
          "efficientnet_b0": 224, "regnet_y_400mf": 224, "convnext_tiny": 224, "vit_b_16": 224}
KEPT = {"vgg16", "resnet50", "mobilenet_v3_large", "convnext_tiny"}
KEPT_ELEMENTS = 64  # small tensors stay in the file: they may be shapes or scalars


def count_macs(model, x):
    """One per result element and weight that it meets, for convolutions, dense layers and attention."""
    total = 0

    def conv(module, _inputs, output):
        nonlocal total
        taps = module.kernel_size[0] * module.kernel_size[1]
        total += output.numel() * module.in_channels // module.groups * taps

    def dense(module, _inputs, output):
        nonlocal total
        total += output.numel() * module.in_features

    def attention(module, _inputs, output):
        nonlocal total
        samples, words, width = output[0].shape
        assert module.batch_first
        # Three projections in, one out; scores, and their products with the values.
        total += samples * words * width * (4 * width + 2 * words)

    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(conv)
        elif isinstance(module, torch.nn.MultiheadAttention):
            module.register_forward_hook(attention)
        elif type(module) is torch.nn.Linear:
            module.register_forward_hook(dense)
    with torch.no_grad():
        model(x)
    return total


def shorten(graph):
    """Values between nodes get numbers for names, and nodes lose the path that repeats their module's: half the file."""
    kept = {v.name for v in list(graph.input) + list(graph.output)} | {t.name for t in graph.initializer}
    names = {}
    for node in graph.node:
        for values in (node.input, node.output):
            for i, name in enumerate(values):
                if name and name not in kept:
                    values[i] = names.setdefault(name, str(len(names)))
        parts = node.name.strip("/").split("/")
        node.name = "/".join(p for i, p in enumerate(parts) if i + 1 >= len(parts) or not parts[i + 1].startswith(p))


def without_weights(path):
    """The same model with its weights in a file that is not there."""
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        elements = 1
        for size in tensor.dims:
            elements *= size
        if tensor.data_type != TensorProto.FLOAT or elements <= KEPT_ELEMENTS:
            continue
        tensor.ClearField("raw_data")
        tensor.ClearField("float_data")
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", "weights.bin"
        tensor.data_location = TensorProto.EXTERNAL
    for node in model.graph.node:
        node.doc_string = ""
    del model.graph.value_info[:]
    shorten(model.graph)
    with open(path, "wb") as out:
        out.write(model.SerializeToString())


def main():
    keep_all = "--all" in sys.argv
    folder = next(a for a in sys.argv[1:] if not a.startswith("--"))
    os.makedirs(folder, exist_ok=True)
    rows = ["# what torch counts in torchvision's models at batch 2 (tests/onnx/make_models.py); source: torchvision "
            + torchvision.__version__, "model,size,parameters,macs"]
    for name, size in MODELS.items():
        if not keep_all and name not in KEPT:
            continue
        torch.manual_seed(1)
        options = {"aux_logits": False, "init_weights": False} if name in ("inception_v3", "googlenet") else {}
        model = getattr(torchvision.models, name)(weights=None, **options).eval()
        # The exporter keeps one of several weights that are equal, as all scales of a new model are.
        with torch.no_grad():
            for tensor in list(model.parameters()) + [b for b in model.buffers() if b.is_floating_point()]:
                tensor.uniform_(0.1, 1)
        x = torch.randn(2, 3, size, size)
        path = os.path.join(folder, name + ".onnx")
        torch.onnx.export(model, x, path, opset_version=13, training=torch.onnx.TrainingMode.PRESERVE,
                          do_constant_folding=False, input_names=["image"], output_names=["logits"],
                          dynamic_axes={"image": {0: "n"}, "logits": {0: "n"}})
        without_weights(path)
        parameters = sum(p.numel() for p in model.parameters())
        rows.append(f"{name},{size},{parameters},{count_macs(model, x)}")
        print(rows[-1], os.path.getsize(path), flush=True)
    with open(os.path.join(folder, "counts.csv"), "w", encoding="ascii") as out:
        out.write("\n".join(rows) + "\n")


main()
