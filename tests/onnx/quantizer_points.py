# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime and the quantizer points of a model, for the scripts that hold quantal against it."""
import onnx
import onnxruntime


def session(model, exact=True, threads=0):
    """Its fast kernels let u8 x s8 sums saturate on CPUs without VNNI."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    if exact:
        options.add_session_config_entry("session.x64quantprecision", "1")
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def points_of(model):
    """Quantizer points: of each layer the tensor of codes, scale and zero point."""
    numbers = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    clipped = {n.input[0]: n.output[0] for n in model.graph.node if n.op_type == "Clip"}
    points = {}
    for n in model.graph.node:
        if n.op_type == "QuantizeLinear":
            codes = clipped.get(n.output[0], n.output[0])
            points[n.output[0].removesuffix("/codes")] = codes, numbers[n.input[1]], numbers[n.input[2]]
    return points


def put_out(model, points):
    """Makes the codes of all points outputs, behind the model's own."""
    for codes, _, zero in points.values():
        kind = onnx.helper.np_dtype_to_tensor_dtype(zero.dtype)
        model.graph.output.append(onnx.helper.make_tensor_value_info(codes, kind, None))


def file_of(folder, layer):
    """Where `quantal run --layers` writes what a layer computes."""
    return folder / (layer.replace("/", "_") + ".npy")
