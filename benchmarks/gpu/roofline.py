# SPDX-License-Identifier: Apache-2.0
"""How long launches take at least, on devices whose peaks are published."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Device:
    """Peaks as published, dense, at the boost clock: operations by element and bytes a second. For float16 they are
    those with sums in float32; int4 is what mma.sync has in hardware."""
    name: str
    arch: int
    multiprocessors: int
    clock: float
    operations: dict
    bandwidth: float
    source: str


DEVICES = (
    Device("A100 SXM 80 GB", 80, 108, 1.41e9, {"int8": 624e12, "int4": 1248e12, "float16": 312e12}, 2039e9,
           "NVIDIA A100 datasheet (June 2021); NVIDIA A100 Tensor Core GPU Architecture whitepaper"),
    Device("H100 SXM5 80 GB", 90, 132, 1.83e9, {"int8": 1978.9e12, "float16": 989.4e12}, 3350e9,
           "NVIDIA H100 Tensor Core GPU Architecture whitepaper; NVIDIA H100 datasheet"),
    Device("RTX 4090", 89, 128, 2.52e9, {"int8": 660.6e12, "int4": 1321.2e12, "float16": 165.2e12}, 1008e9,
           "NVIDIA Ada GPU Architecture whitepaper, appendix on the GeForce RTX 4090"),
)

# Seconds between the kernels of a graph beyond the time that they run: 3.4 us a kernel of 2.9 us (A. Gray,
# "Getting Started with CUDA Graphs", NVIDIA Technical Blog, 2019; on a V100).
LAUNCH_SECONDS = 0.5e-6

ISSUES_PER_CLOCK = 4  # instructions of a multiprocessor: one for each of its four schedulers

ASSUMPTIONS = (
    "Tensor cores run at the published dense peak for int8, int4 or float16 with sums in float32, which Hopper reaches "
    "with wgmma only; this kernel uses mma.sync, which is slower there.",
    "A multiprocessor shares its peak among the blocks that it holds; the slowest has ceil(blocks / multiprocessors) "
    "of them. Padding to tiles is work.",
    "Each of four schedulers of a multiprocessor issues one instruction a clock. Those of a product are counted from "
    "its machine code: in its loop what no branch leaves out, and once a block all that follows the loop.",
    "Each array of a launch moves once between memory and multiprocessors at the published bandwidth: what a layer "
    "reads again lies in the L2 cache and costs nothing, what the layer before wrote does not lie there.",
    "Depthwise convolutions issue each of their instructions once a thread. Other kernels that are no products are bound "
    "by memory alone: their arithmetic is not predicted.",
    f"A launch costs {LAUNCH_SECONDS * 1e6:.1f} us (CUDA graphs). Nothing else is counted: no latencies, no copies "
    "from and to the host, no throttling.",
)


def ceil_div(a, b):
    return -(-a // b)


def predict_launch(device, launch, kernels):
    """Seconds of a launch and what they are bound by; `kernels` has the rows of what was compiled, by kernel."""
    bounds = {"memory": (launch["read_bytes"] + launch["written_bytes"]) / device.bandwidth}
    blocks = ceil_div(launch["blocks"], device.multiprocessors)
    kernel = kernels.get(launch["kernel"], {})
    warps = blocks * launch["threads"] / 32
    if product := launch.get("product"):
        tile = launch["tile"]
        steps = ceil_div(product["depth"], tile["k"])
        bytes_of_one = 2 if tile["element"] == "float16" else 1
        of_block = 2 * tile["m"] * tile["n"] * steps * tile["k"] / bytes_of_one
        peak = device.operations[tile["element"]]
        bounds["tensor cores"] = blocks * of_block * device.multiprocessors / peak
        if loop := kernel.get("loop"):
            issued = warps * (steps / loop["steps"] * loop["always"] + loop["after"])
            bounds["issue"] = issued / ISSUES_PER_CLOCK / device.clock
    elif kernel.get("is_straight"):
        bounds["issue"] = warps * kernel["instructions"] / ISSUES_PER_CLOCK / device.clock
    bound = max(bounds, key=bounds.get)
    if bounds[bound] < LAUNCH_SECONDS:
        bound = "launch"
    return {"seconds": max(bounds.values()) + LAUNCH_SECONDS, "bound": bound}


def predict_network(device, network, kernels):
    """Seconds of each layer that launches something, and of the whole; those of its products in float16 beside them.
    `kernels` are rows of the device's architecture, by kernel."""
    layers = []
    for layer in network["layers"]:
        launches = [predict_launch(device, l, kernels) for l in layer["launches"]]
        if launches:
            longest = max(launches, key=lambda l: l["seconds"])
            halves = [predict_launch(device, l, kernels)["seconds"] for l in layer["halves"]]
            layers.append({"layer": layer["layer"], "kernel": layer["kernel"],
                           "seconds": sum(l["seconds"] for l in launches), "bound": longest["bound"],
                           "halves": sum(halves) if halves else None})
    seconds = sum(layer["seconds"] for layer in layers)
    operations = sum(layer["operations"] for layer in network["layers"])
    products = [layer for layer in layers if layer["halves"]]
    return {"model": network["model"], "bits": f"{network['weight_bits']}w{network['code_bits']}f",
            "batch": network["batch"], "device": device.name, "seconds": seconds,
            "images_per_second": network["batch"] / seconds,
            "fraction_of_peak": operations / seconds / device.operations["int8"],
            "products": sum(layer["seconds"] for layer in products),
            "products_of_halves": sum(layer["halves"] for layer in products), "layers": layers}
