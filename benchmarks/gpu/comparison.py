# SPDX-License-Identifier: Apache-2.0
"""What a device measured beside what was predicted for it."""
import ctypes
from dataclasses import replace

import roofline
from report import table

# Of cuda.h, CUdevice_attribute.
ATTRIBUTES = {"multiprocessors": 16, "clock_khz": 13, "major": 75, "minor": 76, "memory_khz": 36, "bus_bits": 37}


def find_device():
    """Device 0 as the driver describes it; None where there is no driver or no device."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0 or count.value == 0:
        return None
    name = ctypes.create_string_buffer(128)
    driver.cuDeviceGetName(name, 128, 0)
    found = {"name": name.value.decode()}
    for what, attribute in ATTRIBUTES.items():
        value = ctypes.c_int(0)
        driver.cuDeviceGetAttribute(ctypes.byref(value), attribute, 0)
        found[what] = value.value
    return {**found, "arch": 10 * found["major"] + found["minor"]}


def peaks_of(found):
    """The published device of the same architecture, with this one's multiprocessors, clock and memory (two transfers
    a clock); None where none is published here."""
    for device in roofline.DEVICES:
        if device.arch == found["arch"]:
            clock = 1e3 * found["clock_khz"]
            times = found["multiprocessors"] * clock / (device.multiprocessors * device.clock)
            return replace(device, name=found["name"], multiprocessors=found["multiprocessors"], clock=clock,
                           operations={element: times * rate for element, rate in device.operations.items()},
                           bandwidth=2e3 * found["memory_khz"] * found["bus_bits"] / 8 or device.bandwidth)
    return None


def read_times(text):
    """Seconds by layer, for products also in float16; the whole network's under the empty name."""
    return {name: list(map(float, seconds)) for name, *seconds in (line.split("\t") for line in text.splitlines())}


def compare(times, model, bits, batch, prediction=None):
    """Rows of a network: measured and, where there is a prediction, predicted seconds."""
    layers = {layer["layer"]: layer for layer in prediction["layers"]} if prediction else {}
    rows = []
    for layer, (seconds, *halves) in times.items():
        row = {"layer": layer, "measured": seconds, "halves": halves[0] if halves else None}
        if not layer and prediction:
            row["predicted"] = prediction["seconds"]
        elif layer in layers:
            row |= {"predicted": layers[layer]["seconds"], "bound": layers[layer]["bound"]}
        rows.append(row)
    return {"model": model, "bits": f"{bits[0]}w{bits[1]}f", "batch": batch, "rows": rows}


def to_markdown(result):
    """A table of whole networks, then one of the layers of each."""
    def cells(row):
        predicted = row.get("predicted")
        return [f"{1e6 * row['measured']:.1f}", f"{1e6 * predicted:.1f}" if predicted else "",
                f"{row['measured'] / predicted:.2f}" if predicted else "", row.get("bound", "")]

    def halves(row):
        return [f"{1e6 * row['halves']:.1f}", f"{row['halves'] / row['measured']:.2f}"] if row["halves"] else ["", ""]

    headings = ["Measured, us", "Predicted, us", "Measured / predicted", "Predicted bound"]
    networks = result["networks"]
    whole = [[n["model"], n["bits"], n["batch"], *cells(row), f"{n['batch'] / row['measured']:.0f}"]
             for n in networks for row in n["rows"] if not row["layer"]]
    parts = [
        f"# The CUDA kernels on {result['device']['name']}",
        f"`{result['command']}`, commit {result['commit']}, {result['nvcc']}. Device tests: {result['tests']}.",
        "Medians by CUDA's events; a whole network runs as a graph, a layer alone again and again, so that what it reads "
        "may lie in the L2 cache." + ("" if result["predicted"] else " No peaks of this architecture are published here: "
                                      "nothing is predicted."),
        table(["Network", "Bits", "Batch", *headings, "Images/s"], whole),
    ]
    for n in networks:
        parts += [f"## {n['model']}, {n['bits']}, batch {n['batch']}",
                  table(["Layer", *headings, "In float16, us", "Times as fast"],
                        [[row["layer"], *cells(row), *halves(row)] for row in n["rows"] if row["layer"]])]
    return "\n\n".join(parts) + "\n"
