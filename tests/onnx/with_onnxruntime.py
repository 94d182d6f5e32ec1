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
    from quantizer_points import file_of, points_of, put_out, session
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
    expected = session(model, threads=1).run(None, {model.graph.input[0].name: fed})[0]
    found = numpy.load(folder / "outputs.npy").reshape(expected.shape)
    error = numpy.abs(found - expected).max() / numpy.abs(expected).max()
    check(error < 1e-4, f"float outputs differ by {error:.1e} of the largest")


def compare_codes(images):
    quantized = folder / "quantized.onnx"
    run("quantize", model_file, "--calibration", folder / "images.npy", "-o", quantized)
    run("run", quantized, folder / "images.npy", "--layers", folder / "layers")
    model = onnx.load(quantized)
    onnx.checker.check_model(model, full_check=True)
    points = points_of(model)
    put_out(model, points)
    names = [codes for codes, _, _ in points.values()]
    computed = session(model, threads=1).run(names, {model.graph.input[0].name: images})
    compared = differing = 0
    for (layer, (_, scale, zero)), codes in zip(points.items(), computed):
        file = file_of(folder / "layers", layer)
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
