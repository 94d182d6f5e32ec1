# SPDX-License-Identifier: Apache-2.0
"""Runs the node tests of the onnx package for operators on codes through quantal's command, bit for bit:

    node_tests.py QUANTAL FOLDER

Each test becomes a network: its data are what the network reads, everything else is constant, and its
integers are shown as the reals that they stand for. Tests that do not apply are listed with the reason.
Ends with 77 where numpy or onnx is absent."""
import pathlib
import subprocess
import sys
import warnings

try:
    import numpy
    import onnx
    from onnx import TensorProto, helper, numpy_helper
except ImportError as absent:
    print("skipped:", absent)
    sys.exit(77)

quantal, folder = sys.argv[1], pathlib.Path(sys.argv[2])
folder.mkdir(exist_ok=True)

OPERATORS = ["QuantizeLinear", "DequantizeLinear", "QLinearConv", "QLinearMatMul", "ConvInteger",
             "MatMulInteger", "DynamicQuantizeLinear"]
# Types by number, since newer ones have no name in older packages.
FLOATS_OF_8_BITS_AND_FEWER = {17, 18, 19, 20, 23, 24}
CODES_OF_2_BITS = {25, 26}


class DoesNotApply(Exception):
    pass


def tensor(name, value):
    """A constant: as the test has it, or made of an array."""
    if not isinstance(value, TensorProto):
        return numpy_helper.from_array(numpy.asarray(value), name)
    result = TensorProto()
    result.CopyFrom(value)
    result.name = name
    return result


def array(value):
    return numpy_helper.to_array(value) if isinstance(value, TensorProto) else numpy.asarray(value)


def outputs_of(nodes, constants, images):
    """What quantal computes of images by these nodes, from "x" to "y"."""
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", *images.shape[1:]])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    initializers = [tensor(name, value) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "test", inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    files = [str(folder / name) for name in ("test.onnx", "images.npy", "outputs.npy")]
    onnx.save(model, files[0])
    numpy.save(files[1], images.astype(numpy.float32))
    command = [quantal, "run", files[0], files[1], "-o", files[2], "--threads", "1"]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode != 0:
        raise RuntimeError(run.stderr.strip())
    return numpy.load(files[2])


def reals(codes, scale, zero):
    return (codes.astype(numpy.float32) - numpy.float32(zero)) * numpy.float32(scale)


def node(kind, inputs, output, like=None):
    result = helper.make_node(kind, inputs, [output], name=output)
    if like is not None:
        result.attribute.extend(like.attribute)
    return result


def single(value, what):
    if array(value).size != 1:
        raise DoesNotApply(f"its {what} differ along an axis; values of a network have one")
    return array(value).reshape(())


def places_of_scales(given, data, scales):
    """The index of the scale of each element."""
    attributes = {a.name: helper.get_attribute_value(a) for a in given.attribute}
    axis, block = attributes.get("axis", 1), attributes.get("block_size", 0)
    places = numpy.arange(scales.size).reshape(scales.shape)
    if block:
        return numpy.repeat(places, block, axis).take(range(data.shape[axis]), axis)
    if scales.size == 1:
        return numpy.zeros(data.shape, int)
    return numpy.broadcast_to(places.reshape([-1] + [1] * (data.ndim - axis - 1)), data.shape)


def quantize_linear(given, inputs, outputs):
    """The elements of each scale by themselves: a value of a network has one."""
    data, scales, codes = inputs[0], array(inputs[1]), array(outputs[0]).astype(int)
    kind = tensor("codes", outputs[0]).data_type
    zeros = array(inputs[2]).astype(int).ravel() if len(inputs) > 2 else numpy.zeros(scales.size, int)
    nodes = [node("QuantizeLinear", ["x", "scale", "zero"], "codes"),
             node("DequantizeLinear", ["codes", "scale", "zero"], "y")]
    places = places_of_scales(given, data, scales)
    for i in range(scales.size):
        scale = scales.ravel()[i].astype(numpy.float32)
        constants = {"scale": scale, "zero": helper.make_tensor("zero", kind, [], [zeros[i]])}
        found = outputs_of(nodes, constants, data[places == i].reshape(1, -1))
        yield found, reals(codes[places == i], scale, zeros[i])


def dequantize_linear(given, inputs, outputs):
    """The reals become the weights of a layer that multiplies 1 by them."""
    constants = {name: value for name, value in zip(("codes", "scale", "zero"), inputs)}
    reals_ = node("DequantizeLinear", list(constants), "reals", given)
    constants["shape"] = numpy.array([1, -1])
    nodes = [reals_, node("Reshape", ["reals", "shape"], "w"), node("MatMul", ["x", "w"], "y")]
    yield outputs_of(nodes, constants, numpy.ones((1, 1))), array(outputs[0])


