#!/usr/bin/python3
"""Writes the first inputs of the ONNX fuzz target: small models that use every conversion (Debian: python3-onnx).

    /usr/bin/python3 fuzz/onnx/make_corpus.py fuzz/onnx/corpus

SPDX-License-Identifier: BSD-3-Clause
"""
import os
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper

F, I = TensorProto.FLOAT, TensorProto.INT64


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs, outputs, name=op.lower(), **attributes)


def weight(name, *dims):
    return numpy_helper.from_array(np.ones(dims, np.float32), name)


def whole(name, *values):
    return numpy_helper.from_array(np.array(values, np.int64), name)


def write(name, nodes, weights, x=("n", 4, 6, 6), out="y", kind=F, opset=13):
    graph = helper.make_graph(nodes, name, [helper.make_tensor_value_info("x", kind, list(x))],
                              [helper.make_tensor_value_info(out, F, None)], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], producer_name="")
    with open(os.path.join(sys.argv[1], name + ".onnx"), "wb") as file:
        file.write(model.SerializeToString())


os.makedirs(sys.argv[1], exist_ok=True)
write("conv", [node("Conv", ["x", "w", "b"], ["c"], pads=[1, 1, 1, 1], strides=[2, 2], group=2),
               node("BatchNormalization", ["c", "s", "s", "s", "s"], ["d"]), node("Relu", ["d"], ["e"]),
               node("MaxPool", ["e"], ["f"], kernel_shape=[2, 2], ceil_mode=1), node("GlobalAveragePool", ["f"], ["g"]),
               node("Flatten", ["g"], ["h"]), node("Gemm", ["h", "m", "k"], ["y"], transB=1, alpha=0.5)],
      [weight("w", 4, 2, 3, 3), weight("b", 4), weight("s", 4), weight("m", 3, 4), weight("k", 3)])
write("shapes", [node("Shape", ["x"], ["a"]), node("Gather", ["a", "zero"], ["b"]), node("Unsqueeze", ["b", "zero1"], ["c"]),
                 node("Concat", ["c", "minus"], ["d"], axis=0), node("Reshape", ["x", "d"], ["e"]),
                 node("Transpose", ["e"], ["f"], perm=[1, 0]), node("Slice", ["f", "zero1", "two", "zero1", "two"], ["y"])],
      [whole("zero1", 0), whole("minus", -1), whole("two", 2), numpy_helper.from_array(np.array(0, np.int64), "zero")])
write("gelu", [node("Div", ["x", "r2"], ["a"]), node("Erf", ["a"], ["b"]), node("Add", ["b", "one"], ["c"]),
               node("Mul", ["x", "c"], ["d"]), node("Mul", ["d", "half"], ["y"])],
      [numpy_helper.from_array(np.array(v, np.float32), k) for k, v in (("r2", 2 ** .5), ("one", 1), ("half", .5))], ("n", 4))
write("norm", [node("ReduceMean", ["x"], ["m"], axes=[-1]), node("Sub", ["x", "m"], ["s"]), node("Pow", ["s", "two"], ["p"]),
               node("ReduceMean", ["p"], ["v"], axes=[-1]), node("Add", ["v", "e"], ["a"]), node("Sqrt", ["a"], ["q"]),
               node("Div", ["s", "q"], ["d"]), node("Mul", ["d", "g"], ["t"]), node("Add", ["t", "b"], ["u"]),
               node("Softmax", ["u"], ["y"], axis=1)],
      [numpy_helper.from_array(np.array(2, np.float32), "two"), numpy_helper.from_array(np.array(1e-5, np.float32), "e"),
       weight("g", 4), weight("b", 4)], ("n", 3, 4))
write("table", [node("Gather", ["t", "x"], ["a"]), node("MatMul", ["a", "w"], ["b"]), node("Add", ["b", "v"], ["c"]),
                node("Split", ["c"], ["p", "q"], axis=-1), node("Mul", ["p", "q"], ["y"])],
      [weight("t", 7, 4), weight("w", 4, 6), weight("v", 6)], ("n", 5), kind=I)
write("elements", [node("Sigmoid", ["x"], ["a"]), node("Mul", ["a", "x"], ["b"]), node("HardSwish", ["b"], ["c"]),
                   node("Clip", ["c", "", "six"], ["d"]), node("PRelu", ["d", "w"], ["e"]), node("LeakyRelu", ["e"], ["f"]),
                   node("Tanh", ["f"], ["g"]), node("Sub", ["six", "g"], ["h"]), node("Sum", ["h", "x", "w"], ["y"])],
      [numpy_helper.from_array(np.array(6, np.float32), "six"), weight("w", 4, 1, 1)], opset=14)
write("fold", [node("ConstantOfShape", ["n"], ["a"], value=helper.make_tensor("v", I, [1], [3])),
               node("Range", ["i", "j", "k"], ["b"]), node("Where", ["c", "a", "b"], ["d"]), node("Cast", ["d"], ["e"], to=F),
               node("Sqrt", ["e"], ["f"]), node("Expand", ["f", "s"], ["g"]), node("Tile", ["x", "r"], ["h"]),
               node("Add", ["h", "g"], ["y"])],
      [whole("n", 4), numpy_helper.from_array(np.array([True, False, True, True]), "c"), whole("s", 2, 4), whole("r", 1, 2)]
      + [numpy_helper.from_array(np.array(v, np.int64), k) for k, v in (("i", 0), ("j", 4), ("k", 1))], ("n", 2))
write("pads", [node("Pad", ["x", "p"], ["a"]), node("AveragePool", ["a"], ["b"], kernel_shape=[3, 3], auto_pad="SAME_UPPER"),
               node("DepthToSpace", ["b"], ["c"], blocksize=2), node("ReduceSum", ["c", "ax"], ["d"], keepdims=0),
               node("Squeeze", ["d"], ["y"])], [whole("p", 0, 0, 1, 1, 0, 0, -1, 2), whole("ax", 2)])
write("unsupported", [node("Loop", ["x"], ["a"]), node("Erf", ["a"], ["b"]), node("NonMaxSuppression", ["b"], ["y"])], [])
write("circle", [node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"]), node("Relu", ["b"], ["y"])], [])
