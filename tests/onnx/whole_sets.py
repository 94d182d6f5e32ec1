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
from quantizer_points import file_of, points_of, put_out, session

parser = argparse.ArgumentParser()
parser.add_argument("quantal")
parser.add_argument("model")
parser.add_argument("images", type=pathlib.Path)
parser.add_argument("--chunk", type=int, default=50)
arguments = parser.parse_args()

images = numpy.load(arguments.images, mmap_mode="r")
labels = numpy.load(arguments.images.with_suffix(".labels.npy"))
model = onnx.load(arguments.model)
points = points_of(model)
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
put_out(model, points)

sessions = {"fast": session(model, exact=False), "exact": session(model)}
compared = {kind: dict.fromkeys(points, 0) for kind in sessions}
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
    compared[kind][layer] += distance.size
    differing[kind][layer] += int(differs.sum())
    own[kind][layer] += int(differs[undisturbed].sum())
    largest[kind][layer] = max(largest[kind][layer], int(distance.max()))


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
        agreeing = {}
        for layer, (_, scale, zero), codes in zip(points, points.values(), outputs[1:]):
            file = file_of(folder / "layers", layer)
            if file.exists():
                compare(layer, scale, zero, file, kind, codes, agreeing)
            else:  # an operator that moves codes
                agreeing[layer] = numpy.logical_and.reduce([agreeing[before] for before in inputs[layer]])


with tempfile.TemporaryDirectory() as scratch:
    for start in range(0, len(images), arguments.chunk):
        compare_chunk(start, pathlib.Path(scratch))
        print(f"\r{min(start + arguments.chunk, len(images))}/{len(images)} images", end="", flush=True)
print()

print(f"ONNX Runtime {onnxruntime.__version__}; top-1 of quantal {100 * right['quantal'] / len(images):.2f} %")
for kind in sessions:
    codes, others, made = (sum(counts[kind].values()) for counts in (compared, differing, own))
    print(f"{kind}: {others} of {codes} codes differ, {made} of them where they are made; top-1"
          f" {100 * right[kind] / len(images):.2f} %; {same[kind]} of {len(images)} answers are the same")
for layer in points:
    if any(differing[kind][layer] for kind in sessions):
        each = "; ".join(
            f"{kind} {differing[kind][layer]}, {own[kind][layer]} its own, by {largest[kind][layer]} at most"
            for kind in sessions)
        print(f"  {layer} of {compared[kind][layer]}: {each}")