def layer_on_codes(given, inputs, outputs):
    """QLinearConv, QLinearMatMul; of several matrices each by itself."""
    names = ["xs", "xz", "w", "ws", "wz", "ys", "yz", "b"][:len(inputs) - 1]
    nodes = [node("QuantizeLinear", ["x", "xs", "xz"], "q"),
             node(given.op_type, ["q", *names], "c", given),
             node("DequantizeLinear", ["c", "ys", "yz"], "y")]
    constants = dict(zip(names, inputs[1:]))
    for name in ("xs", "ws", "ys"):
        constants[name] = array(constants[name]).astype(numpy.float32)
    scale, zero = single(constants["xs"], "scales"), single(constants["xz"], "zero points")
    y_scale, y_zero = constants["ys"], array(constants["yz"]).item()
    is_matrices = given.op_type == "QLinearMatMul" and inputs[0].ndim > 2
    for i in range(inputs[0].shape[0] if is_matrices else 1):
        x, y = inputs[0], outputs[0]
        if is_matrices:
            constants["w"] = inputs[3][i]
            x, y = x[i], y[i]
        yield outputs_of(nodes, constants, reals(x, scale, zero)), reals(y, y_scale, y_zero)


def sums_of_codes(given, inputs, outputs):
    """ConvInteger, MatMulInteger."""
    constants = {"one": numpy.float32(1), "w": inputs[1]}
    zero = inputs[2] if len(inputs) > 2 else inputs[0].dtype.type(0)
    constants["xz"] = single(zero, "zero points")
    if len(inputs) > 3:
        constants["wz"] = inputs[3]
    layer = ["q", "w", "xz"] + (["wz"] if len(inputs) > 3 else [])
    nodes = [node("QuantizeLinear", ["x", "one", "xz"], "q"), node(given.op_type, layer, "i", given),
             helper.make_node("Cast", ["i"], ["y"], to=TensorProto.FLOAT)]
    images = reals(inputs[0], 1, constants["xz"])
    yield outputs_of(nodes, constants, images), outputs[0].astype(numpy.float32)


def dynamic_quantize_linear(given, inputs, outputs):
    """A layer with a dynamic input, whose weights are the unit matrix."""
    if given.op_type != "DynamicQuantizeLinear":
        raise DoesNotApply("it is written as operators that make scales while a network runs")
    images = inputs[0].reshape(1, -1)
    constants = {"w": numpy.eye(images.size, dtype=numpy.int8), "ws": numpy.float32(1)}
    nodes = [helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
             node("MatMulInteger", ["q", "w", "z"], "i"),
             helper.make_node("Cast", ["i"], ["f"], to=TensorProto.FLOAT),
             node("Mul", ["s", "ws"], "m"), node("Mul", ["f", "m"], "y")]
    codes, scale, zero = outputs
    yield outputs_of(nodes, constants, images), reals(codes, scale, zero)


FORMS = {"QuantizeLinear": quantize_linear, "DequantizeLinear": dequantize_linear,
         "QLinearConv": layer_on_codes, "QLinearMatMul": layer_on_codes,
         "ConvInteger": sums_of_codes, "MatMulInteger": sums_of_codes,
         "DynamicQuantizeLinear": dynamic_quantize_linear}


def refuse_types(inputs, outputs):
    for value in [*inputs, *outputs]:
        if isinstance(value, TensorProto) and value.data_type in FLOATS_OF_8_BITS_AND_FEWER:
            raise DoesNotApply("its codes are floats of 8 bits or fewer")
        if isinstance(value, TensorProto) and value.data_type in CODES_OF_2_BITS:
            raise DoesNotApply("codes of 2 bits are ONNX's from opset 25 on; 22 is the last here")


def run_test(form, test):
    inputs, outputs = test.data_sets[0]
    refuse_types(inputs, outputs)
    compared = 0
    for found, expected in form(test.model.graph.node[0], inputs, outputs):
        if found.size != expected.size or not (found.ravel() == expected.ravel()).all():
            raise RuntimeError(f"found {found.ravel()}, expected {expected.ravel()}")
        compared += expected.size
    return compared


def tests_by_operator():
    """The node tests of each operator, which begins their names."""
    for kind in (bool, float, int, object):  # names that onnx 1.12 asks numpy for and 1.24 has dropped
        if kind.__name__ not in vars(numpy):
            setattr(numpy, kind.__name__, kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.case.node import collect_testcases
        tests = {test.name: test for test in collect_testcases(None)}
    for operator in OPERATORS:
        for name in sorted(tests):
            if name.removeprefix("test_").split("_")[0] == operator.lower():
                yield operator, tests[name]


passed = failed = left_out = 0
for operator, test in tests_by_operator():
    try:
        count = run_test(FORMS[operator], test)
        print(f"ok: {test.name}, {count} values")
        passed += 1
    except DoesNotApply as reason:
        print(f"does not apply: {test.name}: {reason}")
        left_out += 1
    except RuntimeError as difference:
        print(f"FAILED: {test.name}: {difference}")
        failed += 1
print(f"{passed} tests pass, {failed} fail, {left_out} do not apply")
sys.exit(failed > 0 or passed == 0)
