# SPDX-License-Identifier: Apache-2.0
"""What scripts/gpu-report found, as Markdown."""
import re

from report import table

SHARE_GOAL, BYTES_GOAL = 0.8, 1.2
GOAL_ARCH = 80


def short(kernel):
    """A type without its namespaces."""
    return re.sub(r"quantal::v0::cuda::(host::)?", "", kernel).replace("> >", ">>")


def goal(kernels):
    """The large tile's product of rows of a matrix on sm_80, which the goal is about; None if it was not compiled."""
    of_goal = [k for k in kernels if k["arch"] == GOAL_ARCH and k["is_gemm"]]
    return of_goal[0] if of_goal else None


def goal_sentence(kernels):
    kernel = goal(kernels)
    if not kernel or not kernel.get("loop"):
        return "The int8 product for sm_80 was not compiled in this run."
    loop = kernel["loop"]
    say = lambda met: "met" if met else "missed"
    return (f"int8 product on sm_{GOAL_ARCH}, innermost loop: tensor instructions are {loop['tensor_share']:.2f} of all "
            f"arithmetic (goal {SHARE_GOAL}: {say(loop['tensor_share'] >= SHARE_GOAL)}), global bytes "
            f"{loop['of_ideal']:.2f} of the tile's ideal (goal {BYTES_GOAL}: {say(loop['of_ideal'] <= BYTES_GOAL)}).")


def families(rows):
    lines = [[f"sm_{r['arch']}", r["family"], r["kernels"], f"{r['seconds']:.1f}", f"{r['bytes'] / 1024:.0f}",
              r["registers"], r["spilled_bytes"]] for r in rows]
    return table(["Architecture", "Family", "Kernels", "Compiled in, s of CPU time", "Binary, KiB", "Most registers",
                  "Spilled bytes"], lines)


def resources(kernels):
    lines = [[short(k["kernel"]), k["threads"], k["registers"], k["shared_bytes"],
              k["spill_stores"] + k["spill_loads"], k["occupancy"]["blocks"],
              f"{100 * k['occupancy']['warps']:.0f} %", k["occupancy"]["limit"]] for k in kernels]
    return table(["Kernel", "Threads", "Registers", "Shared bytes", "Spilled bytes", "Blocks", "Occupancy",
                  "Limited by"], lines)


MIX = ("tensor", "integer", "float", "shared", "global", "move", "control", "local", "other")


def products(kernels):
    lines = []
    for k in kernels:
        loop = k["loop"]
        mix = [loop["mix"].get(kind, 0) for kind in MIX]
        lines.append([f"sm_{k['arch']}", short(k["kernel"]), loop["instructions"], *mix,
                      f"{loop['tensor_share']:.2f}", loop["instructions"] - loop["always"],
                      f"{loop['tensor_share_always']:.2f}", loop["after"], f"{loop['steps']:g}", 2 * loop["products"],
                      loop["global_read"], f"{loop['of_ideal']:.2f}", loop["shared_read"]])
    return table(["", "Kernel", "Instructions", *MIX, "Tensor share", "Conditional", "Tensor share without",
                  "After the loop", "Steps of depth", "Operations", "Global bytes",
                  "of the ideal", "Shared bytes"], lines)


def loops(kernels):
    lines = []
    for k in kernels:
        loop = k.get("loop")
        mix = [loop["mix"].get(kind, 0) if loop else "" for kind in MIX]
        lines.append([short(k["kernel"]), loop["instructions"] if loop else "no loop", *mix])
    return table(["Kernel", "Instructions", *MIX], lines)


def by_device(predictions, headings, cells):
    """A line a network, width and batch, and some columns a device: `cells(prediction)`."""
    devices = list(dict.fromkeys(p["device"] for p in predictions))
    key = lambda p: (p["model"], p["bits"], p["batch"])
    found = {(*key(p), p["device"]): p for p in predictions}
    lines = [[*line, *(cell for device in devices for cell in cells(found[(*line, device)]))]
             for line in dict.fromkeys(map(key, predictions))]
    return table(["Network", "Bits", "Batch", *(f"{d}: {what}" for d in devices for what in headings)], lines)


def summary(predictions):
    return by_device(predictions, ["ms", "images/s", "of the int8 peak"], lambda p: [
        f"{1e3 * p['seconds']:.3f}", f"{p['images_per_second']:.0f}", f"{100 * p['fraction_of_peak']:.0f} %"])


def against_halves(predictions):
    """The time of the layers that are products, and of the same in float16."""
    return by_device(predictions, ["products, ms", "in float16, ms", "times as fast"], lambda p: [
        f"{1e3 * p['products']:.3f}", f"{1e3 * p['products_of_halves']:.3f}",
        f"{p['products_of_halves'] / p['products']:.2f}"])


def layers(predictions):
    """A line a layer, a column a device and batch: microseconds and what they are bound by."""
    headings = [f"{p['device']}, {p['batch']}" for p in predictions]
    cells = [{l["layer"]: f"{1e6 * l['seconds']:.1f} {l['bound']}" for l in p["layers"]} for p in predictions]
    kernels = {l["layer"]: l["kernel"] for l in predictions[0]["layers"]}
    lines = [[name, kernels[name], *(c.get(name, "") for c in cells)] for name in cells[0]]
    return table(["Layer", f"Kernel on {predictions[0]['device']}", *headings], lines)


def peaks(device):
    return ", ".join(f"{rate / 1e12:g} Top/s of {element}" for element, rate in device["operations"].items())


def to_markdown(report):
    kernels = report["kernels"]
    with_loops = [k for k in kernels if "tile" in k and k.get("loop")]
    parts = [
        "# The CUDA kernels without a device",
        f"`{report['command']}`, commit {report['commit']}, {report['nvcc']}. Compiled, disassembled and computed; "
        "nothing here was measured on a device.",
        goal_sentence(kernels),
        "## Families",
        families(report["families"]),
    ]
    if with_loops:
        parts += ["## Innermost loops of the products",
                  "Per block and iteration; a class counts instructions of a warp as they stand in the loop, whether "
                  "or not a branch leaves them out; conditional ones are those that one may. Tensor share: tensor "
                  "instructions among these and integer and float arithmetic. Steps of depth: how many depths of the "
                  "tile an iteration multiplies.",
                  products(with_loops)]
    for arch in dict.fromkeys(k["arch"] for k in kernels):
        of_arch = [k for k in kernels if k["arch"] == arch]
        parts += [f"## sm_{arch}", resources(of_arch), "Longest innermost loops:", loops(of_arch)]
    if report["predictions"]:
        parts += ["## Predictions", "Assumptions:", "\n".join(f"- {a}" for a in report["assumptions"]),
                  "Peaks:", "\n".join(f"- {d['name']}: {peaks(d)}, {d['bandwidth'] / 1e9:g} GB/s, "
                                      f"{d['multiprocessors']} multiprocessors, {d['clock'] / 1e9:g} GHz ({d['source']})"
                                      for d in report["devices"]),
                  summary(report["predictions"]), "Products against the same in float16:",
                  against_halves(report["predictions"])]
        for model, bits in dict.fromkeys((p["model"], p["bits"]) for p in report["predictions"]):
            parts += [f"### {model}, {bits}: microseconds of a layer, and their bound",
                      layers([p for p in report["predictions"] if (p["model"], p["bits"]) == (model, bits)])]
    parts += ["Occupancy by: " + report["occupancy_source"] + "."]
    return "\n\n".join(parts) + "\n"
