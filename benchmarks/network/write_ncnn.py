# SPDX-License-Identifier: Apache-2.0
"""The exported network in ncnn's format: a text of layers, and their weights one after the other
(ncnn's documentation: param-and-model-file-structure, operators). Its layers have one activation of
their own; values that several layers read go through a Split."""
import numpy as np

MAGIC = 7767517
FLOATS, BYTES = 0, 0x000D4B38  # tags in front of weights
RELU, CLIP = 1, 3
# Keys of a layer's parameters.
OUTPUTS, KERNEL, DILATION, STRIDE, PADDING, BIAS, WEIGHTS, GROUP, SCALES, ACTIVATION, LIMITS = (
    range(11)
)
REQUANTIZES = 100  # added to SCALES: the output is bytes


def square(pair):
    first, second = pair
    assert first == second, "only square kernels and strides are written"
    return first


def activation_of(node):
    limits = node.get("activation")
    if limits is None:
        return {}
    if limits["lo"] == 0 and limits["hi"] is None:
        return {ACTIVATION: RELU}
    return {ACTIVATION: CLIP, -23300 - LIMITS: f"2,{limits['lo']:f},{limits['hi']:f}"}


class Writer:
    """Writes the files of one form; `ranges`, the largest magnitude of each value, makes it bytes."""

    def __init__(self, nodes, parameters, ranges=None):
        self.nodes, self.parameters, self.ranges = nodes, parameters, ranges
        self.readers = [[] for _ in nodes]
        for node in nodes:
            for x in node.get("inputs", []):
                self.readers[x].append(node)
        self.copies = [0] * len(nodes)
        self.layers, self.blobs, self.data = [], 0, []

    def blob(self, x):
        """The name under which the next reader finds the value."""
        name = self.nodes[x]["name"]
        if len(self.readers[x]) < 2:
            return name
        self.copies[x] += 1
        return f"{name}/{self.copies[x]}"

    def layer(self, kind, name, inputs, outputs, settings):
        words = [kind, name, str(len(inputs)), str(len(outputs)), *inputs, *outputs]
        words += [f"{key}={value}" for key, value in settings.items()]
        self.layers.append(" ".join(words))
        self.blobs += len(outputs)

    def append(self, array, dtype):
        """Aligned to 4 bytes."""
        data = np.ascontiguousarray(array, dtype).tobytes()
        self.data.append(data + bytes(-len(data) % 4))

    def weighted(self, index, node, settings):
        """Appends weights, bias and scales; returns the settings with what they say."""
        weights = np.asarray(self.parameters[node["name"] + ".weight"])
        bias = self.parameters[node["name"] + ".bias"]
        settings |= {OUTPUTS: len(weights), **activation_of(node)}
        if self.ranges is None:
            self.append([FLOATS], np.uint32)
            self.append(weights, np.float32)
            self.append(bias, np.float32)
            return settings
        rows = weights.reshape(len(weights), -1)
        scales = 127 / np.maximum(np.abs(rows).max(1), 1e-12)
        self.append([BYTES], np.uint32)
        self.append(np.clip(np.rint(rows * scales[:, None]), -127, 127), np.int8)
        self.append(bias, np.float32)
        self.append(scales, np.float32)
        self.append([127 / self.ranges[node["inputs"][0]]], np.float32)
        settings[SCALES] = 1
        readers = self.readers[index]
        if node["op"] == "conv2d" and readers and all(r["op"] == "conv2d" for r in readers):
            settings[SCALES] += REQUANTIZES
            self.append([127 / self.ranges[index]], np.float32)
        return settings

    def conv2d(self, index, node):
        top, left, bottom, right = node["padding"]
        assert top == left == bottom == right, "only even padding is written"
        settings = {
            KERNEL: square(node["kernel"]),
            STRIDE: square(node["stride"]),
            PADDING: top,
            BIAS: 1,
            WEIGHTS: self.parameters[node["name"] + ".weight"].size,
        }
        if node["groups"] > 1:
            settings[GROUP] = node["groups"]
        kind = "ConvolutionDepthWise" if node["groups"] > 1 else "Convolution"
        return kind, self.weighted(index, node, settings)

    def linear(self, index, node):
        weights = self.parameters[node["name"] + ".weight"]
        return "InnerProduct", self.weighted(index, node, {1: 1, 2: weights.size})

    def pool(self, index, node):
        is_mean = node["op"] == "average_pool"
        settings = {0: int(is_mean), 1: square(node["kernel"]), 2: square(node["stride"])}
        return "Pooling", settings | {3: node["padding"][0], 5: 1}

    def add(self, index, node):
        return "BinaryOp", {0: 0}

    def flatten(self, index, node):
        return "Flatten", {}

    max_pool = average_pool = pool

    def write(self, stem):
        channels, height, width = self.nodes[0]["shape"]
        for index, node in enumerate(self.nodes):
            name = node["name"]
            if index == 0:
                self.layer("Input", name, [], [name], {0: width, 1: height, 2: channels})
            else:
                kind, settings = getattr(self, node["op"])(index, node)
                apart = ACTIVATION not in settings and "activation" in node
                made = name + ".sum" if apart else name
                self.layer(kind, made, [self.blob(x) for x in node["inputs"]], [made], settings)
                if apart:
                    assert activation_of(node) == {ACTIVATION: RELU}
                    self.layer("ReLU", name, [made], [name], {})
            copies = [f"{name}/{i + 1}" for i in range(len(self.readers[index]))]
            if len(copies) > 1:
                self.layer("Split", name + "/copies", [name], copies, {})
        header = f"{MAGIC}\n{len(self.layers)} {self.blobs}\n"
        stem.with_suffix(".param").write_text(header + "\n".join(self.layers) + "\n")
        stem.with_suffix(".bin").write_bytes(b"".join(self.data))
