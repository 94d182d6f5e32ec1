# SPDX-License-Identifier: Apache-2.0
"""ncnn. int8: bytes as its own tool makes them (weights by channel, activations by the largest
magnitude on the calibration images). It has no batch: images go through one after the other."""
import ncnn
import numpy as np

import peer
from write_ncnn import Writer


def load(stem, threads, in_bytes):
    network = ncnn.Net()
    network.opt.num_threads = threads
    network.opt.use_vulkan_compute = False
    network.opt.use_int8_inference = in_bytes
    network.opt.use_bf16_storage = False
    network.opt.use_fp16_storage = False
    network.opt.use_fp16_packed = False
    network.opt.use_fp16_arithmetic = False
    for load_part, suffix in ((network.load_param, ".param"), (network.load_model, ".bin")):
        if load_part(str(stem.with_suffix(suffix))) != 0:
            raise SystemExit(f"ncnn cannot read {stem}{suffix}")
    return network


def value_of(network, image, first, wanted):
    extractor = network.create_extractor()
    extractor.input(first, ncnn.Mat(image))
    status, value = extractor.extract(wanted)
    if status != 0:
        raise SystemExit(f"ncnn does not give {wanted}")
    return np.array(value)


def ranges_of(folder, nodes):
    """The largest magnitude of each value on the calibration images."""
    network = load(folder / "f32", 1, False)
    ranges = np.zeros(len(nodes))
    for image in peer.images_of(folder, "calibration"):
        ranges[0] = max(ranges[0], np.abs(image).max())
        for i, node in enumerate(nodes[1:], 1):
            value = value_of(network, image, nodes[0]["name"], node["name"])
            ranges[i] = max(ranges[i], np.abs(value).max())
    return ranges


def prepare(folder):
    nodes, parameters = peer.nodes_of(folder), peer.parameters_of(folder)
    Writer(nodes, parameters).write(folder / "f32")
    Writer(nodes, parameters, ranges_of(folder, nodes)).write(folder / "int8")


def run(folder, form, batch, threads):
    nodes = peer.nodes_of(folder)
    network = load(folder / form, threads, form == "int8")
    images = peer.batch_of(folder, batch)
    first, last = nodes[0]["name"], nodes[-1]["name"]
    peer.serve(
        "ncnn",
        ncnn.__version__,
        lambda: [value_of(network, image, first, last) for image in images],
    )


if __name__ == "__main__":
    peer.main(prepare, run)
