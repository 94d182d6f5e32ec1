# SPDX-License-Identifier: Apache-2.0
"""How long launches take at least, on devices whose peaks are published."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Device:
    """Peaks as published, dense, at the boost clock: int8 operations and bytes a second."""
    name: str
    arch: int
    multiprocessors: int
    clock: float
    operations: float
    bandwidth: float
    source: str


DEVICES = (
    Device("A100 SXM 80 GB", 80, 108, 1.41e9, 624e12, 2039e9,
           "NVIDIA A100 datasheet (June 2021); NVIDIA A100 Tensor Core GPU Architecture whitepaper"),
    Device("H100 SXM5 80 GB", 90, 132, 1.83e9, 1978.9e12, 3350e9,
           "NVIDIA H100 Tensor Core GPU Architecture whitepaper; NVIDIA H100 datasheet"),
    Device("RTX 4090", 89, 128, 2.52e9, 660.6e12, 1008e9,
           "NVIDIA Ada GPU Architecture whitepaper, appendix on the GeForce RTX 4090"),
)

# Seconds between the kernels of a graph beyond the time that they run: 3.4 us a kernel of 2.9 us (A. Gray,
# "Getting Started with CUDA Graphs", NVIDIA Technical Blog, 2019; on a V100).
LAUNCH_SECONDS = 0.5e-6

ISSUES_PER_CLOCK = 4  # instructions of a multiprocessor: one for each of its four schedulers

ASSUMPTIONS = (
    "Tensor cores run at the published dense peak for int8, which Hopper reaches with wgmma only; this kernel uses "
    "mma.sync, which is slower there.",
    "A multiprocessor shares its peak among the blocks that it holds; the slowest has ceil(blocks / multiprocessors) "
    "of them. Padding to tiles is work.",
    "Each of four schedulers of a multiprocessor issues one instruction a clock. Those of a product are counted from "
    "its machine code: in its loop what no branch leaves out, and once a block all that follows the loop.",
    "Each array of a launch moves once between memory and multiprocessors at the published bandwidth: what a layer "
    "reads again lies in the L2 cache and costs nothing, what the layer before wrote does not lie there.",
    "Kernels that are no products are bound by memory alone: their arithmetic is not predicted.",
    f"A launch costs {LAUNCH_SECONDS * 1e6:.1f} us (CUDA graphs). Nothing else is counted: no latencies, no copies "
    "from and to the host, no throttling.",
)


def ceil_div(a, b):
    return -(-a // b)


def predict_launch(device, launch, loop=None):
    """Seconds of a launch and what they are bound by; `loop` has the figures of the kernel's loop."""
    bounds = {"memory": (launch["read_bytes"] + launch["written_bytes"]) / device.bandwidth}
    if product := launch.get("product"):
        blocks = ceil_div(launch["blocks"], device.multiprocessors)
        tile = launch["tile"]
        steps = ceil_div(product["depth"], tile["k"])
        of_block = 2 * tile["m"] * tile["n"] * steps * tile["k"]
        bounds["tensor cores"] = blocks * of_block * device.multiprocessors / device.operations
        if loop:
            iterations = steps / loop["steps"]
            issued = blocks * (iterations * loop["always"] + loop["after"]) * launch["threads"] / 32
            bounds["issue"] = issued / ISSUES_PER_CLOCK / device.clock
    bound = max(bounds, key=bounds.get)
    if bounds[bound] < LAUNCH_SECONDS:
        bound = "launch"
    return {"seconds": max(bounds.values()) + LAUNCH_SECONDS, "bound": bound}


def predict_network(device, network, loops):
    """Seconds of each layer that launches something, and of the whole; `loops` by kernel, of the device's
    architecture."""
    layers = []
    for layer in network["layers"]:
        launches = [predict_launch(device, l, loops.get(l["kernel"])) for l in layer["launches"]]
        if launches:
            longest = max(launches, key=lambda l: l["seconds"])
            layers.append({"layer": layer["layer"], "seconds": sum(l["seconds"] for l in launches),
                           "bound": longest["bound"]})
    seconds = sum(layer["seconds"] for layer in layers)
    operations = sum(layer["operations"] for layer in network["layers"])
    return {"model": network["model"], "batch": network["batch"], "device": device.name, "seconds": seconds,
            "images_per_second": network["batch"] / seconds,
            "fraction_of_peak": operations / seconds / device.operations, "layers": layers}
