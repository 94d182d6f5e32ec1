# SPDX-License-Identifier: Apache-2.0
"""Holds quantal's command against ONNX Runtime on a whole test set:

    whole_sets.py QUANTAL QUANTIZED.onnx IMAGES.npy [--chunk 50]

IMAGES.labels.npy lies beside the prepared images. Tells for ONNX Runtime's fast and its exact int8
kernels, layer by layer, how many codes differ from quantal's, by how much at most, and how many of them
though all that the layer takes of that image is equal: those are the layer's own, the others are carried
on. Tells the top-1 of all three. Needs numpy, onnx and onnxruntime."""
import argparse
import pathlib
import subprocess
import tempfile

import numpy
import onnx
import onnxruntime

parser = argparse.ArgumentParser()
parser.add_argument("quantal")
parser.add_argument("model")
parser.add_argument("images", type=pathlib.Path)
parser.add_argument("--chunk", type=int, default=50)
arguments = parser.parse_args()

images = numpy.load(arguments.images, mmap_mode="r")
labels = numpy.load(arguments.images.with_suffix(".labels.npy"))
model = onnx.load(arguments.model)
numbers = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
clipped = {n.input[0]: n.output[0] for n in model.graph.node if n.op_type == "Clip"}
points = {}  # layer: tensor of codes, scale, zero point
for node in model.graph.node:
    if node.op_type == "QuantizeLinear":
        codes = clipped.get(node.output[0], node.output[0])
        points[node.output[0].removesuffix("/codes")] = codes, *(numbers[name] for name in node.input[1:3])
producers = {output: node for node in model.graph.node for output in node.output}
layer_of = {codes: layer for layer, (codes, _, _) in points.items()}


def taken_by(tensor):
    """The quantizer points that a tensor of reals is computed from."""
    if tensor in layer_of:
        return {layer_of[tensor]}
    node = producers.get(tensor)
    return set().union(*map(taken_by, node.input)) if node else set()


inputs = {}
for codes, layer in layer_of.items():
    node = producers[codes] if producers[codes].op_type == "QuantizeLinear" else producers[producers[codes].input[0]]
    inputs[layer] = taken_by(node.input[0])
for codes, _, zero in points.values():
    kind = onnx.helper.np_dtype_to_tensor_dtype(zero.dtype)
    model.graph.output.append(onnx.helper.make_tensor_value_info(codes, kind, None))


def session(exact):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if exact:
        options.add_session_config_entry("session.x64quantprecision", "1")
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


sessions = {"fast": session(False), "exact": session(True)}
compared = dict.fromkeys(points, 0)
differing = {kind: dict.fromkeys(points, 0) for kind in sessions}
own = {kind: dict.fromkeys(points, 0) for kind in sessions}
largest = {kind: dict.fromkeys(points, 0) for kind in sessions}
right = dict.fromkeys(["quantal", *sessions], 0)
same = dict.fromkeys(sessions, 0)


def compare(layer, scale, zero, file, kind, codes, agreeing):
    """The codes that a file's reals stand for, against a session's; `agreeing` has, for each layer, which
    images are equal, and gets this one's."""
    ours = numpy.rint(numpy.load(file) / scale).astype(int) + int(zero)
    distance = numpy.abs(codes.astype(int) - ours.reshape(codes.shape)).reshape(len(codes), -1)
    differs = (distance > 0).sum(1)
    undisturbed = numpy.logical_and.reduce([agreeing[before] for before in inputs[layer]] or [differs >= 0])
    agreeing[layer] = differs == 0
    differing[kind][layer] += int(differs.sum())
    own[kind][layer] += int(differs[undisturbed].sum())
    largest[kind][layer] = max(largest[kind][layer], int(distance.max()))
    return distance.size


def compare_chunk(begin, folder):
    some = numpy.ascontiguousarray(images[begin : begin + arguments.chunk])
    wanted = labels[begin : begin + arguments.chunk]
    numpy.save(folder / "images.npy", some)
    command = [arguments.quantal, "run", arguments.model, folder / "images.npy", "--layers", folder / "layers"]
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found = {kind: s.run(None, {model.graph.input[0].name: some}) for kind, s in sessions.items()}
    ours = numpy.load(folder / "layers" / "output.npy").reshape(len(some), -1).argmax(1)
    right["quantal"] += int((ours == wanted).sum())
    for kind, outputs in found.items():
        answers = outputs[0].reshape(len(some), -1).argmax(1)
        right[kind] += int((answers == wanted).sum())
        same[kind] += int((answers == ours).sum())
    for kind, outputs in found.items():
        agreeing = {}
        for layer, (_, scale, zero), codes in zip(points, points.values(), outputs[1:]):
            file = folder / "layers" / (layer.replace("/", "_") + ".npy")
            if file.exists():
                compared[layer] += compare(layer, scale, zero, file, kind, codes, agreeing) // len(found)
            else:  # an operator that moves codes
                agreeing[layer] = numpy.logical_and.reduce([agreeing[before] for before in inputs[layer]])


with tempfile.TemporaryDirectory() as scratch:
    for start in range(0, len(images), arguments.chunk):
        compare_chunk(start, pathlib.Path(scratch))
        print(f"\r{min(start + arguments.chunk, len(images))}/{len(images)} images", end="", flush=True)
print()

count = sum(compared.values())
print(f"ONNX Runtime {onnxruntime.__version__}; top-1 of quantal {100 * right['quantal'] / len(images):.2f} %")
for kind in sessions:
    print(f"{kind}: {sum(differing[kind].values())} of {count} codes differ, {sum(own[kind].values())} of them where"
          f" they are made; top-1"
          f" {100 * right[kind] / len(images):.2f} %; {same[kind]} of {len(images)} answers are the same")
for layer in points:
    if any(differing[kind][layer] for kind in sessions):
        each = "; ".join(
            f"{kind} {differing[kind][layer]}, {own[kind][layer]} its own, by {largest[kind][layer]} at most"
            for kind in sessions)
        print(f"  {layer} of {compared[layer]}: {each}")
