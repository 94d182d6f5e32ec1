# SPDX-License-Identifier: Apache-2.0
"""Writes small_cnn.onnx beside itself, a small network as exporters write them: an open batch, a shape
computed from the input's, a mean instead of a pool. Needs numpy and the onnx package."""
import pathlib

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

random = numpy.random.default_rng(20261123)


def weight(name, *shape, deviation=None):
    deviation = deviation or (2 / numpy.prod(shape[1:])) ** 0.5
    return numpy_helper.from_array(random.normal(0, deviation, shape).astype(numpy.float32), name)


nodes = [
    helper.make_node("Conv", ["image", "w1", "b1"], ["c1"], "conv1", pads=[1, 1, 1, 1], strides=[2, 2]),
    helper.make_node("Relu", ["c1"], ["r1"], "relu1"),
    helper.make_node("Conv", ["r1", "w2"], ["c2"], "conv2", pads=[1, 1, 1, 1], group=8),
    helper.make_node("BatchNormalization", ["c2", "gamma", "beta", "mean", "var"], ["n2"], "norm2"),
    helper.make_node("Add", ["r1", "n2"], ["a"], "add"),
    helper.make_node("Clip", ["a", "zero", "six"], ["k"], "clip"),
    helper.make_node("MaxPool", ["k"], ["p"], "pool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
    helper.make_node("Conv", ["p", "w3", "b3"], ["c3"], "conv3", pads=[0, 0, 1, 1]),
    helper.make_node("Concat", ["c3", "p"], ["j"], "joined", axis=1),
    helper.make_node("ReduceMean", ["j"], ["m"], "mean", axes=[2, 3], keepdims=1),
    helper.make_node("Shape", ["m"], ["s"], "shape"),
    helper.make_node("Gather", ["s", "first"], ["batch"], "batch", axis=0),
    helper.make_node("Concat", ["batch", "rest"], ["flat"], "flat", axis=0),
    helper.make_node("Reshape", ["m", "flat"], ["f"], "reshape"),
    helper.make_node("Gemm", ["f", "w4", "b4"], ["logits"], "classes", transB=1),
    helper.make_node("Softmax", ["logits"], ["probabilities"], "softmax", axis=1),
]
tensors = [
    weight("w1", 8, 1, 3, 3), weight("b1", 8, deviation=0.1), weight("w2", 8, 1, 3, 3),
    weight("gamma", 8, deviation=1.0), weight("beta", 8, deviation=0.1), weight("mean", 8, deviation=0.1),
    numpy_helper.from_array(random.uniform(0.5, 1.5, 8).astype(numpy.float32), "var"),
    weight("w3", 12, 8, 2, 2), weight("b3", 12, deviation=0.1),
    weight("w4", 10, 20), weight("b4", 10, deviation=0.1),
    numpy_helper.from_array(numpy.float32(0), "zero"), numpy_helper.from_array(numpy.float32(6), "six"),
    numpy_helper.from_array(numpy.array([0]), "first"), numpy_helper.from_array(numpy.array([-1]), "rest"),
]
graph = helper.make_graph(
    nodes, "small_cnn",
    [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, 28, 28])],
    [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 10])], tensors)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model, full_check=True)
onnx.save(model, pathlib.Path(__file__).parent / "small_cnn.onnx")
