# SPDX-License-Identifier: Apache-2.0
"""The tables of docs/cuda.md from what scripts/gpu-report found."""
import re

import gpu_tables
from report import table

OPERANDS = re.compile(r"bytes_by_bytes|nibbles_by_nibbles|bytes_by_packed<\d>|halves_by_halves")
NAMES = {"bytes_by_bytes": "u8 x s8", "nibbles_by_nibbles": "u4 x s4", "bytes_by_packed<4>": "u8 x s4, unpacked",
         "bytes_by_packed<2>": "u8 x s2, unpacked", "halves_by_halves": "f16 x f16"}


def operands(kernel):
    """What a product multiplies, by its type."""
    return NAMES[OPERANDS.search(kernel["kernel"].replace("(int)", ""))[0]]


def families(report):
    archs = list(dict.fromkeys(r["arch"] for r in report["families"]))
    found = {(r["family"], r["arch"]): r for r in report["families"]}
    lines = []
    for family in dict.fromkeys(r["family"] for r in report["families"]):
        rows = [found[family, arch] for arch in archs]
        cells = [f"{r['seconds']:.1f} s, {r['bytes'] / 1024:.0f} KiB, {r['registers']}" for r in rows]
        lines.append([family, rows[0]["kernels"], *cells])
    spilled = sum(r["spilled_bytes"] for r in report["families"])
    return (table(["Family", "Kernels", *(f"sm_{a}: CPU time, binary, most registers" for a in archs)], lines)
            + f"\n\nBytes spilled by all of them: {spilled}.")


def shown(kernel):
    """Products with codes or halves out, of tiles for many rows: those of bytes, all on sm_80, and what becomes of
    matrices of nibbles on sm_90. sm_86 and sm_89 have the figures of sm_80."""
    if "tile" not in kernel or kernel["tile"]["m"] < 128 or "reals_out" in kernel["kernel"]:
        return False
    emulated = (kernel["family"], kernel["arch"]) == ("nibbles", 90) and "matrix_rows" in kernel["kernel"]
    chosen = kernel["family"] == "product" or emulated
    return kernel["arch"] == 80 or chosen and kernel["arch"] not in (86, 89)


def products(report):
    lines = []
    for k in filter(shown, report["kernels"]):
        loop, tile = k["loop"], k["tile"]
        count = loop["mix"].get
        lines.append([
            f"sm_{k['arch']}", operands(k), f"{tile['m']} x {tile['n']} x {tile['k']}",
            "windows" if "image_rows" in k["kernel"] else "matrix", k["registers"], k["occupancy"]["blocks"],
            f"{loop['steps']:g}", count("tensor", 0), count("integer", 0) + count("float", 0), count("shared", 0),
            count("global", 0), f"{loop['tensor_share']:.2f}", f"{loop['tensor_share_always']:.2f}",
            f"{loop['of_ideal']:.2f}", loop["after"]])
    return table(["", "Operands", "Tile", "Rows of", "Registers", "Blocks a multiprocessor", "Steps", "Tensor",
                  "Arithmetic", "Shared", "Global", "Share", "Share without branches", "Global bytes of the ideal",
                  "Instructions after the loop"], lines)


def straight(report):
    lines = [[f"sm_{k['arch']}", gpu_tables.short(k["kernel"]), k["registers"], k["instructions"],
              f"{100 * k['occupancy']['warps']:.0f} %"] for k in report["kernels"] if k["is_straight"]]
    return table(["", "Kernel", "Registers", "Instructions", "Occupancy"], lines)


def peaks(report):
    return "\n".join(f"- {d['name']}: {gpu_tables.peaks(d)}, {d['bandwidth'] / 1e9:g} GB/s ({d['source']})."
                     for d in report["devices"])


def write(report, path):
    """Replaces what stands between the marks of each table."""
    tables = {
        "origin": f"`{report['command']}`, commit {report['commit']}, {report['nvcc']}",
        "families": families(report), "products": products(report), "straight": straight(report),
        "assumptions": "\n".join(f"- {a}" for a in report["assumptions"]), "peaks": peaks(report),
        "predictions": gpu_tables.summary(report["predictions"]),
        "halves": gpu_tables.against_halves(report["predictions"]),
    }
    text = path.read_text()
    for name, content in tables.items():
        begin, end = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
        head, rest = text.split(begin)
        text = head + begin + content + end + rest.split(end)[1]
    path.write_text(text)
