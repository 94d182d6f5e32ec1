# SPDX-License-Identifier: Apache-2.0
"""The exported network as an ONNX model in float32."""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17


def conv2d(node, parameters, inputs):
    top, left, bottom, right = node["padding"]
    return "Conv", {
        "kernel_shape": node["kernel"],
        "strides": node["stride"],
        "pads": [top, left, bottom, right],
        "dilations": node["dilation"],
        "group": node["groups"],
    }


def linear(node, parameters, inputs):
    return "Gemm", {"transB": 1}


def pool(operator):
    def attributes(node, parameters, inputs):
        top, left, bottom, right = node["padding"]
        return operator, {
            "kernel_shape": node["kernel"],
            "strides": node["stride"],
            "pads": [top, left, bottom, right],
        }

    return attributes


OPERATORS = {
    "conv2d": conv2d,
    "linear": linear,
    "max_pool": pool("MaxPool"),
    "average_pool": pool("AveragePool"),
    "add": lambda *_: ("Add", {}),
    "flatten": lambda *_: ("Flatten", {"axis": 1}),
}


def activation(limits, x, y, constants):
    """Relu, or Clip with its limits as constants."""
    if limits["lo"] == 0 and limits["hi"] is None:
        return helper.make_node("Relu", [x], [y], name=y)
    for side in ("lo", "hi"):
        constants[f"{y}.{side}"] = np.float32(limits[side])
    return helper.make_node("Clip", [x, f"{y}.lo", f"{y}.hi"], [y], name=y)


def to_onnx(nodes, parameters):
    """The model; its batch is open."""
    names = [node["name"] for node in nodes]
    operators, constants = [], {}
    for node in nodes[1:]:
        inputs = [names[i] for i in node["inputs"]]
        kind, attributes = OPERATORS[node["op"]](node, parameters, inputs)
        for suffix in ("weight", "bias"):
            if (name := f"{node['name']}.{suffix}") in parameters:
                constants[name] = parameters[name]
                inputs.append(name)
        limits = node.get("activation")
        result = node["name"] + ".sum" if limits else node["name"]
        operators.append(helper.make_node(kind, inputs, [result], name=result, **attributes))
        if limits:
            operators.append(activation(limits, result, node["name"], constants))
    open_batch = lambda node: helper.make_tensor_value_info(
        node["name"], TensorProto.FLOAT, ["N", *node["shape"]]
    )
    graph = helper.make_graph(
        operators,
        "network",
        [open_batch(nodes[0])],
        [open_batch(nodes[-1])],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    return onnx.shape_inference.infer_shapes(model)
