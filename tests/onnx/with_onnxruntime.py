# SPDX-License-Identifier: Apache-2.0
"""Holds quantal's command against ONNX Runtime:

    with_onnxruntime.py QUANTAL MODEL FOLDER [--float]

The float network answers the same within 1e-4 of the largest output; its exports, quantized on random
images, have the same codes in every quantizer point that ONNX Runtime computes with integer kernels
(--float leaves these out). Ends with 77 where numpy, onnx or onnxruntime is absent."""
import argparse
import pathlib
import subprocess
import sys

try:
    import numpy
    import onnx
    import onnxruntime
except ImportError as absent:
    print("skipped:", absent)
    sys.exit(77)

parser = argparse.ArgumentParser()
parser.add_argument("quantal")
parser.add_argument("model")
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("--float", action="store_true")
arguments = parser.parse_args()
quantal, model_file, folder = arguments.quantal, arguments.model, arguments.folder
folder.mkdir(exist_ok=True)


def run(*arguments):
    subprocess.run([quantal, *map(str, arguments), "--threads", "1"], check=True)


def session(model):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    # Without it u8 x s8 sums saturate on CPUs without VNNI.
    options.add_session_config_entry("session.x64quantprecision", "1")
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def check(passed, what):
    print("ok:" if passed else "FAILED:", what)
    if not passed:
        sys.exit(1)


def without_softmax(model):
    for last in reversed(model.graph.node):
        if last.op_type not in ("Identity", "Softmax") or last.output[0] != model.graph.output[0].name:
            break
        model.graph.output[0].name = last.input[0]
    return model


def has_channels_last(shape):
    return len(shape) == 4 and 0 < shape[3] < shape[1]


def random_images(model):
    """With their channels first; what the model leaves open is that of a few usual ones."""
    stated = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    shape = [n if n > 0 else usual for n, usual in zip(stated, (8, 3, 224, 224))]
    images = numpy.random.default_rng(20261123).normal(0, 1, shape).astype(numpy.float32)
    return numpy.ascontiguousarray(images.transpose(0, 3, 1, 2)) if has_channels_last(stated) else images


def compare_reals(model, images):
    image = "--image", *images.shape[1:]
    run("run", model_file, folder / "images.npy", "-o", folder / "outputs.npy", *image)
    stated = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    fed = images.transpose(0, 2, 3, 1) if has_channels_last(stated) else images
    expected = session(model).run(None, {model.graph.input[0].name: fed})[0]
    found = numpy.load(folder / "outputs.npy").reshape(expected.shape)
    error = numpy.abs(found - expected).max() / numpy.abs(expected).max()
    check(error < 1e-4, f"float outputs differ by {error:.1e} of the largest")


def points_of(model):
    """Quantizer points: layer, tensor of codes, scale, zero point."""
    numbers = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    clipped = {n.input[0]: n.output[0] for n in model.graph.node if n.op_type == "Clip"}
    for n in model.graph.node:
        if n.op_type == "QuantizeLinear":
            codes = clipped.get(n.output[0], n.output[0])
            yield n.output[0].removesuffix("/codes"), codes, numbers[n.input[1]], numbers[n.input[2]]


def compare_codes(images):
    quantized = folder / "quantized.onnx"
    run("quantize", model_file, "--calibration", folder / "images.npy", "-o", quantized)
    run("run", quantized, folder / "images.npy", "--layers", folder / "layers")
    model = onnx.load(quantized)
    onnx.checker.check_model(model, full_check=True)
    points = list(points_of(model))
    for _, codes, _, zero in points:
        kind = onnx.helper.np_dtype_to_tensor_dtype(zero.dtype)
        model.graph.output.append(onnx.helper.make_tensor_value_info(codes, kind, None))
    names = [codes for _, codes, _, _ in points]
    computed = session(model).run(names, {model.graph.input[0].name: images})
    compared = differing = 0
    for (layer, _, scale, zero), codes in zip(points, computed):
        file = folder / "layers" / (layer.replace("/", "_") + ".npy")
        if not file.exists():
            continue  # an operator that moves codes
        reals = numpy.load(file).reshape(codes.shape)
        ours = numpy.rint(reals / scale).astype(int) + int(zero)
        compared += codes.size
        differing += int((ours != codes).sum())
    check(compared > 0 and differing == 0, f"{differing} of {compared} codes differ")


shown = without_softmax(onnx.load(model_file))
pictures = random_images(shown)
numpy.save(folder / "images.npy", pictures)
compare_reals(shown, pictures)
if not arguments.float:
    compare_codes(pictures)
